"""What the columns of staged sources mean: mapped names, types of values, styles of times."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .engines import DuckDBEngine
from .errors import SourceError
from .mapping import WON, MappedColumn, map_columns
from .reading import (
    Reading,
    TimeStyle,
    expression_scope,
    number_shares_query,
    text_times,
    time_styles_query,
)
from .sources import Source, StagedSource
from .sources.expression import (
    Expression,
    check_expression,
    read_expression,
    typed_columns,
)
from .sources.staging import FILE
from .sql import identifier
from .tables import ColumnType
from .values import is_number, is_text, is_time

_NUMBERS = 0.99
"""Share of a column's values that must be numbers for it to be one."""


def read_columns(
    engine: DuckDBEngine, staged: Sequence[StagedSource]
) -> tuple[list[Reading], list[str]]:
    """Decide how each source of a table is read.

    Returns
    -------
    list of Reading
    list of str
        Notes for people.

    Raises
    ------
    ColumnNotFoundError
        A mapped, required or referred column is not there.
    SourceError
        An expression cannot be evaluated.
    """
    notes: list[str] = []
    readings = []
    for index, item in enumerate(staged):
        reading, more = _reading(engine, index, item)
        readings.append(reading)
        notes += more
    numeric, doubts = _further_types(engine, readings)
    typed = [replace(reading, targets={**reading.targets, **numeric}) for reading in readings]
    return [_with_styles(engine, reading) for reading in typed], notes + doubts


def _reading(
    engine: DuckDBEngine, index: int, staged: StagedSource
) -> tuple[Reading, tuple[str, ...]]:
    source = staged.source
    label = ", ".join(file.label for file in staged.files[:3])
    label += f" and {len(staged.files) - 3} more" if len(staged.files) > 3 else ""
    where = _expression(engine, staged, "where", source.where, label)
    won = _expression(engine, staged, "won", source.won, label)
    expressions = [expression for expression in (where, won) if expression is not None]
    casts = _casts(engine, staged, expressions)
    types = dict(staged.columns)
    if won is not None:
        scope = expression_scope(staged.relation, casts)
        types[WON] = str(engine.rows(f"DESCRIBE SELECT ({won.sql}\n) FROM {scope}")[0][1])
    label_columns = (*(won.columns if won else ()), *([source.order_by] if source.order_by else []))
    mapping = map_columns(source, tuple(staged.columns), label=label, label_columns=label_columns)
    reading = Reading(
        index,
        staged,
        mapping.columns,
        types,
        where=where,
        won=won,
        casts=casts,
        offsets=_offsets(engine, staged, mapping.columns),
    )
    return _with_position(engine, reading), mapping.notes


def used_columns(
    engine: DuckDBEngine, source: Source, columns: Sequence[str], label: str
) -> tuple[str, ...]:
    """Columns of a source that anything is read from, in the source's order.

    Raises
    ------
    ColumnNotFoundError
        A mapped, required or referred column is not there.
    SourceError
        An expression is not SQL.
    """
    known = dict.fromkeys(columns, "")
    used: set[str] = set()
    for name, sql in (("where", source.where), ("won", source.won)):
        if sql is not None:
            key = f"{source.key}.{name}"
            used.update(read_expression(engine, sql, key=key, label=label, columns=known).columns)
            if "*" in sql:
                return tuple(columns)
    mapping = map_columns(source, columns, label=label)
    used.update(column.raw for column in mapping.columns if column.origin == "column")
    return tuple(name for name in columns if name in used)


def _expression(
    engine: DuckDBEngine, staged: StagedSource, name: str, sql: str | None, label: str
) -> Expression | None:
    if sql is None:
        return None
    key = f"{staged.source.key}.{name}"
    return read_expression(engine, sql, key=key, label=label, columns=staged.columns)


