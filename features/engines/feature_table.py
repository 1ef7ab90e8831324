"""The feature table: the kernel fed with whole accounts, one bucket of them at a time."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from leadlight.features.definition import FeatureDefinition
from leadlight.features.profile import profile_sql
from leadlight.features.publication import published_directory
from leadlight.features.sql import literal, parquet
from leadlight.features.tables import CanonicalTables

from .account_bucket import AccountBucket
from .duckdb import DuckDBEngine
from .event_filing import EVENTS_PER_BUCKET, MEMBERS, NAMES, event_store, held
from .event_kinds import kernel_codes
from .event_names import leads_sql, members_sql, owners_sql
from .event_store import EventStore
from .feature_inputs import require_inputs
from .feature_parts import FeaturePart, Tell, write_parts
from .milestone_stream import milestones_sql
from .profile_lookups import profile_lookups

LEADS_PER_BUCKET = 50_000

_STAGING, _RESTING = 0.4, 0.05
"""Shares of the memory limit that DuckDB may use: while it works, and while the kernel does."""

_LEADS = "feature_table_leads"


def compute_features(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    snapshots: Path,
    definition: FeatureDefinition,
    output: Path,
    *,
    store: Path | None = None,
    processes: int | None = None,
    tell: Tell | None = None,
    events_per_bucket: int = EVENTS_PER_BUCKET,
    leads_per_bucket: int = LEADS_PER_BUCKET,
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
    store : Path, optional
        Folder that is kept between runs: the events in buckets, so that the next run reads and
        joins new events only, and the finished parts of a run that did not end, which the same
        computation takes up again. Default: nothing is kept.
    processes : int, optional
        Default: one for each core.
    tell : callable, optional
        Told how many parts are finished, and of how many.
    events_per_bucket, leads_per_bucket : int
        How many a part is meant to hold; a single account is never split.

    Raises
    ------
    SchemaMismatchError
        A column of the definition is missing in the tables, or of another type.
    WorkspaceError
        The disk is full or not writable.
    """
    require_inputs(engine, tables, definition)
    source = parquet(snapshots)
    with ExitStack() as stack:
        scratch = stack.enter_context(engine.scratch())
        folder = store if store is not None else scratch / "store"
        folder.mkdir(parents=True, exist_ok=True)
        stack.enter_context(held(folder))
        with (
            engine.limited(_STAGING),
            _events(
                engine, tables, definition, source, folder, events_per_bucket, leads_per_bucket
            ) as events,
        ):
            _stage(engine, tables, definition, source, scratch)
        unfinished = scratch / "parts"
        if store is not None:
            unfinished = _unfinished(folder, _content(tables, snapshots, definition, events))
        unfinished.mkdir(parents=True, exist_ok=True)
        parts = _parts(scratch, events, definition, unfinished, 2 * events_per_bucket)
        with engine.limited(_RESTING):
            write_parts(list(parts), processes=processes, tell=tell)
        return _published(unfinished, output)


@contextmanager
def _events(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    definition: FeatureDefinition,
    source: str,
    folder: Path,
    events_per_bucket: int,
    leads_per_bucket: int,
) -> Iterator[EventStore]:
    """Hold the event store, and the leads that matter; without kinds of event, an empty one."""
    leads = pq.read_metadata(tables.path("leads")).num_rows
    buckets = max(1, -(-leads // leads_per_bucket))
    whole = bool(definition.account)
    with ExitStack() as stack:
        if definition.event_kinds:
            events = stack.enter_context(
                event_store(
                    engine,
                    tables,
                    definition.page_rules,
                    source,
                    folder,
                    events_per_bucket=events_per_bucket,
                    buckets_at_least=buckets,
                )
            )
        else:
            events = EventStore(folder, buckets)
            stack.enter_context(
                engine.temporary_table(MEMBERS, members_sql(tables, source, buckets))
            )
        stack.enter_context(
            engine.temporary_table(_LEADS, leads_sql(MEMBERS, whole_accounts=whole))
        )
        yield events


def _stage(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    definition: FeatureDefinition,
    source: str,
    scratch: Path,
) -> None:
    """Lay down bucket by bucket what the kernel needs beside the events."""
    profile = profile_sql(tables, definition, source, _LEADS)
    with profile_lookups(engine, tables, definition.profile):
        _lay_down(engine, profile, scratch / "snapshots", "_bucket")
        if not any((scratch / "snapshots").glob("*/*.parquet")):
            none = f"SELECT * EXCLUDE (_bucket) FROM ({profile}) LIMIT 0"
            engine.write_parquet(none, scratch / "snapshots" / "_bucket=0" / "none.parquet")
    milestones = milestones_sql(tables, definition, _LEADS)
    if milestones:
        _lay_down(engine, milestones, scratch / "milestones")
    if definition.event_kinds:
        _lay_down(engine, owners_sql(tables, _LEADS, NAMES), scratch / "owners")


def _lay_down(engine: DuckDBEngine, sql: str, folder: Path, by: str = "bucket") -> None:
    engine.execute(
        f"COPY ({sql}) TO {literal(str(folder))}"
        f" (FORMAT parquet, PARTITION_BY ({by}), COMPRESSION lz4)"
    )


def _parts(
    scratch: Path,
    events: EventStore,
    definition: FeatureDefinition,
    folder: Path,
    events_at_once: int,
) -> Iterator[FeaturePart]:
    kinds = kernel_codes(events.kinds, definition)
    for number in range(events.buckets):
        bucket = AccountBucket(
            snapshot_folder=scratch / "snapshots" / f"_bucket={number}",
            milestone_folder=scratch / "milestones" / f"bucket={number}",
            owner_folder=scratch / "owners" / f"bucket={number}",
            event_files=events.bucket(number),
            kinds=kinds,
        )
        if bucket.snapshot_folder.exists():
            yield FeaturePart(
                bucket, definition, folder / f"part-{number:05d}.parquet", events_at_once
            )


def _content(
    tables: CanonicalTables,
    snapshots: Path,
    definition: FeatureDefinition,
    events: EventStore,
) -> str:
    """Return a name for all that the parts depend on: data, definition and code."""
    digest = hashlib.sha256(json.dumps([definition.to_dict(), events.identity]).encode())
    others = [tables.path(table) for table in sorted(tables.columns) if table != "events"]
    code = sorted(Path(__file__).resolve().parents[1].rglob("*.py"))
    for path in (snapshots, *others, *code):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _unfinished(store: Path, content: str) -> Path:
    """Return where parts wait for the others; those of other computations are removed."""
    folder = store / "unfinished"
    for earlier in folder.glob("*"):
        if earlier.name != content:
            shutil.rmtree(earlier, ignore_errors=True)
    return folder / content


def _published(unfinished: Path, output: Path) -> int:
    """Put the finished parts in place; return their rows."""
    parts = sorted(unfinished.glob("part-*.parquet"))
    rows: int = sum(pq.read_metadata(part).num_rows for part in parts)
    with published_directory(output) as folder:
        for part in parts:
            shutil.move(part, folder / part.name)
    shutil.rmtree(unfinished, ignore_errors=True)
    return rows
