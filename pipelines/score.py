"""The scoring job: every lead at risk, through the champion, into one partition of scores."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from leadlight.features.catalog import feature_catalog
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.errors import SchemaMismatchError
from leadlight.features.publication import published_directory
from leadlight.features.snapshots import SnapshotCounts, scoring_snapshots
from leadlight.features.tables import CanonicalTables
from leadlight.features.wording import Wording

from .config import Config
from .delivery import write_csv
from .policy_columns import LeadSegments
from .prepare import engine_of, load_frame, open_door, scoring_plan, snapshot_plan
from .progress import Progress, Told
from .registry import RegisteredVersion, registry_of
from .run_lock import one_at_a_time
from .scores import partition_of, read_scores, write_notes, write_part
from .scoring_schema import checked_tables
from .workspace import Workspace

# Every instant at which something became known: the newest of them is the data's own clock.
_CLOCKS = {
    "leads": ("created_at",),
    "events": ("occurred_at", "recorded_at"),
    "outcomes": ("opened_at", "closed_at"),
    "feedback": ("decided_at",),
    "identities": ("linked_at",),
}


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


@one_at_a_time("score")
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
        Refuse columns that are missing or of another type than in training, and categories that
        training never saw, instead of taking them for empty or rare and noting it.

    Raises
    ------
    ModelNotFoundError
        Nothing was trained yet.
    SchemaMismatchError
        The data lacks tables that the model was trained on; or, where ``strict``, a column that
        it reads is missing or of another type, or holds categories that training never saw.
    """
    workspace = Workspace(config.workspace_directory)
    champion = registry_of(config).champion()
    with engine_of(config) as engine:
        door = open_door(config, engine, progress)
        moment = None if door.tables.is_flat else as_of or after_newest(engine, door.tables)
        checked = checked_tables(engine, door.tables, champion, strict=strict)
        tables = checked.tables
        with published_directory(workspace.features("scoring")) as features:
            with progress.stage("Computing features") as tell:
                counts = _compute(config, engine, tables, champion, moment, features, tell)
            partition = partition_of(workspace, moment)
            with progress.stage("Scoring"), published_directory(partition) as published:
                segments = LeadSegments(engine, tables, champion.decision.threshold.by)
                unseen, silent = _write_scores(
                    features / "parts", published, champion, segments, config.wording
                )
                if strict and unseen:
                    raise SchemaMismatchError(
                        "\n".join(unseen), hint="Train again, or score without --strict."
                    )
                notes = (
                    *checked.notes,
                    *_plan_notes(config, champion),
                    *_count_notes(counts),
                    *unseen,
                    *silent,
                )
                write_notes(notes, published)
    if csv is not None:
        with progress.stage("Writing CSV"):
            write_csv(read_scores(partition), csv)
    mql = read_scores(partition, columns=["mql"])["mql"]
    return Scored(
        partition, moment, len(mql), int(pc.sum(mql).as_py() or 0), champion.number, notes
    )


def after_newest(engine: DuckDBEngine, tables: CanonicalTables) -> datetime:
    """Return the midnight (UTC) after the newest instant that the data knows."""
    newest = " UNION ALL ".join(
        f"SELECT max({column}) AS moment FROM {tables.relation(table)}"
        for table, columns in _CLOCKS.items()
        for column in columns
        if tables.has(table, column)
    )
    ((microseconds,),) = engine.rows(f"SELECT epoch_us(max(moment)) FROM ({newest})")
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _compute(
    config: Config,
    engine: DuckDBEngine,
    tables: CanonicalTables,
    champion: RegisteredVersion,
    moment: datetime | None,
    features: Path,
    tell: Told,
) -> SnapshotCounts:
    """Place snapshots and compute features as the champion's training did."""
    kept = champion.decision.metadata["snapshots"]
    plan = replace(snapshot_plan(config), **{**kept, "at_age_days": tuple(kept["at_age_days"])})
    snapshots = features / "snapshots.parquet"
    counts = scoring_snapshots(engine, tables, plan, moment or datetime.now(UTC), snapshots)
    compute_features(
        engine,
        tables,
        snapshots,
        champion.decision.definition,
        features / "parts",
        store=Workspace(config.workspace_directory).events,
        tell=tell,
    )
    return counts


def _write_scores(
    parts: Path,
    published: Path,
    champion: RegisteredVersion,
    segments: LeadSegments,
    wording: Wording,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Decide part by part; return what training never saw and what is gone since, in words."""
    unseen: Counter[tuple[str, str]] = Counter()
    kinds = {
        feature.name: feature.subject
        for feature in feature_catalog(champion.decision.definition)
        if feature.statistic == "count" and feature.lookback_days is None
    }
    silent = set(kinds.values())
    written = 0
    for part in sorted(parts.glob("*.parquet")):
        frame = load_frame(part)
        unseen += _unseen(frame, champion)
        silent -= {kind for name, kind in kinds.items() if frame[name].any()}
        decided = champion.decision.decide(segments.beside(frame), wording)
        write_part(decided, written, champion.number, published)
        written += 1
    if not written:
        write_part(None, 0, champion.number, published)
    return _unseen_notes(unseen), _silent_notes(silent)


def _plan_notes(config: Config, champion: RegisteredVersion) -> tuple[str, ...]:
    kept, now = champion.decision.metadata["snapshots"], scoring_plan(config)
    changed = [name for name in now if now[name] != kept[name] and not _is_flat(champion)]
    return tuple(
        f"{name} is {now[name]} in the configuration but was {kept[name]} in training, which holds "
        "until the next `leadlight train`."
        for name in changed
    )


def _is_flat(champion: RegisteredVersion) -> bool:
    return champion.decision.metadata["horizon_days"] is None


def _count_notes(counts: SnapshotCounts) -> tuple[str, ...]:
    notes = []
    if counts.horizon_over_dropped:
        notes.append(
            f"{counts.horizon_over_dropped:,} leads are not scored: they reached the age at which "
            "leads are scored so long ago that their horizon is over."
        )
    if counts.labelled and counts.labelled == counts.rows:
        notes.append(
            f"All {counts.rows:,} rows have a known outcome, and most were in training: what they "
            "score is no forecast. Rows without a label would be scored alone."
        )
    elif counts.labelled:
        notes.append(f"{counts.labelled:,} rows have a known outcome and are not scored.")
    return tuple(notes)


def _silent_notes(silent: set[str]) -> tuple[str, ...]:
    """Say which kinds of event training knew and no lead of today ever had."""
    return tuple(
        f"no lead of today ever had an event of the kind {kind}, which training knew: has its "
        "source stopped?"
        for kind in sorted(silent)
    )


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
