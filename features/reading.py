"""How one source is read: its columns, its user's expressions, the style of its times.

Pure SQL builders over a `Reading`: the rows that ``where`` keeps, and the counts that decide what
the values of a column mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .mapping import WON, MappedColumn
from .sources.expression import Expression
from .sources.staging import StagedSource
from .sql import identifier
from .tables import ColumnType
from .values import (
    DayOrder,
    clean_text,
    day_before_month,
    has_zone,
    is_number,
    is_time,
    lacks_zone,
    month_before_day,
    number,
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
    won = f", ({reading.won.sql}\n) AS {identifier(WON)}" if reading.won else ""
    conditions = [f"({reading.where.sql}\n)"] if reading.where else []
    conditions += _recent(reading)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {columns}{won} FROM {scope}{where}"


def _recent(reading: Reading) -> list[str]:
    """Conditions on a native time that let the engine pass over files and row groups too old."""
    day = reading.staged.source.read_from
    conditions = []
    for column in reading.columns:
        if day and column.name == "occurred_at" and is_time(reading.types[column.raw]):
            raw, source_type = identifier(column.raw), reading.types[column.raw]
            conditions.append(f"({raw} >= CAST('{day}' AS {source_type}) OR {raw} IS NULL)")
    return conditions


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
