"""The door: raw sources in, validated canonical tables out, bad rows in the quarantine.

Each source is brought into Parquet (`sources`), typed in one pass over its rows (`admission`),
then held against the rest: keys, leads, identities (`quarantine`). Tables are built in a temporary
folder and put in place at the very end, all or none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import available_timezones

import duckdb

from .admission import Reading, typed_rows
from .columns import read_columns
from .engines import DuckDBEngine
from .errors import ConfigError, DataQualityError, SourceError, did_you_mean
from .mapping import is_flat
from .publication import building, publish, publish_quarantine
from .quarantine import (
    file_labels,
    malformed_rows,
    outcomes_before_creation,
    problems_found,
    quarantined_records,
    repeated_events,
    repeated_keys,
    unknown_leads,
)
from .rules import RULES, Rule, RuleCount, limits_with, rules_of
from .sources import Source, Stage, StagedSource
from .sources.files import find_files, labels
from .sources.staging import FILE, damaged_parquet
from .sql import identifier, literal
from .tables import TABLES, CanonicalTables
from .values import earliest

__all__ = ["RULES", "DoorReport", "Rule", "RuleCount", "admit"]

# Leads and identities first: the others refer to them.
_ORDER = (
    "leads",
    "identities",
    "accounts",
    "events",
    "outcomes",
    "feedback",
    "profile_history",
)
_NEVER_EMPTY = {"leads", "events", "outcomes"}


@dataclass(frozen=True)
class DoorReport:
    """What came through the door and what did not.

    Attributes
    ----------
    tables : CanonicalTables
    rows_read, rows_kept : mapping of str to int
        By table.
    counts : tuple of RuleCount
        Every rule that applies, by table.
    quarantine : Path or None
        Folder of the bad rows, one Parquet file a table; None if there is no bad row.
    notes : tuple of str
        What was decided on the way and a person may want to know.
    """

    tables: CanonicalTables
    rows_read: Mapping[str, int]
    rows_kept: Mapping[str, int]
    counts: tuple[RuleCount, ...]
    quarantine: Path | None
    notes: tuple[str, ...]


def admit(
    engine: DuckDBEngine,
    sources: Sequence[Source],
    *,
    directory: Path,
    quarantine: Path,
    now: datetime,
    limits: Mapping[str, float | None] | None = None,
    progress: Callable[[str], None] | None = None,
) -> DoorReport:
    """Read every source, validate it, and publish the canonical tables.

    Parameters
    ----------
    engine : DuckDBEngine
    sources : sequence of Source
    directory : Path
        Folder of the canonical tables; replaced as a whole, or left as it is on any failure.
    quarantine : Path
        Folder of the bad rows, ``<table>.parquet`` with the columns source, row (from 1, without
        the header), rule, column, value, message, record (JSON of the row as read).
    now : datetime
        Aware; what is later is a future date.
    limits : mapping of str to float, optional
        Largest share of bad rows by rule, in place of the defaults of `RULES`; None only warns.
    progress : callable, optional
        Told what is being done.

    Returns
    -------
    DoorReport

    Raises
    ------
    SourceError, ColumnNotFoundError, MissingExtraError
        A source cannot be read or does not have what is asked of it.
    DataQualityError
        A rule's limit is passed. The quarantine is written, the tables are not.
    ConfigError
        There are no leads, or a limit, a zone or a mapping is not one.
    WorkspaceError
        The disk is full.
    """
    if now.tzinfo is None:
        message = f"now = {now!r} has no time zone"
        raise ValueError(message)
    allowed = limits_with(limits)
    _check_sources(sources)
    tell = progress or (lambda _: None)
    with building(directory) as work:
        door = _Door(engine, sources, work, now, allowed)
        for table in _ORDER:
            mine = [source for source in sources if source.table == table]
            if mine:
                tell(f"reading {table}")
                door.admit_table(table, mine)
        bad = publish_quarantine(work / "quarantine", quarantine)
        failed = [count for count in door.counts if not count.passed]
        if failed:
            raise _too_many(failed, quarantine)
        door.check_kept()
        publish(work / "tables", directory)
    return DoorReport(
        CanonicalTables(directory, door.columns),
        door.rows_read,
        door.rows_kept,
        tuple(door.counts),
        quarantine if bad else None,
        tuple(door.notes),
    )


class _Door:
    """The state of one admission: what has been read, counted and built so far."""

    def __init__(
        self,
        engine: DuckDBEngine,
        sources: Sequence[Source],
        work: Path,
        now: datetime,
        limits: Mapping[str, float | None],
    ) -> None:
        self.engine = engine
        self.work = work
        self.now = now
        self.limits = limits
        paths = [path for s in sources if s.path is not None for path in find_files(s).paths]
        self.stage = Stage(engine, work / "stage", labels(paths))
        self.flat = any(is_flat(source) for source in sources)
        self.columns: dict[str, tuple[str, ...]] = {}
        self.rows_read: dict[str, int] = {}
        self.rows_kept: dict[str, int] = {}
        self.counts: list[RuleCount] = []
        self.notes: list[str] = []

    def admit_table(self, table: str, sources: Sequence[Source]) -> None:
        """Read, check and build one canonical table in the temporary folder."""
        staged = [self.stage.stage(source) for source in sources]
        readings, notes = read_columns(self.engine, staged)
        self.notes += [note for item in staged for file in item.files for note in file.notes]
        self.notes += notes
        typed = self._typed(table, readings)
        rows = int(self.engine.rows(f"SELECT count(*) FROM {typed}")[0][0])
        malformed = [
            malformed_rows(reading.index, file)
            for reading in readings
            for file in reading.staged.files
            if file.malformed is not None
        ]
        if not rows and not malformed:
            self._empty(table, staged)
        findings = self._findings(table, readings, typed, malformed)
        self._count(table, readings, rows, findings)
        self._quarantine(table, readings, findings)
        self._build(table, readings, typed, findings)

    def check_kept(self) -> None:
        """Refuse a table all of whose rows are bad, however high the limits."""
        for table in _NEVER_EMPTY & set(self.rows_kept):
            if not self.rows_kept[table]:
                raise DataQualityError(
                    f"{table}: none of the {self.rows_read[table]:,} rows is usable.",
                    hint="The quarantine tells what is wrong with each.",
                )

    def _typed(self, table: str, readings: Sequence[Reading]) -> str:
        paths = []
        for reading in readings:
            path = self.work / "stage" / f"{table}-{reading.index:04d}.typed.parquet"
            with _reading_errors(reading.staged):
                self.engine.execute(
                    f"COPY ({typed_rows(reading, self.now, flat=self.flat)}) "
                    f"TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy)"
                )
            paths.append(literal(str(path)))
        return f"read_parquet([{', '.join(paths)}], union_by_name = true)"

    def _empty(self, table: str, staged: Sequence[StagedSource]) -> None:
        labels_read = ", ".join(file.label for item in staged for file in item.files)
        if table not in _NEVER_EMPTY:
            self.notes.append(f"{table}: {labels_read} has no rows.")
            return
        kept = " that its `where` keeps" if any(item.source.where for item in staged) else ""
        keys = " and ".join(item.source.key for item in staged)
        raise SourceError(
            f"{table}: {labels_read} has no rows{kept}.",
            hint=f"Map another file under {keys}, or remove the source."
            if table != "leads"
            else f"Map another file under {keys}.",
        )

    def _findings(
        self, table: str, readings: Sequence[Reading], typed: str, malformed: Sequence[str]
    ) -> str:
        columns = _canonical_names(readings)
        key = TABLES[table].row_key(columns)
        parts = [problems_found(typed), *malformed]
        if table == "events":
            parts.append(repeated_events(typed, columns))
        else:
            parts.append(repeated_keys(typed, key))
        if table in {"events", "outcomes", "feedback"} and "lead_id" in columns:
            aliases = self._table("identities") if "identities" in self.columns else None
            parts.append(unknown_leads(typed, columns, self._table("leads"), aliases))
        created = "created_at" in self.columns.get("leads", ())
        if table == "outcomes" and created and "lead_id" in columns:
            since = earliest("lead.created_at")
            parts.append(outcomes_before_creation(typed, self._table("leads"), since))
        path = self.work / "stage" / f"{table}.findings.parquet"
        self.engine.write_parquet(" UNION ALL ".join(f"({part})" for part in parts), path)
        return f"read_parquet({literal(str(path))})"

    def _count(self, table: str, readings: Sequence[Reading], rows: int, findings: str) -> None:
        files = [file for reading in readings for file in reading.staged.files]
        place = f'("#source", {identifier(FILE)}, "#row")'
        found = {
            row[0]: row[1:]
            for row in self.engine.rows(f"""
            SELECT rule, count(DISTINCT CASE WHEN "#row" IS NOT NULL THEN {place} END)
                   + count(*) FILTER ("#row" IS NULL),
                   list(DISTINCT label ORDER BY label),
                   arg_min(label || coalesce(' row ' || ("#row" + 1), '') || ': ' || message,
                           ("#source", {identifier(FILE)}, coalesce("#row", 0), message))
            FROM {findings} JOIN {file_labels(files)} ON {identifier(FILE)} = path
            GROUP BY rule""")
        }
        self.rows_read[table] = rows + found.get("malformed_row", (0,))[0]
        types = frozenset(
            column.type for reading in readings for column in reading.columns if column.type
        )
        keyed = bool(TABLES[table].row_key(_canonical_names(readings)))
        for rule in rules_of(table, types, keyed=keyed):
            bad, places, example = found.get(rule, (0, (), ""))
            of = self.rows_read[table]
            self.counts.append(
                RuleCount(table, rule, bad, of, self.limits[rule], tuple(places), example)
            )

    def _quarantine(self, table: str, readings: Sequence[Reading], findings: str) -> None:
        if not self.engine.rows(f"SELECT count(*) FROM {findings}")[0][0]:
            return
        records = " UNION ALL ".join(
            f"({quarantined_records(reading, findings)})" for reading in readings
        )
        self.engine.write_parquet(
            f'SELECT * FROM ({records}) ORDER BY source, row, rule, "column", record',
            self.work / "quarantine" / f"{table}.parquet",
        )

    def _build(self, table: str, readings: Sequence[Reading], typed: str, findings: str) -> None:
        names = _column_names(readings)
        selected = ", ".join(identifier(name) for name in names)
        order = ", ".join(identifier(name) for name in _sort_order(table, names))
        bad = f"""(SELECT "#source", {identifier(FILE)}, "#row" FROM {findings}
                   WHERE "#row" IS NOT NULL)"""
        path = self.work / "tables" / f"{table}.parquet"
        self.engine.write_parquet(
            f"""
            SELECT {selected} FROM {typed}
            ANTI JOIN {bad} USING ("#source", {identifier(FILE)}, "#row")
            WHERE "#problems" IS NULL ORDER BY {order}""",
            path,
        )
        self.columns[table] = names
        self.rows_kept[table] = self.engine.rows(f"SELECT count(*) FROM {self._table(table)}")[0][0]

    def _table(self, table: str) -> str:
        return f"read_parquet({literal(str(self.work / 'tables' / f'{table}.parquet'))})"


def _check_sources(sources: Sequence[Source]) -> None:
    if not any(source.table == "leads" for source in sources):
        raise ConfigError(
            "sources: there are no leads.", hint="Map the table of leads under sources.leads."
        )
    for source in sources:
        if source.table not in TABLES:
            raise ConfigError(
                f"{source.key}: there is no table '{source.table}'."
                f"{did_you_mean(source.table, TABLES)}"
            )
        if source.timezone is not None and source.timezone not in available_timezones():
            raise ConfigError(
                f"{source.key}.timezone: '{source.timezone}' is not a time zone."
                f"{did_you_mean(source.timezone, available_timezones())}",
                hint="Write an IANA name such as Europe/Berlin.",
            )


@contextmanager
def _reading_errors(staged: StagedSource) -> Iterator[None]:
    try:
        yield
    except duckdb.ConversionException as error:
        raise SourceError(
            f"{staged.source.key}: an expression fails on some row: {str(error).splitlines()[0]}",
            hint="Use TRY_CAST in `where` or `won`, so that odd values become missing.",
        ) from error
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise damaged_parquet(staged.source, staged.files[0].label, error) from error


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


def _too_many(failed: Sequence[RuleCount], quarantine: Path) -> DataQualityError:
    lines = [
        f"{count.table}: {count.rows:,} of {count.of:,} rows ({count.share:.1%}) break "
        f"{count.rule}, the limit is {count.limit:.1%}. First: {count.example}"
        for count in failed
    ]
    rules = ", ".join(dict.fromkeys(count.rule for count in failed))
    return DataQualityError(
        "\n".join(lines),
        hint=f"The bad rows are in {quarantine}. Mend the data, or raise the limit in the "
        f"configuration under checks ({rules}).",
    )
