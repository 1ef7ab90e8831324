"""The feature table: the kernel fed with whole accounts, one bucket of them at a time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadlight.features.catalog import KEYS, Feature, feature_catalog
from leadlight.features.definition import FeatureDefinition
from leadlight.features.errors import SchemaMismatchError
from leadlight.features.kernel import Behaviour, Events, Instants, behaviour
from leadlight.features.profile import changed_columns, profile_sql, types_sql
from leadlight.features.publication import published_directory
from leadlight.features.sql import identifier, literal, parquet, parquet_parts
from leadlight.features.tables import CanonicalTables

from .duckdb import DuckDBEngine
from .event_kinds import KINDS, event_kinds
from .event_stream import counted_kinds_sql, events_sql, leads_sql, stream_sql

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
    catalog = feature_catalog(definition)
    source = parquet(snapshots)
    has_events = bool(definition.event_kinds) and tables.has("events")
    sizes = [engine.rows(f"SELECT count(*) FROM {source}")[0][0] / snapshots_per_bucket]
    if has_events:
        events = engine.rows(f"SELECT count(*) FROM {events_sql(tables)}")[0][0]
        sizes.append(events / events_per_bucket)
    buckets = max(1, *(int(np.ceil(size)) for size in sizes))
    rows = 0
    with (
        published_directory(output) as folder,
        engine.scratch() as scratch,
        engine.temporary_table(_LEADS, leads_sql(source, buckets)),
    ):
        staged = _stage(engine, tables, definition, scratch) if has_events else scratch
        for bucket in range(buckets):
            frame = engine.table(profile_sql(tables, definition, source, _LEADS, bucket))
            seen = _behaviour(engine, frame, definition, staged / f"bucket={bucket}")
            part = _assemble(frame, seen, catalog, definition)
            pq.write_table(part, folder / f"part-{bucket:05d}.parquet", compression="zstd")
            rows += part.num_rows
    return rows


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
    engine: DuckDBEngine, tables: CanonicalTables, definition: FeatureDefinition, scratch: Path
) -> Path:
    """Read and join the events once, and lay them down bucket by bucket."""
    folder = scratch / "events"
    with event_kinds(engine, tables, definition.page_rules) as page_types:
        kinds = _coded(counted_kinds_sql(KINDS, definition.excluded_kinds), definition.event_kinds)
        stream = stream_sql(tables, page_types, leads=_LEADS, kinds=f"({kinds})")
        engine.execute(
            f"COPY ({stream}) TO {literal(str(folder))}"
            " (FORMAT parquet, PARTITION_BY (bucket), COMPRESSION lz4)"
        )
    return folder


def _coded(kinds: str, names: Sequence[str]) -> str:
    """Return the kinds as numbers: those with features of their own first, all others the same."""
    listed = "[" + ", ".join(literal(name) for name in names) + "]::VARCHAR[]"
    code = f"coalesce(list_position({listed}, kind) - 1, {len(names)})"
    return f"SELECT event_type, address, CAST({code} AS SMALLINT) AS kind FROM ({kinds})"


def _behaviour(
    engine: DuckDBEngine, frame: pa.Table, definition: FeatureDefinition, staged: Path
) -> Behaviour | None:
    if not definition.event_kinds:
        return None
    columns = ("code", "occurred_at", "known_at", "kind")
    arrays = [np.empty(0, np.int64)] * len(columns)
    if staged.exists():  # an account bucket without a single event has no file
        parts = parquet_parts(staged)
        found = engine.table(f"SELECT {', '.join(columns)} FROM {parts}")
        arrays = [found[name].to_numpy().astype(np.int64, copy=False) for name in columns]
    return behaviour(
        Events(*arrays),
        Instants(frame["code"].to_numpy(), frame["as_of_us"].to_numpy()),
        n_kinds=len(definition.event_kinds),
        lookback_days=definition.lookback_days,
    )


def _assemble(
    frame: pa.Table,
    seen: Behaviour | None,
    catalog: Sequence[Feature],
    definition: FeatureDefinition,
) -> pa.Table:
    columns = {name: frame[name] for name in KEYS}
    for feature in catalog:
        if seen is not None and (values := _values(seen, feature, definition)) is not None:
            columns[feature.name] = pa.array(np.ascontiguousarray(values))
        else:
            columns[feature.name] = frame[feature.name]
    return pa.table(columns)


def _values(
    seen: Behaviour, feature: Feature, definition: FeatureDefinition
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]] | None:
    """Return the kernel's column for a feature of behaviour; None for any other."""
    windows = (*definition.lookback_days, None)
    window = windows.index(feature.lookback_days)
    match feature.statistic:
        case "total":
            return seen.totals[:, window]
        case "active_days":
            return seen.active_days[:, window]
        case "days_since_last" if not feature.subject:
            return seen.days_since_any
        case "days_since_last":
            return seen.days_since_last[:, definition.event_kinds.index(feature.subject)]
        case "count":
            return seen.counts[:, definition.event_kinds.index(feature.subject), window]
        case _:
            return None
