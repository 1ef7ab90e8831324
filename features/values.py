"""How raw values become canonical ones: SQL expressions for text, numbers, booleans and times.

Pure builders. Each takes SQL that yields a raw or cleaned value and returns SQL that yields the
typed one, or NULL where it cannot be read.

A date without a time of day is known at the end of that day, so it becomes the last microsecond
of the day in its time zone: later than anything timed that day, earlier than the next midnight.
"""

from collections.abc import Sequence
from typing import Literal

from .sql import literal

DayOrder = Literal["day_first", "month_first"]

_END_OF_DAY = "INTERVAL '86399999999 microseconds'"
_ISO = "^[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_DAY_AND_MONTH = "^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4}|[0-9]{2})( |$)"
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_NAMED_MONTHS = ("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%y")
_WITH_OFFSET = "%a, %d %b %Y %H:%M:%S %z"


def is_text(source_type: str) -> bool:
    """Say whether a DuckDB type holds free text, whose content decides what it means."""
    return source_type == "VARCHAR"


def is_number(source_type: str) -> bool:
    """Say whether a DuckDB type is a number."""
    return (
        source_type.startswith(("DECIMAL", "FLOAT", "DOUBLE"))
        or source_type.endswith("INT")
        or (source_type in {"INTEGER", "UINTEGER", "BIGNUM"})
    )


def is_time(source_type: str) -> bool:
    """Say whether a DuckDB type is a date or a time stamp."""
    return source_type.startswith("TIMESTAMP") or source_type == "DATE"


def clean_text(raw: str, source_type: str, missing: Sequence[str] = ()) -> str:
    """Text of a raw value, trimmed; NULL where it is empty or a token for "no value".

    A whole number that is stored as a float (an id column with gaps, written by pandas) reads
    ``123``, not ``123.0``, so that ids agree between tables.
    """
    if is_text(source_type):
        text = f"trim({raw})"
    elif source_type.startswith(("DECIMAL", "FLOAT", "DOUBLE")):
        whole = f"isfinite({raw}::DOUBLE) AND {raw} = trunc({raw}) AND abs({raw}) < 1e15"
        text = (
            f"CASE WHEN {whole} THEN {raw}::BIGINT::VARCHAR "
            f"WHEN isnan({raw}::DOUBLE) THEN NULL ELSE {raw}::VARCHAR END"
        )
    else:
        return f"{raw}::VARCHAR"
    tokens = ", ".join(literal(token) for token in ("", *missing))
    return f"CASE WHEN {text} NOT IN ({tokens}) THEN {text} END"


def number(text: str) -> str:
    """Read the number that a cleaned text says, thousands' commas and a currency sign allowed."""
    grouped = f"regexp_matches({text}, '^[-+]?[$€£]? ?[0-9]{{1,3}}(,[0-9]{{3}})*([.][0-9]+)?$')"
    plain = f"TRY_CAST({text} AS DOUBLE)"
    bare = f"TRY_CAST(regexp_replace({text}, '[$€£, ]', '', 'g') AS DOUBLE)"
    return f"CASE WHEN isfinite({plain}) THEN {plain} WHEN {grouped} THEN {bare} END"


def native_number(raw: str) -> str:
    """Double of a numeric column; what is not finite is missing."""
    return f"CASE WHEN isfinite({raw}::DOUBLE) THEN {raw}::DOUBLE END"


def boolean(text: str) -> str:
    """Boolean that a cleaned text says: true/false, yes/no, t/f, y/n, 1/0."""
    return (
        f"CASE WHEN lower({text}) IN ('true', 'yes', 't', 'y', '1') THEN TRUE "
        f"WHEN lower({text}) IN ('false', 'no', 'f', 'n', '0') THEN FALSE END"
    )


def has_zone(text: str) -> str:
    """Condition: the text is a time of day that names its offset or zone."""
    return (
        f"(regexp_matches({text}, ':.*([A-Za-z]|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$') "
        f"AND NOT regexp_matches({text}, '[0-9 ][AaPp][Mm]$'))"
    )


def lacks_zone(text: str) -> str:
    """Condition: the text is a time of day without a zone."""
    return f"(contains({text}, ':') AND NOT {has_zone(text)})"


def day_before_month(text: str) -> str:
    """Condition: the text can only be day/month/year."""
    return f"TRY_CAST(regexp_extract({text}, {literal(_DAY_AND_MONTH)}, 1) AS INTEGER) > 12"


def month_before_day(text: str) -> str:
    """Condition: the text can only be month/day/year."""
    return f"TRY_CAST(regexp_extract({text}, {literal(_DAY_AND_MONTH)}, 2) AS INTEGER) > 12"


