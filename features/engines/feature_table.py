"""The feature table: the kernel fed with whole accounts, one bucket of them at a time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from leadlight.features.definition import FeatureDefinition
from leadlight.features.errors import SchemaMismatchError
from leadlight.features.profile import changed_columns, profile_sql, types_sql
from leadlight.features.publication import published_directory
from leadlight.features.sql import identifier, literal, parquet
from leadlight.features.tables import CanonicalTables

from .account_bucket import AccountBucket, bucket_features
from .duckdb import DuckDBEngine
from .event_kinds import KINDS, event_kinds
from .event_stream import counted_kinds_sql, events_sql, leads_sql, stream_sql
from .milestone_stream import milestones_sql

# A bucket of this size needs some hundred megabytes. Its size does not follow from the memory
# limit, so that the same input is written as the same parts on any machine.
EVENTS_PER_BUCKET = 2_000_000
SNAPSHOTS_PER_BUCKET = 300_000

_LEADS = "feature_table_leads"


def compute_features(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    snapshots: Path,
    definition: FeatureDefinition,
    output: Path,
    *,
    events_per_bucket: int = EVENTS_PER_BUCKET,
    snapshots_per_bucket: int = SNAPSHOTS_PER_BUCKET,
) -> int:
    """Write the features of each snapshot as it was at its ``as_of``; return the number of rows.

    Parameters
    ----------
    snapshots : Path
        Parquet with ``lead_id``, ``account_id``, ``as_of``, ``label``, ``position``.
    definition : FeatureDefinition
    output : Path
        Folder of ``part-00000.parquet`` ..., all or nothing; one that exists is replaced. Each part
        holds whole accounts, ordered by ``as_of``, ``position``, ``lead_id``. Columns: the five of
        the snapshots, then the features in the catalog's order. Counts are int32, other numbers
        double (NaN: missing), categories text (null: missing).
    events_per_bucket, snapshots_per_bucket : int
        How many a part is meant to hold; a single account is never split.

    Raises
    ------
    SchemaMismatchError
        A column of the definition is missing in the tables, or of another type.
    WorkspaceError
        The disk is full or not writable.
    """
    _require_columns(engine, tables, definition)
    source = parquet(snapshots)
    buckets = _buckets(engine, tables, definition, source, events_per_bucket, snapshots_per_bucket)
    whole = bool(definition.account)
    rows = 0
    with (
        published_directory(output) as folder,
        engine.scratch() as scratch,
        engine.temporary_table(_LEADS, leads_sql(tables, source, buckets, whole_accounts=whole)),
    ):
        _stage(engine, tables, definition, source, scratch)
        for bucket in range(buckets):
            staged = AccountBucket.of(scratch, bucket)
            if not staged.snapshots.exists():
                continue
            part = bucket_features(staged, definition, events_at_once=2 * events_per_bucket)
            pq.write_table(part, folder / f"part-{bucket:05d}.parquet", compression="zstd")
            rows += part.num_rows
    return rows


def _buckets(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    definition: FeatureDefinition,
    source: str,
    events_per_bucket: int,
    snapshots_per_bucket: int,
) -> int:
    sizes = [engine.rows(f"SELECT count(*) FROM {source}")[0][0] / snapshots_per_bucket]
    if definition.event_kinds:
        events = engine.rows(f"SELECT count(*) FROM {events_sql(tables)}")[0][0]
        sizes.append(events / events_per_bucket)
    return max(1, *(int(np.ceil(size)) for size in sizes))


def _require_columns(
    engine: DuckDBEngine, tables: CanonicalTables, definition: FeatureDefinition
) -> None:
    """Refuse columns that are gone or of another type; an empty column has no type to change."""
    _require_inputs(tables, definition)
    used = sorted({column.table for column in definition.profile if tables.has(column.table)})
    types = {table: dict(engine.rows(types_sql(tables, table))) for table in used}
    for column in changed_columns(definition, types):
        path = parquet(tables.path(column.table))
        name = identifier(column.column)
        found = engine.rows(
            f"SELECT any_value({name})::VARCHAR FROM {path} WHERE {name} IS NOT NULL"
        )[0][0]
        if found is not None:
            was, now = ("numbers", "text") if column.kind == "numeric" else ("text", "numbers")
            raise SchemaMismatchError(
                f"{column.table}: column {column.column!r} held {was} when the model was trained"
                f" and now holds {now}, for example {found[:40]!r}",
                hint="Correct the source, or train a new model.",
            )


def _require_inputs(tables: CanonicalTables, definition: FeatureDefinition) -> None:
    """Refuse to take a table that is no longer there for leads that did nothing."""
    from_accounts = any(column.table == "accounts" for column in definition.profile)
    endings = tuple(f"_{rule.kind}" for rule in definition.page_rules)
    has_pages = any(kind.endswith(endings) for kind in definition.event_kinds)
    for needed, present, what in (
        (definition.event_kinds, tables.has("events"), "the table events"),
        (has_pages, tables.has("events", "detail"), "the column events.detail (pages by address)"),
        (definition.has_age, tables.has("leads", "created_at"), "the column leads.created_at"),
        (from_accounts, tables.has("accounts"), "the table accounts"),
        (from_accounts, tables.has("leads", "account_id"), "the column leads.account_id"),
    ):
        if needed and not present:
            raise SchemaMismatchError(
                f"the model was trained with {what}, and the sources no longer have it",
                hint="Map it again under sources, or train a new model without it.",
            )


def _stage(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    definition: FeatureDefinition,
    source: str,
    scratch: Path,
) -> None:
    """Read and join each table once, and lay it down bucket by bucket."""
    _lay_down(
        engine, profile_sql(tables, definition, source, _LEADS), scratch / "snapshots", "_bucket"
    )
    milestones = milestones_sql(tables, definition, _LEADS)
    if milestones:
        _lay_down(engine, milestones, scratch / "milestones")
    if not definition.event_kinds:
        return
    with event_kinds(engine, tables, definition.page_rules) as page_types:
        kinds = counted_kinds_sql(KINDS, definition.excluded_kinds)
        coded = _coded(kinds, definition.event_kinds, page_types)
        stream = stream_sql(
            tables,
            page_types,
            leads=_LEADS,
            kinds=f"({coded})",
            details=bool(definition.details_of),
            values=bool(definition.values_of),
        )
        _lay_down(engine, stream, scratch / "events")


def _lay_down(engine: DuckDBEngine, sql: str, folder: Path, by: str = "bucket") -> None:
    engine.execute(
        f"COPY ({sql}) TO {literal(str(folder))}"
        f" (FORMAT parquet, PARTITION_BY ({by}), COMPRESSION lz4)"
    )


def _coded(kinds: str, names: Sequence[str], page_types: Sequence[str]) -> str:
    """Return the kinds as numbers: those with features of their own, other pages, all others."""
    listed = "[" + ", ".join(literal(name) for name in names) + "]::VARCHAR[]"
    pages = ", ".join(literal(name) for name in page_types) or "NULL"
    other = f"CASE WHEN event_type IN ({pages}) THEN {len(names)} ELSE {len(names) + 1} END"
    code = f"coalesce(list_position({listed}, kind) - 1, {other})"
    return f"SELECT event_type, address, CAST({code} AS SMALLINT) AS kind FROM ({kinds})"
