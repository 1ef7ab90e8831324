"""SQL expressions that a user writes over a source's columns: ``won``, ``where``."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ColumnNotFoundError, SourceError, did_you_mean
from leadlight.features.sql import identifier, literal
from leadlight.features.values import is_text


@dataclass(frozen=True)
class Expression:
    """A user's expression, understood.

    Attributes
    ----------
    sql : str
    columns : tuple of str
        Columns of the source that it refers to, as the source spells them.
    key : str
        Where the configuration speaks of it: ``"sources.outcomes.won"``.
    """

    sql: str
    columns: tuple[str, ...]
    key: str


def read_expression(
    engine: DuckDBEngine, sql: str, *, key: str, label: str, columns: Mapping[str, str]
) -> Expression:
    """Parse an expression and find the columns it refers to.

    Raises
    ------
    SourceError
        It is not SQL.
    ColumnNotFoundError
        It refers to a column that the source does not have.
    """
    # The line break ends a comment at the end of the user's text.
    statement = f"SELECT ({sql}\n)"
    parsed = json.loads(engine.rows(f"SELECT json_serialize_sql({literal(statement)})")[0][0])
    if parsed["error"] or len(parsed["statements"]) != 1:
        raise SourceError(
            f"{key}: {sql!r} is not an SQL expression: "
            f"{parsed.get('error_message', 'two statements')}.",
            hint="Write a condition over the source's columns, such as  stage = 'closedwon'",
        )
    by_lower = {name.lower(): name for name in columns}
    referred = dict.fromkeys(name for path in _column_references(parsed) for name in path[-1:])
    missing = [name for name in referred if name.lower() not in by_lower]
    if missing and not _subquery_or_lambda(sql):
        raise ColumnNotFoundError(
            f"{label}: column '{missing[0]}' in {key} not found."
            f"{did_you_mean(missing[0], columns)}",
            hint="Columns are written plainly or in double quotes, text in single quotes: "
            f"stage = 'closedwon'. The source has: {', '.join(columns)}.",
        )
    known = tuple(by_lower[name.lower()] for name in referred if name.lower() in by_lower)
    return Expression(sql, known, key)


def typed_columns(
    engine: DuckDBEngine, relation: str, columns: Mapping[str, str], referred: tuple[str, ...]
) -> dict[str, str]:
    """Casts under which text columns mean what they say: ``Converted = 1``, ``amount > 0``.

    Parameters
    ----------
    relation : str
        FROM item with the source's rows.
    columns : mapping of str to str
        Column -> DuckDB type.
    referred : tuple of str
        Columns of the expressions.

    Returns
    -------
    dict of str to str
        Column -> type to cast it to: DOUBLE, BOOLEAN or TIMESTAMP where every value fits.
    """
    texts = [name for name in referred if is_text(columns[name])]
    if not texts:
        return {}
    counts = []
    for name in texts:
        value = f"nullif(trim({identifier(name)}), '')"
        counts.append(f"count({value})")
        counts.append(f"count(TRY_CAST({value} AS DOUBLE))")
        counts.append(f"count(*) FILTER (lower({value}) IN ('true', 'false'))")
        counts.append(f"count(TRY_CAST({value} AS TIMESTAMP))")
    found = engine.rows(f"SELECT {', '.join(counts)} FROM {relation}")[0]
    casts = {}
    for index, name in enumerate(texts):
        filled, *fitting = found[4 * index : 4 * index + 4]
        for fits, target in zip(fitting, ("DOUBLE", "BOOLEAN", "TIMESTAMP"), strict=True):
            if filled and fits == filled:
                casts[name] = target
                break
    return casts


def check_expression(engine: DuckDBEngine, expression: Expression, scope: str) -> str | None:
    """Return why the expression does not fit the columns' types, or None where it does."""
    try:
        engine.rows(f"DESCRIBE SELECT ({expression.sql}\n) AS value FROM {scope}")
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return None


def _subquery_or_lambda(sql: str) -> bool:
    folded = sql.lower()
    return "select" in folded or "->" in folded or "lambda" in folded


def _column_references(node: object) -> Iterator[list[str]]:
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            yield node["column_names"]
        for child in node.values():
            yield from _column_references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _column_references(child)
