"""Building the canonical tables one by one in a temporary folder."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import duckdb

from .admission import typed_rows
from .columns import read_columns, used_columns
from .engines import DuckDBEngine
from .erasure import is_of_erased, mentions_erased
from .errors import DataQualityError, SourceError, WorkspaceError
from .mapping import is_flat
from .quarantine import (
    alike,
    outcomes_before_creation,
    problems_found,
    quarantined_records,
    repeated_events,
    repeated_keys,
    strangers,
    unknown_leads,
    whole_rows,
)
from .reading import Reading
from .rules import RuleCount, rules_of
from .sources import Source, Stage, StagedSource
from .sources.files import find_files, labels
from .sources.object_store import ObjectStores
from .sources.staging import FILE, check_readable
from .sql import file_literal, identifier, literal, parquet, parquet_parts
from .tables import TABLES, CanonicalTables
from .values import earliest

_NEVER_EMPTY = {"leads", "events", "outcomes"}
_REFERRING = {"events", "outcomes", "feedback"}


class Intake:
    """One admission under way: what has been read, counted and built so far.

    Parameters
    ----------
    engine : DuckDBEngine
    sources : sequence of Source
        All of the project.
    work : Path
        Temporary folder with ``stage``, ``tables`` and ``quarantine``.
    now : datetime
    limits : mapping of str to float or None
        By rule.
    erased : collection of str
        Ids and aliases of leads whose rows are not let in, nor counted, nor quarantined.

    Attributes
    ----------
    columns : dict of str to tuple of str
        Columns of each table built.
    rows_read, rows_kept : dict of str to int
    counts : list of RuleCount
    notes : list of str
    """

    def __init__(
        self,
        engine: DuckDBEngine,
        sources: Sequence[Source],
        work: Path,
        now: datetime,
        limits: Mapping[str, float | None],
        erased: Collection[str] = (),
    ) -> None:
        self.engine = engine
        self.work = work
        self.now = now
        self.limits = limits
        self.erased = erased
        stores = ObjectStores()
        paths = [
            path for s in sources if s.path is not None for path in find_files(s, stores).paths
        ]
        self.stage = Stage(
            engine, work / "stage", labels(paths), stores, partial(used_columns, engine)
        )
        self.flat = any(is_flat(source) for source in sources)
        self.columns: dict[str, tuple[str, ...]] = {}
        self.rows_read: dict[str, int] = {}
        self.rows_kept: dict[str, int] = {}
        self.counts: list[RuleCount] = []
        self.notes: list[str] = []

    def admit_table(self, table: str, sources: Sequence[Source]) -> None:
        """Read, check and build one canonical table in the temporary folder."""
        staged = [self.stage.stage(source) for source in sources]
        self.notes += [note for item in staged for file in item.files for note in file.notes]
        self.notes += [
            f"{table}: what lies before {source.since} is not read, as {source.key}.since says."
            for source in sources
            if source.since
        ]
        with self._errors(staged):
            readings, notes = read_columns(self.engine, staged)
            self.notes += notes
            typed = self._typed(table, readings)
            rows = self._number(f"SELECT count(*) FROM {typed}")
            findings = self._findings(table, readings, typed)
            self._quarantine(table, readings, findings)
            self._count(table, readings, rows)
            if not self.rows_read[table]:
                self._empty(table, staged)
            self._build(table, readings, typed, findings)

    def check_kept(self) -> None:
        """Refuse a table all of whose rows are bad, however high the limits."""
        for table in sorted(_NEVER_EMPTY & set(self.rows_kept)):
            if not self.rows_kept[table]:
                mine = [count for count in self.counts if count.table == table]
                worst = max(mine, key=lambda count: count.rows)
                raise DataQualityError(
                    f"{table}: none of the {self.rows_read[table]:,} rows is usable; "
                    f"{worst.rows:,} break {worst.rule}. First: {worst.example}",
                    hint="The quarantine tells what is wrong with each. If ids do not meet, map "
                    "the column with the same ids as the leads'.",
                )

    def _typed(self, table: str, readings: Sequence[Reading]) -> str:
        paths = []
        for reading in readings:
            path = self.work / "stage" / f"{table}-{reading.index:04d}.typed.parquet"
            erased = is_of_erased(table, _canonical_names([reading]), self.erased)
            self.engine.execute(
                f"COPY (SELECT * FROM ({typed_rows(reading, self.now, flat=self.flat)}) "
                f"WHERE NOT {erased}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy)"
            )
            paths.append(file_literal(path))
        return f"read_parquet([{', '.join(paths)}], union_by_name = true)"

    def _empty(self, table: str, staged: Sequence[StagedSource]) -> None:
        labels_read = ", ".join(file.label for item in staged for file in item.files)
        if table not in _NEVER_EMPTY:
            self.notes.append(f"{table}: {labels_read} has no rows.")
            return
        chosen = any(item.source.where or item.source.since for item in staged)
        kept = " that its `where` and `since` keep" if chosen else ""
        keys = " and ".join(item.source.key for item in staged)
        raise SourceError(
            f"{table}: {labels_read} has no rows{kept}.",
            hint=f"Map another file under {keys}, or remove the source."
            if table != "leads"
            else f"Map another file under {keys}.",
        )

    def _findings(self, table: str, readings: Sequence[Reading], typed: str) -> str:
        columns = _canonical_names(readings)
        parts = [problems_found(typed)]
        key = TABLES[table].row_key(columns)
        whole = self._whole_rows(table, readings, alike(typed, key))
        if whole is not None:
            parts.append(
                repeated_keys(typed, key, whole) if key else repeated_events(typed, columns, whole)
            )
        if table in _REFERRING and "lead_id" in columns:
            parts.append(unknown_leads(typed, columns, self._table("leads"), self._aliases()))
        created = "created_at" in self.columns.get("leads", ())
        if table == "outcomes" and created and "lead_id" in columns:
            since = earliest("lead.created_at")
            parts.append(outcomes_before_creation(typed, self._table("leads"), since))
        path = self.work / "stage" / f"{table}.findings.parquet"
        self.engine.write_parquet(" UNION ALL ".join(f"({part})" for part in parts), path)
        return parquet(path)

    def _whole_rows(self, table: str, readings: Sequence[Reading], alike_rows: str) -> str | None:
        """Look at every column of the rows that are alike in those that are read, if there are."""
        rows, whole = (
            self.work / "stage" / f"{table}.{what}.parquet" for what in ("alike", "whole")
        )
        self.engine.write_parquet(alike_rows, rows)
        if not self._number(f"SELECT count(*) FROM {parquet(rows)}"):
            return None
        self.engine.write_parquet(whole_rows(readings, parquet(rows)), whole)
        return parquet(whole)

    def _quarantine(self, table: str, readings: Sequence[Reading], findings: str) -> None:
        files = [file for reading in readings for file in reading.staged.files]
        malformed = any(file.malformed is not None for file in files)
        if not malformed and not self._number(f"SELECT count(*) FROM {findings}"):
            return
        records = " UNION ALL ".join(
            f"({quarantined_records(reading, findings)})" for reading in readings
        )
        self.engine.write_parquet(
            f"SELECT * FROM ({records}) WHERE NOT {mentions_erased('record', self.erased)} "
            'ORDER BY source, row, rule, "column", record',
            self._quarantined(table),
        )

    def _count(self, table: str, readings: Sequence[Reading], rows: int) -> None:
        found = {}
        if self._quarantined(table).exists():
            quarantined = self.engine.rows(f"""
            SELECT rule, count(DISTINCT (source, row)), list(DISTINCT source ORDER BY source),
                   arg_min(source || ' row ' || row || ': ' || message, (source, row, message))
            FROM {parquet(self._quarantined(table))} GROUP BY rule""")
            found = {rule: tuple(rest) for rule, *rest in quarantined}
        of = rows + found.get("malformed_row", (0,))[0]
        self.rows_read[table] = of
        types = frozenset(
            column.type for reading in readings for column in reading.columns if column.type
        )
        keyed = bool(TABLES[table].row_key(_canonical_names(readings)))
        for rule in rules_of(table, types, keyed=keyed):
            bad, places, example = found.get(rule, (0, (), ""))
            self.counts.append(
                RuleCount(table, rule, bad, of, self.limits[rule], tuple(places), example)
            )

    def _build(self, table: str, readings: Sequence[Reading], typed: str, findings: str) -> None:
        names = _column_names(readings)
        self._note_open_deals(table, typed)
        lead = self._strangers(table, names, typed)
        selected = ", ".join(
            lead if name == "lead_id" else f"item.{identifier(name)}" for name in names
        )
        order = ", ".join(identifier(name) for name in _sort_order(table, names))
        rows = f"""
            SELECT {selected} FROM {typed} AS item
            ANTI JOIN {findings} USING ("#source", {identifier(FILE)}, "#row")
            WHERE "#problems" IS NULL"""
        if table == "events":
            self._build_months(table, rows, order, names)
        else:
            path = self.work / "tables" / f"{table}.parquet"
            self.engine.write_parquet(f"{rows} ORDER BY {order}", path)
        self.columns[table] = names
        self.rows_kept[table] = self._number(f"SELECT count(*) FROM {self._table(table)}")

    def _build_months(self, table: str, rows: str, order: str, names: Sequence[str]) -> None:
        """Write a table in files of one month each, of when the rows became known."""
        known = "occurred_at"
        if "recorded_at" in names:
            known = "greatest(occurred_at, coalesce(recorded_at, occurred_at))"
        months = self.work / "stage" / "months"
        self.engine.execute(
            f"COPY (SELECT *, strftime({known}, '%Y-%m') AS month FROM ({rows}))"
            f" TO {literal(str(months))} (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (month))"
        )
        folder = self.work / "tables" / table
        folder.mkdir()
        for month in sorted(months.glob("month=*")):
            path = folder / f"{month.name.removeprefix('month=')}.parquet"
            listed = ", ".join(map(identifier, names))
            self.engine.write_parquet(
                f"SELECT {listed} FROM {parquet_parts(month)} ORDER BY {order}", path
            )
        if not any(folder.iterdir()):
            self.engine.write_parquet(rows, folder / "none.parquet")

    def _note_open_deals(self, table: str, typed: str) -> None:
        still_open = self._number(f'SELECT count(*) FROM {typed} WHERE "#open"')
        if still_open:
            self.notes.append(
                f"{table}: {still_open:,} deals that are not won close later than now; they count "
                "as open."
            )

    def _strangers(self, table: str, names: Sequence[str], typed: str) -> str:
        """Write SQL of the lead's id, emptied for an unknown lead of a given account."""
        if table not in _REFERRING or not {"lead_id", "account_id"} <= set(names):
            return "item.lead_id"
        path = self.work / "stage" / f"{table}.strangers.parquet"
        self.engine.write_parquet(strangers(typed, self._table("leads"), self._aliases()), path)
        unknown = parquet(path)
        rows = self._number(f"SELECT coalesce(sum(rows), 0) FROM {unknown}")
        if not rows:
            return "item.lead_id"
        self.notes.append(
            f"{table}: {rows:,} rows name a lead that is not known, and an account; they count for "
            "the account alone."
        )
        return (
            f"CASE WHEN item.lead_id NOT IN (SELECT lead_id FROM {unknown}) "
            "THEN item.lead_id END AS lead_id"
        )

    def _aliases(self) -> str | None:
        return self._table("identities") if "identities" in self.columns else None

    def _table(self, table: str) -> str:
        return CanonicalTables(self.work / "tables", self.columns).relation(table)

    def _quarantined(self, table: str) -> Path:
        return self.work / "quarantine" / f"{table}.parquet"

    def _number(self, sql: str) -> int:
        return int(self.engine.rows(sql)[0][0])

    @contextmanager
    def _errors(self, staged: Sequence[StagedSource]) -> Iterator[None]:
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            keys = ", ".join(item.source.key for item in staged)
            raise WorkspaceError(
                f"{keys}: the memory limit does not suffice: {str(error).splitlines()[0]}",
                hint="Raise memory_limit in the configuration.",
            ) from error
        except duckdb.Error as error:
            for item in staged:
                check_readable(self.engine, item)
            keys = ", ".join(item.source.key for item in staged)
            raise SourceError(
                f"{keys}: the rows cannot be read: {str(error).splitlines()[0]}",
                hint="If `where` or `won` fails on odd values, TRY_CAST makes them missing.",
            ) from error


def _canonical_names(readings: Sequence[Reading]) -> tuple[str, ...]:
    """Canonical columns that at least one source maps, in canonical order."""
    mapped = {column.name for reading in readings for column in reading.columns}
    return tuple(name for name in TABLES[readings[0].staged.source.table].names if name in mapped)


def _column_names(readings: Sequence[Reading]) -> tuple[str, ...]:
    further = (c.name for reading in readings for c in reading.columns if c.type is None)
    return tuple(dict.fromkeys((*_canonical_names(readings), *further)))


def _sort_order(table: str, names: Sequence[str]) -> tuple[str, ...]:
    """Columns to sort by: who and when first, then all the rest, so that ties are none."""
    leading = {
        "events": ("lead_id", "account_id", "occurred_at"),
        "outcomes": ("lead_id", "account_id", "closed_at"),
    }.get(table, TABLES[table].key)
    first = tuple(name for name in leading if name in names)
    if table not in {"events", "outcomes"}:
        return first  # the key tells rows apart
    return (*first, *(name for name in names if name not in first))