def _casts(
    engine: DuckDBEngine, staged: StagedSource, expressions: Sequence[Expression]
) -> dict[str, str]:
    referred = tuple(dict.fromkeys(name for item in expressions for name in item.columns))
    casts = typed_columns(engine, staged.relation, staged.columns, referred)
    if _refusal(engine, staged, expressions, casts) is None:
        return casts
    # LIKE, lower() and the like want text even where every value is a number.
    refused = _refusal(engine, staged, expressions, {})
    if refused is None:
        return {}
    expression, reason = refused
    raise SourceError(
        f"{expression.key}: {expression.sql!r} does not fit the columns: {reason}",
        hint="Text is written in single quotes, columns plainly; say the type where it matters: "
        "CAST(amount AS DOUBLE) > 0.",
    )


def _refusal(
    engine: DuckDBEngine,
    staged: StagedSource,
    expressions: Sequence[Expression],
    casts: Mapping[str, str],
) -> tuple[Expression, str] | None:
    scope = expression_scope(staged.relation, casts)
    for expression in expressions:
        reason = check_expression(engine, expression, scope)
        if reason is not None:
            return expression, reason
    return None


def _offsets(
    engine: DuckDBEngine, staged: StagedSource, columns: Sequence[MappedColumn]
) -> dict[str, int]:
    if len(staged.files) < 2 or all(column.origin != "row" for column in columns):
        return {}
    counts = dict(
        engine.rows(f"SELECT {identifier(FILE)}, count(*) FROM {staged.relation} GROUP BY ALL")
    )
    offsets, before = {}, 0
    for file in staged.files:
        offsets[str(file.path)] = before
        before += counts.get(str(file.path), 0)
    return offsets


def _with_position(engine: DuckDBEngine, reading: Reading) -> Reading:
    """Tell whether the column that orders a flat table holds numbers or times."""
    for column in reading.columns:
        if column.name != "position" or column.origin != "column":
            continue
        source_type = reading.types[column.raw]
        if is_time(source_type):
            return replace(reading, targets={"position": "time"})
        if is_text(source_type):
            values, numbers, _ = _shares(engine, reading, [column])[0]
            if numbers < _NUMBERS * values:
                return replace(reading, targets={"position": "time"})
    return reading


def _with_styles(engine: DuckDBEngine, reading: Reading) -> Reading:
    query = time_styles_query(reading)
    if query is None:
        return reading
    counts = engine.rows(query)[0]
    styles = {}
    for index, column in enumerate(text_times(reading)):
        zoned, naive, day_first, month_first = counts[4 * index : 4 * index + 4]
        order = None
        if day_first or month_first:
            order = "day_first" if day_first >= month_first else "month_first"
        mixed = bool(zoned and naive) and reading.staged.source.timezone is None
        styles[column.name] = TimeStyle(mixed, order)  # type: ignore[arg-type]
    return replace(reading, styles=styles)


def _further_types(
    engine: DuckDBEngine, readings: Sequence[Reading]
) -> tuple[dict[str, ColumnType], list[str]]:
    totals: dict[str, list[int]] = {}
    never: set[str] = set()
    for reading in readings:
        further = [column for column in reading.columns if column.type is None]
        texts = [column for column in further if is_text(reading.types[column.raw])]
        for column in further:
            total = totals.setdefault(column.name, [0, 0])
            if column in texts:
                continue
            if is_number(reading.types[column.raw]):
                total[0] += 1
                total[1] += 1
            else:
                never.add(column.name)
        if texts:
            for column, (values, numbers, coded) in zip(
                texts, _shares(engine, reading, texts), strict=True
            ):
                totals[column.name][0] += values
                totals[column.name][1] += numbers
                if coded:
                    never.add(column.name)
    targets: dict[str, ColumnType] = {}
    notes = []
    for name, (values, numbers) in totals.items():
        is_one = values > 0 and name not in never and numbers >= _NUMBERS * values
        targets[name] = "number" if is_one else "text"
        if is_one and numbers < values:
            table = readings[0].staged.source.table
            notes.append(
                f"{table}.{name}: {values - numbers:,} of {values:,} values are not numbers and "
                "count as missing."
            )
    return targets, notes


def _shares(
    engine: DuckDBEngine, reading: Reading, columns: list[MappedColumn]
) -> list[tuple[int, int, int]]:
    counts = engine.rows(number_shares_query(reading, columns))[0]
    return [
        (counts[3 * index], counts[3 * index + 1], counts[3 * index + 2])
        for index in range(len(columns))
    ]
