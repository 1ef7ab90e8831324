"""One source at the door: SQL that types its rows and says what is wrong with each.

Pure builders over a `Reading`, step by step as named CTEs: ``chosen`` (the rows that ``where``
keeps, with the ``won`` expression), ``clean`` (trimmed texts, missing ones NULL), ``typed``
(canonical values), and last the list of problems of each row.
"""

from dataclasses import dataclass
from datetime import datetime
from datetime import time as clock
from zoneinfo import ZoneInfo

from .mapping import MappedColumn, required_columns
from .reading import Reading, TimeStyle, chosen_rows
from .sizes import size_sql
from .sources.staging import FILE, ROW
from .sql import identifier, literal
from .tables import TABLES
from .values import boolean, earliest, is_text, lacks_zone, native_number, native_time, number, time

_SIZES = {"employees", "revenue"}
_EARLIEST = datetime.fromisoformat("1900-01-01T00:00:00+00:00")


def typed_rows(reading: Reading, now: datetime, *, flat: bool) -> str:
    """Canonical rows of one source with what is wrong with each.

    Columns: ``#source``, ``#file``, ``#row`` (from 0), ``#hash`` (of the columns that are read),
    ``#problems`` (list of rule, column, value, message; NULL for a good row), ``#open`` (a deal
    whose closing date lies ahead), then the table's.
    """
    read = dict.fromkeys(c.raw for c in reading.columns if c.origin == "column")
    hashed = ", ".join(map(identifier, read)) or ROW
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
        SELECT {identifier(FILE)}, {ROW} AS "#row", hash({hashed}) AS "#hash",
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
        {_still_open(reading, now)} AS "#open",
        {stored}
    FROM typed{_since(reading)}"""


def _since(reading: Reading) -> str:
    since = reading.staged.source.since
    if since is None:
        return ""
    start = datetime.combine(since, clock(), ZoneInfo(reading.timezone))
    # A row without a readable time stays, to be quarantined.
    return f" WHERE ({_typed(_place(reading, 'occurred_at'))} < {literal(start)}) IS NOT TRUE"


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
        return native_number(clean) if native else _said(column.name, clean)
    if target == "boolean":
        return clean if native else boolean(clean)
    if native:
        return native_time(clean, reading.types[column.raw], reading.timezone)
    order = reading.styles.get(column.name, TimeStyle()).order
    return time(clean, reading.timezone, order)


def _said(name: str, clean: str) -> str:
    """Return SQL for the number that a text says; a company's size often is told as a band."""
    said = number(clean)
    return f"coalesce({said}, {size_sql(clean)})" if name in _SIZES else said


def _stored(reading: Reading, column: MappedColumn, index: int, now: datetime) -> str:
    value = _typed(index)
    if column.name == "position" and reading.target(column) == "time":
        return f"epoch_us({value}) / 1e6"
    if reading.staged.source.table == "outcomes":
        if column.name == "closed_at":
            return f"CASE WHEN NOT ({_still_open(reading, now)}) THEN {value} END"
        if column.name == "won":
            return f"coalesce({value}, FALSE)"
    return value


def _still_open(reading: Reading, now: datetime) -> str:
    """Condition: the CRM gives an open deal's expected closing date."""
    if reading.staged.source.table != "outcomes":
        return "FALSE"
    closed, won = _typed(_place(reading, "closed_at")), _typed(_place(reading, "won"))
    return f"coalesce({earliest(closed)} > {literal(now)}, FALSE) AND NOT coalesce({won}, FALSE)"


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
