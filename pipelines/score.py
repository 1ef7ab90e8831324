"""The scoring job: every lead at risk, through the champion, into one partition of scores."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.errors import LeadNotFoundError, SchemaMismatchError
from leadlight.features.snapshots import scoring_snapshots
from leadlight.features.sql import literal
from leadlight.features.tables import CanonicalTables

from .config import Config
from .delivery import write_csv
from .prepare import engine_of, load_frame, open_door, snapshot_plan
from .progress import Progress
from .registry import RegisteredVersion, Registry
from .workspace import Workspace, published_directory

UNDATED = "undated"
_SCHEMA = pa.schema(
    [
        ("lead_id", pa.string()),
        ("as_of", pa.timestamp("us", tz="UTC")),
        ("probability", pa.float64()),
        ("percentile", pa.float64()),
        ("grade", pa.string()),
        ("mql", pa.bool_()),
        ("fit_percentile", pa.float64()),
        ("engagement_percentile", pa.float64()),
        ("reasons_for", pa.list_(pa.string())),
        ("reasons_against", pa.list_(pa.string())),
        ("decision_version", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Scored:
    """A finished scoring run.

    Attributes
    ----------
    partition : Path
        Folder ``scores/as_of=...`` with the Parquet parts.
    as_of : datetime or None
        UTC; None for a flat table.
    leads, mqls : int
    decision_version : int
    notes : tuple of str
        What a person should know of this run.
    """

    partition: Path
    as_of: datetime | None
    leads: int
    mqls: int
    decision_version: int
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {
            **vars(self),
            "partition": str(self.partition),
            "as_of": self.as_of.isoformat() if self.as_of else None,
        }


def champion_of(config: Config) -> RegisteredVersion:
    """Load the project's champion.

    Raises
    ------
    ModelNotFoundError
        Nothing was trained yet.
    """
    workspace = Workspace(config.workspace_directory)
    registry = Registry(config.tracking_uri, config.project, workspace.root / "mlartifacts")
    return registry.champion()


def score(
    config: Config,
    progress: Progress,
    *,
    as_of: datetime | None = None,
    csv: Path | None = None,
    strict: bool = False,
) -> Scored:
    """Score every lead that is at risk, decide MQLs, and publish one partition of scores.

    The same inputs give the same bytes: without ``as_of``, leads are scored as of the midnight
    (UTC) after the newest row of the data, whatever the clock says.

    Parameters
    ----------
    config : Config
    progress : Progress
    as_of : datetime, optional
        Aware; what happened at or after it is not seen.
    csv : Path, optional
        Write a CSV file too, safe to open in a spreadsheet.
    strict : bool
        Refuse categories that training never saw, instead of scoring them as rare ones and
        noting it.

    Raises
    ------
    ModelNotFoundError
        Nothing was trained yet.
    SchemaMismatchError
        The data lacks columns that the model was trained on, or their type changed; or, where
        ``strict``, holds categories that training never saw.
    """
    workspace = Workspace(config.workspace_directory)
    champion = champion_of(config)
    with engine_of(config) as engine:
        door = open_door(config, engine, progress)
        moment = None if door.tables.is_flat else as_of or after_newest(engine, door.tables)
        with published_directory(workspace.features("scoring")) as features:
            with progress.stage("Computing features"):
                snapshots = features / "snapshots.parquet"
                scoring_snapshots(
                    engine,
                    door.tables,
                    snapshot_plan(config),
                    moment or datetime.now(UTC),
                    snapshots,
                )
                compute_features(
                    engine,
                    door.tables,
                    snapshots,
                    champion.decision.definition,
                    features / "parts",
                )
            name = f"{moment:%Y-%m-%dT%H-%M-%S}" if moment else UNDATED
            partition = workspace.scores / f"as_of={name}"
            with progress.stage("Scoring"), published_directory(partition) as published:
                unseen: Counter[tuple[str, str]] = Counter()
                for number, part in enumerate(sorted((features / "parts").glob("*.parquet"))):
                    frame = load_frame(part)
                    unseen += _unseen(frame, champion)
                    scores = _score_frame(frame, champion)
                    pq.write_table(scores, published / f"part-{number:05d}.parquet")
                notes = _unseen_notes(unseen)
                if strict and notes:
                    raise SchemaMismatchError(
                        "\n".join(notes), hint="Train again, or score without --strict."
                    )
    if csv is not None:
        with progress.stage("Writing CSV"):
            write_csv(read_scores(partition), csv)
    scores = read_scores(partition, columns=["mql"])
    return Scored(
        partition,
        moment,
        scores.num_rows,
        int(pc.sum(scores["mql"]).as_py() or 0),
        champion.number,
        notes,
    )


def after_newest(engine: DuckDBEngine, tables: CanonicalTables) -> datetime:
    """Return the midnight (UTC) after the newest lead, event or outcome."""
    columns = {"leads": "created_at", "events": "occurred_at", "outcomes": "closed_at"}
    newest = " UNION ALL ".join(
        f"SELECT max({column}) AS moment FROM read_parquet({literal(str(tables.path(table)))})"
        for table, column in columns.items()
        if tables.has(table, column)
    )
    ((microseconds,),) = engine.rows(f"SELECT epoch_us(max(moment)) FROM ({newest})")
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def read_scores(partition: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a partition of scores, parts in order."""
    parts = sorted(partition.glob("part-*.parquet"))
    return pa.concat_tables([pq.read_table(part, columns=columns) for part in parts])


def newest_partition(workspace: Workspace) -> Path:
    """Return the partition of scores with the latest ``as_of``.

    Raises
    ------
    LeadNotFoundError
        Nothing was scored yet.
    """
    partitions = sorted(workspace.scores.glob("as_of=*"))
    if not partitions:
        raise LeadNotFoundError("no lead was scored yet", hint="Score first: leadlight score")
    return partitions[-1]


def hottest(partition: Path, count: int) -> list[Mapping[str, Any]]:
    """Return the leads most likely to convert, best first, as rows of scores."""
    scores = ds.dataset(sorted(str(path) for path in partition.glob("part-*.parquet")))
    ranked = scores.to_table().sort_by([("probability", "descending"), ("lead_id", "ascending")])
    rows: list[Mapping[str, Any]] = ranked.slice(0, count).to_pylist()
    return rows


def _unseen(frame: pd.DataFrame, champion: RegisteredVersion) -> Counter[tuple[str, str]]:
    found = champion.decision.compiled.unseen(frame)
    return Counter(
        {(name, value): rows for name, values in found.items() for value, rows in values.items()}
    )


def _unseen_notes(unseen: Counter[tuple[str, str]]) -> tuple[str, ...]:
    """Say which categories are new, the five most frequent values of each feature."""
    by_feature: dict[str, list[str]] = {}
    for (name, value), rows in sorted(unseen.items(), key=lambda item: (-item[1], item[0])):
        by_feature.setdefault(name, []).append(f"'{value}' ({rows:,} leads)")
    return tuple(
        f"{name}: training never saw {', '.join(values[:5])}"
        + (f" and {len(values) - 5} more" if len(values) > 5 else "")
        + "; scored as a rare value."
        for name, values in sorted(by_feature.items())
    )


def _score_frame(frame: pd.DataFrame, champion: RegisteredVersion) -> pa.Table:
    decided = champion.decision.decide(frame)
    decided["decision_version"] = champion.number
    return pa.Table.from_pandas(
        decided, schema=_SCHEMA, preserve_index=False
    ).replace_schema_metadata(None)
