"""One source at the door: SQL that reads its rows, types them, and says what is wrong with each.

Pure builders over a `Reading`, step by step as named CTEs: ``raw`` (the file's rows), ``chosen``
(after ``where``, with the ``won`` expression), ``clean`` (trimmed texts, missing ones NULL),
``typed`` (canonical values), and the list of problems of each row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .mapping import WON, MappedColumn, required_columns
from .sources.expression import Expression
from .sources.staging import FILE, ROW, StagedSource
from .sql import identifier, literal
from .tables import TABLES, ColumnType
from .values import (
    DayOrder,
    boolean,
    clean_text,
    day_before_month,
    earliest,
    has_zone,
    is_number,
    is_text,
    is_time,
    lacks_zone,
    month_before_day,
    native_number,
    native_time,
    number,
    time,
)


@dataclass(frozen=True)
class TimeStyle:
    """How the times of one text column are written.

    Attributes
    ----------
    mixed : bool
        Some carry a zone and some do not.
    order : {"day_first", "month_first"} or None
    """

    mixed: bool = False
    order: DayOrder | None = None


@dataclass(frozen=True)
class Reading:
    """All that is needed to read one source.

    Attributes
    ----------
    index : int
        Place of the source among the table's sources.
    staged : StagedSource
    columns : tuple of MappedColumn
    types : mapping of str to str
        Column of the source (and ``#won``) -> DuckDB type.
    where, won : Expression or None
    casts : mapping of str to str
        Text columns that expressions see under another type.
    styles : mapping of str to TimeStyle
        By canonical column.
    targets : mapping of str to str
        Type that each column is stored as; further columns' decided over all sources.
    offsets : mapping of str to int
        Path -> rows before that file, for row numbers over several files.
    """

    index: int
    staged: StagedSource
    columns: tuple[MappedColumn, ...]
    types: Mapping[str, str]
    where: Expression | None = None
    won: Expression | None = None
    casts: Mapping[str, str] = field(default_factory=dict)
    styles: Mapping[str, TimeStyle] = field(default_factory=dict)
    targets: Mapping[str, ColumnType] = field(default_factory=dict)
    offsets: Mapping[str, int] = field(default_factory=dict)

    @property
    def timezone(self) -> str:
        """Zone of times that carry none."""
        return self.staged.source.timezone or "UTC"

    def target(self, column: MappedColumn) -> ColumnType:
        """Type that a column is stored as."""
        return self.targets.get(column.name) or column.type or "text"

    def text(self, column: MappedColumn) -> str:
        """Clean text of a column, as SQL over ``chosen``."""
        raw = identifier(column.raw)
        return clean_text(raw, self.types[column.raw], self.staged.source.missing)

    def is_native(self, column: MappedColumn) -> bool:
        """Say whether the source stores the column under a type that needs no parsing."""
        if column.origin in {"row", "constant"}:
            return True
        source_type, target = self.types[column.raw], self.target(column)
        return (
            (target == "number" and is_number(source_type))
            or (target == "time" and is_time(source_type))
            or (target == "boolean" and source_type == "BOOLEAN")
        )


def expression_scope(relation: str, casts: Mapping[str, str]) -> str:
    """FROM item in which text columns mean what they say, for the user's expressions."""
    if not casts:
        return relation
    replaced = ", ".join(
        f"TRY_CAST(nullif(trim({identifier(name)}), '') AS {target}) AS {identifier(name)}"
        for name, target in casts.items()
    )
    kept = ", ".join(f"{identifier(name)} AS {identifier(f'#raw {name}')}" for name in casts)
    return f"(SELECT * REPLACE ({replaced}), {kept} FROM {relation})"


def chosen_rows(reading: Reading) -> str:
    """Rows of the source that ``where`` keeps, as they are, with the ``won`` expression."""
    scope = expression_scope(reading.staged.relation, reading.casts)
    columns = "*"
    if reading.casts:
        excluded = ", ".join(identifier(f"#raw {name}") for name in reading.casts)
        restored = ", ".join(
            f"{identifier(f'#raw {name}')} AS {identifier(name)}" for name in reading.casts
        )
        columns = f"* EXCLUDE ({excluded}) REPLACE ({restored})"
    won = f", ({reading.won.sql}) AS {identifier(WON)}" if reading.won else ""
    where = f" WHERE ({reading.where.sql})" if reading.where else ""
    return f"SELECT {columns}{won} FROM {scope}{where}"


def time_styles_query(reading: Reading) -> str | None:
    """Count, for each text column of times, what tells how they are written.

    Four counts a column: with a zone, without one, surely day first, surely month first.
    """
    counts = []
    for column in text_times(reading):
        text = reading.text(column)
        counts += [f"count(*) FILTER ({condition(text)})" for condition in _STYLE_CONDITIONS]
    return f"SELECT {', '.join(counts)} FROM ({chosen_rows(reading)})" if counts else None


_STYLE_CONDITIONS = (has_zone, lacks_zone, day_before_month, month_before_day)


def text_times(reading: Reading) -> list[MappedColumn]:
    """Columns whose times are written as text or as a number."""
    return [
        column
        for column in reading.columns
        if column.origin == "column"
        and reading.target(column) == "time"
        and not reading.is_native(column)
    ]


def number_shares_query(reading: Reading, columns: list[MappedColumn]) -> str:
    """Count, for each text column: values, numbers among them, codes with a leading zero."""
    counts = []
    for column in columns:
        text = reading.text(column)
        counts.append(f"count({text})")
        counts.append(f"count({text}) FILTER ({number(text)} IS NOT NULL OR lower({text}) = 'nan')")
        counts.append(f"count(*) FILTER (regexp_matches({text}, '^0[0-9]+$'))")
    return f"SELECT {', '.join(counts)} FROM ({chosen_rows(reading)})"


def typed_rows(reading: Reading, now: datetime, *, flat: bool) -> str:
    """Canonical rows of one source with what is wrong with each.

    Columns: ``#source``, ``#file``, ``#row`` (from 0), ``#hash`` (of the row as read),
    ``#problems`` (list of rule, column, value, message; NULL for a good row), then the table's.
    """
    raw_columns = ", ".join(identifier(name) for name in reading.types if name != WON)
    clean = ",\n        ".join(
        f"{_cleaned(reading, column)} AS {_clean(index)}"
        for index, column in enumerate(reading.columns)
    )
    typed = ",\n        ".join(
        f"{_value(reading, column, _clean(index))} AS {_typed(index)}"
        for index, column in enumerate(reading.columns)
    )
    stored = ",\n        ".join(
        f"{_stored(reading, column, index, now)} AS {identifier(column.name)}"
        for index, column in enumerate(reading.columns)
    )
    return f"""
    WITH chosen AS ({chosen_rows(reading)}),
    clean AS (
        SELECT {identifier(FILE)}, {ROW} AS "#row", hash({raw_columns}) AS "#hash",
        {clean}
        FROM chosen
    ),
    typed AS (
        SELECT *,
        {typed}
        FROM clean
    )
    SELECT {reading.index} AS "#source", {identifier(FILE)}, "#row", "#hash",
        {_problems(reading, now, flat=flat)} AS "#problems",
        {stored}
    FROM typed"""


def _clean(index: int) -> str:
    return identifier(f"#clean {index}")


def _typed(index: int) -> str:
    return identifier(f"#typed {index}")


def _cleaned(reading: Reading, column: MappedColumn) -> str:
    if column.origin == "constant":
        return literal(column.raw)
    if column.origin == "row":
        return _row_number(reading)
    return identifier(column.raw) if reading.is_native(column) else reading.text(column)


def _row_number(reading: Reading) -> str:
    if len(reading.offsets) < 2:
        return f"{ROW} + 1"
    cases = " ".join(f"WHEN {literal(path)} THEN {rows}" for path, rows in reading.offsets.items())
    return f"{ROW} + 1 + CASE {identifier(FILE)} {cases} END"


def _value(reading: Reading, column: MappedColumn, clean: str) -> str:
    target = reading.target(column)
    if column.origin == "row":
        return f"{clean}::DOUBLE" if target == "number" else f"{clean}::VARCHAR"
    if target == "text":
        return clean
    native = reading.is_native(column)
    if target == "number":
        return native_number(clean) if native else number(clean)
    if target == "boolean":
        return clean if native else boolean(clean)
    if native:
        return native_time(clean, reading.types[column.raw], reading.timezone)
    order = reading.styles.get(column.name, TimeStyle()).order
    return time(clean, reading.timezone, order)


def _stored(reading: Reading, column: MappedColumn, index: int, now: datetime) -> str:
    value = _typed(index)
    if column.name == "position" and reading.target(column) == "time":
        return f"epoch_us({value}) / 1e6"
    if reading.staged.source.table == "outcomes":
        won = _typed(_place(reading, "won"))
        if column.name == "closed_at":
            expected = f"{earliest(value)} > {literal(now)} AND NOT coalesce({won}, FALSE)"
            return f"CASE WHEN {expected} THEN NULL ELSE {value} END"
        if column.name == "won":
            return f"coalesce({value}, FALSE)"
    return value


def _place(reading: Reading, name: str) -> int:
    return next(i for i, column in enumerate(reading.columns) if column.name == name)


def _problems(reading: Reading, now: datetime, *, flat: bool) -> str:
    found = [*_missing(reading, flat=flat)]
    for index, column in enumerate(reading.columns):
        found += _column_problems(reading, column, index, now)
    if not found:
        return "NULL"
    cases = ",\n            ".join(
        f"CASE WHEN {problem.condition} THEN {problem.struct} END" for problem in found
    )
    anything = " OR ".join(f"({problem.condition})" for problem in found)
    return (
        f"CASE WHEN {anything} THEN list_filter([\n            {cases}],\n"
        "            lambda problem: problem IS NOT NULL) END"
    )


@dataclass(frozen=True)
class _Problem:
    rule: str
    column: str
    value: str
    message: str
    condition: str

    @property
    def struct(self) -> str:
        return (
            f"{{'rule': {literal(self.rule)}, 'column': {literal(self.column)}, "
            f"'value': {self.value}::VARCHAR, 'message': {self.message}}}"
        )


def _missing(reading: Reading, *, flat: bool) -> list[_Problem]:
    table = TABLES[reading.staged.source.table]
    problems = []
    for group in required_columns(table, flat=flat):
        if group == ("closed_at",):
            continue  # an open deal has not closed yet
        places = [i for i, column in enumerate(reading.columns) if column.name in group]
        condition = " AND ".join(f"{_clean(place)} IS NULL" for place in places)
        if group == ("won",):
            condition += f" AND {_clean(_place(reading, 'closed_at'))} IS NOT NULL"
        name = " or ".join(group)
        message = literal(f"{name} is missing")
        problems.append(_Problem("missing_required", name, "NULL", message, condition))
    return problems


def _column_problems(
    reading: Reading, column: MappedColumn, index: int, now: datetime
) -> list[_Problem]:
    target = reading.target(column)
    if target == "text" or column.origin in {"row", "constant"} or column.type is None:
        return []
    clean, value = _clean(index), _typed(index)
    shown = f"'''' || {clean}::VARCHAR || ''''"

    def problem(rule: str, says: str, condition: str) -> _Problem:
        message = f"{literal(column.name + ' ')} || {shown} || {literal(' ' + says)}"
        return _Problem(rule, column.name, clean, message, condition)

    unread = f"{clean} IS NOT NULL AND {value} IS NULL"
    if target == "number":
        if not is_text(reading.types[column.raw]):
            return []
        unread += f" AND lower({clean}) <> 'nan'"
        return [problem("unparsable_number", "is not a number", unread)]
    if target == "boolean":
        says = "says neither yes nor no"
        return [problem("unparsable_boolean", says, unread)]
    unread += f" OR {value} < {literal(_EARLIEST)}"
    order = reading.styles.get(column.name, TimeStyle()).order
    says = "is not a time that can be read"
    if order is None and not reading.is_native(column):
        says += " (or day and month cannot be told apart: write 2024-01-31)"
    problems = [problem("unparsable_time", says, unread)]
    if reading.styles.get(column.name, TimeStyle()).mixed:
        says = "has no time zone while others in the column have one; set `timezone`"
        problems.append(problem("mixed_time_zones", says, lacks_zone(clean)))
    future = f"{earliest(value)} > {literal(now)}"
    if column.name == "closed_at":
        future += f" AND {_typed(_place(reading, 'won'))}"
    if column.name != "position":
        problems.append(problem("future_date", f"is later than now ({now:%Y-%m-%d})", future))
    return problems


_EARLIEST = datetime.fromisoformat("1900-01-01T00:00:00+00:00")
