"""Filing: events laid down in buckets of whole accounts, and kept from one run to the next.

A store holds each event of a known name once, by the name's code, beside the other events of the
account's bucket. Files of events that are new or changed are filed to it; names that are new, or
that moved to another account, get a new code, and their earlier events are filed again. So a store
that has grown day by day holds what one made from nothing holds, and the old events are neither
joined nor laid down again.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from filelock import FileLock

from leadlight.features.sql import literal, parquet, parquet_files
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import PageRule

from .duckdb import DuckDBEngine
from .event_kinds import codes_sql, event_kinds, listed_kinds
from .event_names import members_sql, names_sql
from .event_store import EventStore, StoredFile, StoredPart
from .event_stream import filed_sql

MEMBERS, NAMES = "event_store_members", "event_store_names"

EVENTS_PER_BUCKET = 500_000
"""A bucket of this size needs some two hundred megabytes when its features are computed. Its size
does not follow from the memory limit, so that the same input gives the same parts on any machine.
"""

_FORMAT = 1
_MANY_RUNS = 30
_MANY_PARTS = 30
_NEWEST = 2
_MANY_MOVED = 0.3
_KINDS, _CODES, _MOVED = "event_store_kinds", "event_store_kind_codes", "event_store_moved"


def held(folder: Path) -> FileLock:
    """Return the lock of a store, which its holder may take again; others wait."""
    return FileLock(folder / "lock", is_singleton=True)


@contextmanager
def event_store(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    rules: Sequence[PageRule],
    snapshots: str,
    folder: Path,
    *,
    events_per_bucket: int = EVENTS_PER_BUCKET,
    buckets_at_least: int = 1,
) -> Iterator[EventStore]:
    """Bring a store up to date, and hold it until the end of the block.

    The tables ``MEMBERS`` (as ``members_sql`` describes it) and ``NAMES`` (``name, of_account,
    bucket, code``) last as long. Another run that wants the same store waits.

    Parameters
    ----------
    rules : sequence of PageRule
    snapshots : str
        Relation of the snapshots.
    folder : Path
        Made where there is none. What it holds is taken if it was filed by the same rules from
        files that are still there, unchanged; else it is made from nothing.
    events_per_bucket : int
        How many a bucket is meant to hold; a single account is never split.
    buckets_at_least : int
        For leads that have few events.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder):
        key = _key(tables, rules)
        kept = EventStore.load(folder, key)
        rows = sum(pq.read_metadata(path).num_rows for path in tables.parts("events"))
        buckets = max(buckets_at_least, -(-rows // events_per_bucket))
        filing = _Filing(engine, tables, rules, snapshots, key)
        if kept and kept.buckets <= 2 * buckets <= 4 * kept.buckets:
            with filing.named(kept) as new:
                if new <= _MANY_MOVED * kept.codes:
                    yield filing.grown(kept)
                    return
        fresh = _emptied(folder, buckets)
        with filing.named(fresh):
            yield filing.grown(fresh)


@dataclass(frozen=True)
class _Filing:
    """Files events to a store."""

    engine: DuckDBEngine
    tables: CanonicalTables
    rules: Sequence[PageRule]
    snapshots: str
    key: str

    @contextmanager
    def named(self, store: EventStore) -> Iterator[int]:
        """Give each name of each bucket its code, the kept one if it has one; count the new."""
        kept = store.names_file
        known = "SELECT '' AS name, FALSE AS of_account, 0 AS bucket, 0::BIGINT AS code LIMIT 0"
        if kept.exists():
            known = f"SELECT * FROM {parquet(kept)}"
        names = names_sql(self.tables, MEMBERS)
        order = "PARTITION BY code IS NULL ORDER BY bucket, of_account, name"
        coded = f"""
            SELECT name, of_account, bucket,
                coalesce(code, {store.codes} - 1 + row_number() OVER ({order})) AS code
            FROM ({names}) LEFT JOIN ({known}) USING (name, of_account, bucket)
        """
        members = members_sql(self.tables, self.snapshots, store.buckets)
        with (
            self.engine.temporary_table(MEMBERS, members),
            self.engine.temporary_table(NAMES, coded),
        ):
            new = f"SELECT count(*) FROM {NAMES} WHERE code >= {store.codes}"
            yield int(self.engine.rows(new)[0][0])

    def grown(self, store: EventStore) -> EventStore:
        """File what is new or changed, and the earlier events of new names; forget what is gone."""
        _remove_unfinished(store)
        ((names, codes),) = self.engine.rows(f"SELECT count(*), max(code) + 1 FROM {NAMES}")
        new_names = f"(SELECT * FROM {NAMES} WHERE code >= {store.codes})"
        grown = replace(store, parts=(), names=names, codes=max(codes or 0, store.codes))
        paths = {path.name: path for path in self.tables.parts("events")}
        for part in _parts(store, list(paths.values())):
            events = parquet_files([paths[file.name] for file in part.files])
            if not part.runs:
                grown = self._file(grown, part, events, NAMES)
            elif grown.codes > store.codes:
                with self.engine.temporary_table(_MOVED, self._events_of(new_names, events)):
                    grown = self._file(grown, part, _MOVED, new_names)
            else:
                grown = replace(grown, parts=(*grown.parts, part))
        if replace(grown, filed=store.filed) == store:
            return grown
        # All names are among those kept if none is new, and are the same if as many.
        grown = replace(grown, version=store.version + 1)
        self.engine.write_parquet(
            f"SELECT * FROM {NAMES} ORDER BY bucket, of_account, name", grown.names_file
        )
        grown.save(self.key)
        store.names_file.unlink(missing_ok=True)
        _remove_unfinished(grown)
        return grown

    def _events_of(self, names: str, events: str) -> str:
        found = []
        if self.tables.has("events", "lead_id"):
            listed = f"SELECT name FROM {names} WHERE NOT of_account"
            found.append(f"e.lead_id IN ({listed})")
        if self.tables.has("events", "account_id"):
            nobody = "e.lead_id IS NULL AND " if self.tables.has("events", "lead_id") else ""
            listed = f"SELECT name FROM {names} WHERE of_account"
            found.append(f"{nobody}e.account_id IN ({listed})")
        return " UNION ALL ".join(f"SELECT e.* FROM {events} e WHERE {each}" for each in found)

    def _file(self, store: EventStore, part: StoredPart, events: str, names: str) -> EventStore:
        ((rows,),) = self.engine.rows(f"SELECT count(*) FROM {events}")
        if not rows and part.runs:
            return replace(store, parts=(*store.parts, part))
        with event_kinds(self.engine, self.tables, self.rules, events, name=_KINDS) as page_types:
            found = listed_kinds(self.engine, _KINDS)
            kinds = (*store.kinds, *(kind for kind in found if kind not in store.kinds))
            with self.engine.temporary_table(_CODES, codes_sql(kinds)):
                coded = f"(SELECT * FROM {_KINDS} JOIN {_CODES} USING (event_type, kind))"
                filed = filed_sql(self.tables, page_types, events, names=names, kinds=coded)
                store.home(part).mkdir(parents=True, exist_ok=True)
                self.engine.execute(
                    f"COPY ({filed}) TO {literal(str(store.home(part)))} (FORMAT parquet,"
                    " PARTITION_BY (bucket), COMPRESSION lz4, OVERWRITE_OR_IGNORE,"
                    f" FILENAME_PATTERN 'run-{part.runs:05d}-{{i}}')"
                )
        part = replace(part, runs=part.runs + 1)
        return replace(store, kinds=kinds, parts=(*store.parts, part), filed=store.filed + rows)


def _parts(store: EventStore, paths: Sequence[Path]) -> tuple[StoredPart, ...]:
    """Return the parts that are still true, and new ones for all other files.

    The last files, those of the newest months, are parts of their own: they are what changes.
    """
    known = {file.name: file for file in store.files}
    files = [StoredFile.of(path, known.get(path.name)) for path in paths]
    now = {file.content: file for file in files}
    kept = [
        replace(part, files=tuple(now[file.content] for file in part.files))
        for part in store.parts
        if part.runs < _MANY_RUNS and all(file.content in now for file in part.files)
    ]
    if len(kept) >= _MANY_PARTS:
        kept = []
    held = {file.content for part in kept for file in part.files}
    new = [file for file in files if file.content not in held]
    groups = [new[:-_NEWEST], *([file] for file in new[-_NEWEST:])]
    number = max((part.number for part in store.parts), default=-1) + 1
    fresh = [StoredPart(tuple(group), number + at) for at, group in enumerate(filter(None, groups))]
    return tuple(sorted((*kept, *fresh), key=lambda part: part.files[0].name))


def _emptied(folder: Path, buckets: int) -> EventStore:
    (folder / "store.json").unlink(missing_ok=True)
    shutil.rmtree(folder / "events", ignore_errors=True)
    for names in folder.glob("names-*.parquet"):
        names.unlink()
    return EventStore(folder, buckets)


def _key(tables: CanonicalTables, rules: Sequence[PageRule]) -> str:
    """Return what the kept events depend on beside the events; DuckDB's hashes are its own."""
    columns = sorted(tables.columns["events"])
    return json.dumps([_FORMAT, duckdb.__version__, columns, [asdict(rule) for rule in rules]])


def _remove_unfinished(store: EventStore) -> None:
    """Remove what is not held: of a run that did not end, of parts that are gone."""
    runs = {str(part.number): part.runs for part in store.parts}
    for folder in store.folder.glob("events/*"):
        if folder.name not in runs:
            shutil.rmtree(folder)
            continue
        for path in folder.glob("*/*"):
            number = path.name.removeprefix("run-")[:5]
            if not number.isdigit() or int(number) >= runs[folder.name]:
                path.unlink()
