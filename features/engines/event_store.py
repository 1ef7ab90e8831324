"""The event store: events in buckets of whole accounts, kept from one run to the next.

A store holds each event of a known name once, by the name's code, beside the other events of the
account's bucket. New files of events are filed to it; names that are new, or that moved to another
account, get a new code, and their earlier events are filed again. So a store that has grown day by
day holds what one made from nothing holds, and the old events are neither joined nor sorted again.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import duckdb
from filelock import FileLock

from leadlight.features.publication import published_file
from leadlight.features.sql import file_literal, literal, parquet
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import PageRule

from .duckdb import DuckDBEngine
from .event_kinds import EventKind, event_kinds, listed_kinds
from .event_names import members_sql, names_sql
from .event_stream import filed_sql
from .stored_parts import StoredPart

MEMBERS, NAMES = "event_store_members", "event_store_names"

EVENTS_PER_BUCKET = 500_000
"""A bucket of this size needs some two hundred megabytes when its features are computed. Its size
does not follow from the memory limit, so that the same input gives the same parts on any machine.
"""

_FORMAT = 1
_MANY_RUNS = 60
_MANY_MOVED = 0.3
_KINDS, _CODES, _MOVED = "event_store_kinds", "event_store_kind_codes", "event_store_moved"


@dataclass(frozen=True)
class EventStore:
    """What a store holds.

    Attributes
    ----------
    folder : Path
        ``events/bucket=7/run-00000-0.parquet`` and so on, with the columns of ``filed_sql``.
    buckets : int
    kinds : tuple of EventKind
        By code.
    parts : tuple of StoredPart
        The files of events that are filed.
    runs : int
        Times that something was filed.
    codes : int
        Codes of names given so far.
    filed : int
        Events that were read and filed to bring the store to this state, not those it held.
    """

    folder: Path
    buckets: int
    kinds: tuple[EventKind, ...] = ()
    parts: tuple[StoredPart, ...] = ()
    runs: int = 0
    codes: int = 0
    filed: int = 0

    def files(self, bucket: int) -> tuple[Path, ...]:
        """Return the files of a bucket, in order."""
        return tuple(sorted((self.folder / "events" / f"bucket={bucket}").glob("*.parquet")))

    @property
    def relation(self) -> str:
        """All kept events, for SQL; the bucket is a column."""
        files = [str(path) for bucket in range(self.buckets) for path in self.files(bucket)]
        if not files:
            return (
                "(SELECT 0 AS bucket, 0::BIGINT AS name, 0::BIGINT AS occurred_at,"
                " 0::BIGINT AS known_at, 0::SMALLINT AS kind, 0::BIGINT AS detail,"
                " 0::DOUBLE AS value LIMIT 0)"
            )
        listed = ", ".join(file_literal(Path(file)) for file in files)
        return f"read_parquet([{listed}], hive_partitioning = true)"

    @property
    def identity(self) -> str:
        """What tells the content of one store from another's, as text."""
        return json.dumps([self.buckets, *(part.digest for part in self.parts)])

    def save(self, key: str) -> None:
        """Write down what the store holds: from here on, it holds it."""
        data = asdict(self) | {"key": key}
        del data["folder"], data["filed"]
        with published_file(self.folder / "store.json") as path:
            path.write_text(json.dumps(data))

    @classmethod
    def load(cls, folder: Path, key: str) -> Self | None:
        """Return what a folder holds; None where it is not a store made under this key."""
        try:
            data: dict[str, Any] = json.loads((folder / "store.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if data.pop("key") != key:
            return None
        data["kinds"] = tuple(EventKind(**each) for each in data["kinds"])
        data["parts"] = tuple(StoredPart(**each) for each in data["parts"])
        return cls(folder=folder, **data)


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
    with FileLock(folder / "lock"):
        key = _key(tables, rules)
        kept = EventStore.load(folder, key)
        parts = _parts(tables, kept)
        buckets = _buckets(parts, events_per_bucket, buckets_at_least)
        filing = _Filing(engine, tables, rules, snapshots, key)
        if kept and _can_grow(kept, parts, buckets):
            with filing.named(kept) as moved:
                if moved <= _MANY_MOVED * kept.codes:
                    yield filing.grown(kept, parts)
                    return
        fresh = _emptied(folder, buckets)
        with filing.named(fresh):
            yield filing.grown(fresh, parts)


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
        kept = _names_file(store)
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

    def grown(self, store: EventStore, parts: tuple[StoredPart, ...]) -> EventStore:
        """File the new parts, and the earlier events of new names."""
        _remove_unfinished(store)
        held = {part.content for part in store.parts}
        old = [self._path(part) for part in parts if part.content in held]
        new = [self._path(part) for part in parts if part.content not in held]
        codes = self.engine.rows(f"SELECT coalesce(max(code) + 1, 0) FROM {NAMES}")[0][0]
        grown = store
        if old and codes > store.codes:
            names = f"(SELECT * FROM {NAMES} WHERE code >= {store.codes})"
            with self.engine.temporary_table(_MOVED, self._events_of(names, _relation(old))):
                grown = self._file(grown, _MOVED, names)
        if new:
            grown = self._file(grown, _relation(new), NAMES)
        if grown.runs == store.runs and codes <= store.codes:
            return replace(store, parts=parts)
        grown = replace(grown, parts=parts, codes=max(codes, store.codes))
        self.engine.write_parquet(
            f"SELECT * FROM {NAMES} ORDER BY bucket, of_account, name", _names_file(grown)
        )
        grown.save(self.key)
        if _names_file(store) != _names_file(grown):
            _names_file(store).unlink(missing_ok=True)
        return grown

    def _path(self, part: StoredPart) -> Path:
        return next(path for path in self.tables.parts("events") if path.name == part.name)

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

    def _file(self, store: EventStore, events: str, names: str) -> EventStore:
        with event_kinds(self.engine, self.tables, self.rules, events, name=_KINDS) as page_types:
            found = listed_kinds(self.engine, _KINDS)
            kinds = (*store.kinds, *(kind for kind in found if kind not in store.kinds))
            with self.engine.temporary_table(_CODES, _codes_sql(kinds)):
                coded = f"(SELECT * FROM {_KINDS} JOIN {_CODES} USING (event_type, kind))"
                filed = filed_sql(self.tables, page_types, events, names=names, kinds=coded)
                self.engine.execute(
                    f"COPY ({filed}) TO {literal(str(store.folder / 'events'))} (FORMAT parquet,"
                    " PARTITION_BY (bucket), COMPRESSION lz4, OVERWRITE_OR_IGNORE,"
                    f" FILENAME_PATTERN 'run-{store.runs:05d}-{{i}}')"
                )
        ((rows,),) = self.engine.rows(f"SELECT count(*) FROM {events}")
        return replace(store, kinds=kinds, runs=store.runs + 1, filed=store.filed + rows)


def _codes_sql(kinds: Sequence[EventKind]) -> str:
    rows = ", ".join(
        f"({literal(kind.event_type)}, {literal(kind.kind)}, {code}::SMALLINT)"
        for code, kind in enumerate(kinds)
    )
    if not rows:
        return "SELECT '' AS event_type, '' AS kind, 0::SMALLINT AS code LIMIT 0"
    return f"SELECT * FROM (VALUES {rows}) AS listed(event_type, kind, code)"


def _emptied(folder: Path, buckets: int) -> EventStore:
    (folder / "store.json").unlink(missing_ok=True)
    shutil.rmtree(folder / "events", ignore_errors=True)
    for names in folder.glob("names-*.parquet"):
        names.unlink()
    return EventStore(folder, buckets)


def _relation(paths: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(file_literal(path) for path in paths)}])"