def native_time(raw: str, source_type: str, timezone: str) -> str:
    """Time stamp with its zone of a date or time column."""
    if source_type == "TIMESTAMP WITH TIME ZONE":
        return raw
    if source_type == "DATE":
        return _zoned(f"({raw}::TIMESTAMP + {_END_OF_DAY})", timezone)
    return _zoned(f"{raw}::TIMESTAMP", timezone)


def time(text: str, timezone: str, order: DayOrder | None) -> str:
    """Time stamp that a cleaned text says; ``timezone`` is the zone of times that carry none.

    Reads ISO 8601, seconds, milliseconds and microseconds since 1970, ``20240131``, dates with a
    month's name, RFC 5322, and day/month/year or month/day/year once the column has shown which
    of the two it is.

    Parameters
    ----------
    text : str
        SQL of the cleaned text.
    timezone : str
        IANA name.
    order : {"day_first", "month_first"} or None
        What the column's other values prove; None leaves ``01/02/2024`` unread.
    """
    glued = f"regexp_replace({text}, ' ([+-][0-9])', '\\1')"
    iso = (
        f"CASE WHEN regexp_matches({text}, '{_ISO}$') "
        f"THEN {_zoned(f'(TRY_CAST({text} AS DATE)::TIMESTAMP + {_END_OF_DAY})', timezone)} "
        f"WHEN NOT contains({text}, ':') THEN NULL "
        f"WHEN {has_zone(text)} "
        f"THEN coalesce(TRY_CAST({text} AS TIMESTAMPTZ), TRY_CAST({glued} AS TIMESTAMPTZ)) "
        f"ELSE {_zoned(f'TRY_CAST({text} AS TIMESTAMP)', timezone)} END"
    )
    seconds = f"make_timestamptz((TRY_CAST({text} AS DOUBLE) * 1000000)::BIGINT)"
    compact = f"(try_strptime({text}, '%Y%m%d') + {_END_OF_DAY})"
    branches = [
        f"WHEN regexp_matches({text}, '{_ISO}') THEN {iso}",
        f"WHEN regexp_matches({text}, '^[0-9]{{10}}([.][0-9]+)?$') THEN {seconds}",
        f"WHEN regexp_matches({text}, '^[0-9]{{13}}$') "
        f"THEN make_timestamptz(TRY_CAST({text} AS BIGINT) * 1000)",
        f"WHEN regexp_matches({text}, '^[0-9]{{16}}$') "
        f"THEN make_timestamptz(TRY_CAST({text} AS BIGINT))",
        f"WHEN regexp_matches({text}, '^(19|20)[0-9]{{6}}$') THEN {_zoned(compact, timezone)}",
        f"WHEN regexp_matches({text}, {literal(_DAY_AND_MONTH)}) "
        f"THEN {_numbered_date(text, timezone, order)}",
        f"WHEN regexp_matches({text}, '^[A-Za-z]{{3}}, .* [+-][0-9]{{4}}$') "
        f"THEN try_strptime({text}, '{_WITH_OFFSET}')",
    ]
    named = _local_time(text, text, _NAMED_MONTHS, timezone)
    return f"CASE {' '.join(branches)} ELSE {named} END"


def _numbered_date(text: str, timezone: str, order: DayOrder | None) -> str:
    if order is None:
        return "NULL"
    days = ("%d/%m/%y", "%d/%m/%Y") if order == "day_first" else ("%m/%d/%y", "%m/%d/%Y")
    slashed = f"regexp_replace({text}, '^([0-9]{{1,2}})[/.-]([0-9]{{1,2}})[/.-]', '\\1/\\2/')"
    return _local_time(text, slashed, days, timezone)


def _local_time(text: str, written: str, days: Sequence[str], timezone: str) -> str:
    formats = "[" + ", ".join(literal(day + clock) for day in days for clock in _CLOCKS) + "]"
    parsed = f"try_strptime({written}, {formats})"
    at_end = f"CASE WHEN contains({text}, ':') THEN {parsed} ELSE {parsed} + {_END_OF_DAY} END"
    return _zoned(f"({at_end})", timezone)


def _zoned(naive: str, timezone: str) -> str:
    return f"timezone({literal(timezone)}, {naive})"


def earliest(time_sql: str) -> str:
    """First instant at which what is stored may have happened: a date's own midnight."""
    return (
        f"CASE WHEN epoch_us({time_sql}) % 60000000 = 59999999 "
        f"THEN {time_sql} - {_END_OF_DAY} ELSE {time_sql} END"
    )
