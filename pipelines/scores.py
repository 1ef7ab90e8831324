"""Scores on disk: partitions by ``as_of``, each a folder of Parquet parts."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leadlight.features.errors import LeadNotFoundError

from .workspace import Workspace

UNDATED = "undated"
# Readers of Parquet folders pass over names that begin with an underscore.
NOTES_FILE = "_notes.json"
DECIDED = pa.schema(
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
        ("reason_ids_for", pa.list_(pa.string())),
        ("reason_points_for", pa.list_(pa.int64())),
        ("reasons_against", pa.list_(pa.string())),
        ("reason_ids_against", pa.list_(pa.string())),
        ("reason_points_against", pa.list_(pa.int64())),
    ]
)
"""What a decision version says of a lead: the first columns of a partition of scores."""

_SCHEMA = pa.schema(
    [
        *DECIDED,
        ("decision_version", pa.int64()),
        ("state", pa.string()),
        ("previous_state", pa.string()),
        ("state_since", pa.timestamp("us", tz="UTC")),
        ("state_reason", pa.string()),
        ("explored", pa.bool_()),
    ]
)
"""Columns of a partition of scores.

``mql`` says whether the lead meets the definition of an MQL by its score of this run; ``state``
where it stands in its life, and ``previous_state`` to ``explored`` are as in the status files (see
``leadlight.pipelines.status.STATUS``). All five are null in a flat table, which has no time.
"""


def partition_of(workspace: Workspace, as_of: datetime | None) -> Path:
    """Return the folder of the scores as of an instant (UTC), or of a flat table's."""
    return workspace.scores / f"as_of={instant_name(as_of) if as_of else UNDATED}"


def instant_name(as_of: datetime) -> str:
    """Return an instant (UTC) as a part of a folder's name."""
    return f"{as_of:%Y-%m-%dT%H-%M-%S}"


def instant_of(partition: Path) -> datetime:
    """Return the instant (UTC) that a partition of scores is as of."""
    text = partition.name.removeprefix("as_of=")
    return datetime.strptime(text, "%Y-%m-%dT%H-%M-%S").replace(tzinfo=UTC)


def write_part(decided: pd.DataFrame | None, number: int, version: int, folder: Path) -> None:
    """Write one part of a partition; None writes an empty one, so that a partition has a shape.

    Parameters
    ----------
    decided : DataFrame or None
        What ``DecisionVersion.decide`` gives.
    number : int
        Of the part.
    version : int
        Of the decision version that decided.
    folder : Path
        The partition.
    """
    table = _SCHEMA.empty_table()
    if decided is not None:
        rows = decided.assign(decision_version=version)
        table = pa.table([_column(rows, field) for field in _SCHEMA], schema=_SCHEMA)
    pq.write_table(table.replace_schema_metadata(None), folder / f"part-{number:05d}.parquet")


def decided_table(decided: pd.DataFrame) -> pa.Table:
    """Return what ``DecisionVersion.decide`` gives as a table with the columns ``DECIDED``."""
    return pa.table([_column(decided, field) for field in DECIDED], schema=DECIDED)


def _column(rows: pd.DataFrame, field: pa.Field) -> pa.Array:
    if field.name not in rows:
        return pa.nulls(len(rows), field.type)
    column = rows[field.name]
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert(None)
    return pa.array(column.to_numpy(), field.type, from_pandas=True)


def write_notes(notes: Sequence[str], folder: Path) -> None:
    """Keep beside a partition's rows what a person should know of the run that made them."""
    text = json.dumps({"notes": list(notes)}, indent=1, ensure_ascii=False)
    (folder / NOTES_FILE).write_text(text, encoding="utf-8")


def read_notes(partition: Path) -> tuple[str, ...]:
    """Read what a person should know of the run that made a partition."""
    path = partition / NOTES_FILE
    if not path.is_file():  # of an earlier leadlight
        return ()
    return tuple(json.loads(path.read_text(encoding="utf-8"))["notes"])


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
    ranked = read_scores(partition).sort_by(
        [("probability", "descending"), ("percentile", "descending"), ("lead_id", "ascending")]
    )
    rows: list[Mapping[str, Any]] = ranked.slice(0, count).to_pylist()
    return rows