def _names_file(store: EventStore) -> Path:
    return store.folder / f"names-{store.runs:05d}-{store.codes}.parquet"


def _key(tables: CanonicalTables, rules: Sequence[PageRule]) -> str:
    """Return what the kept events depend on beside the events; DuckDB's hashes are its own."""
    columns = sorted(tables.columns["events"])
    return json.dumps([_FORMAT, duckdb.__version__, columns, [asdict(rule) for rule in rules]])


def _parts(tables: CanonicalTables, kept: EventStore | None) -> tuple[StoredPart, ...]:
    known = {part.name: part for part in kept.parts} if kept else {}
    return tuple(StoredPart.of(path, known) for path in tables.parts("events"))


def _buckets(parts: Sequence[StoredPart], events_per_bucket: int, at_least: int) -> int:
    return max(at_least, -(-sum(part.rows for part in parts) // events_per_bucket))


def _can_grow(kept: EventStore, parts: Sequence[StoredPart], buckets: int) -> bool:
    """Whether all that is kept is still true, and its buckets of a good size."""
    still = {part.content for part in parts}
    fits = kept.buckets <= 2 * buckets <= 4 * kept.buckets
    return kept.runs < _MANY_RUNS and fits and all(part.content in still for part in kept.parts)


def _remove_unfinished(store: EventStore) -> None:
    """Remove what a run that did not end wrote."""
    for path in store.folder.glob("events/*/*"):
        if not path.name[4:9].isdigit() or int(path.name[4:9]) >= store.runs:
            path.unlink()
