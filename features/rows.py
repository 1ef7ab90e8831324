"""Rows that somebody sends, as a canonical table: each value checked as the door would."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from .errors import DataQualityError, did_you_mean
from .tables import TABLES, ColumnType

_TYPES: Mapping[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "time": pa.timestamp("us", tz="UTC"),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}


def table_of_rows(table: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as the canonical table that a project has.

    Parameters
    ----------
    table : str
        Name of a canonical table.
    rows : sequence of mapping of column to plain value
        Times as text with a zone (ISO 8601); an empty text is a missing value.
    schema : Schema
        Columns of the project's table; a column that a row lacks is missing in it.

    Raises
    ------
    DataQualityError
        A column that the project does not have, a required value that is missing, or a value of
        another type; with row and column.
    """
    canonical = {column.name: column for column in TABLES[table].columns}
    types = {
        field.name: _TYPES[canonical[field.name].type] if field.name in canonical else field.type
        for field in schema
    }
    for at, row in enumerate(rows, start=1):
        for name in row:
            if name not in types:
                raise DataQualityError(
                    f"{table}, row {at}: the project has no column '{name}'."
                    f"{did_you_mean(name, types)}",
                    hint=f"Columns of {table}: {', '.join(types)}.",
                )
        lacking = [
            name for name, column in canonical.items() if column.required and _lacks(row, name)
        ]
        if lacking:
            raise DataQualityError(f"{table}, row {at}: '{lacking[0]}' is missing.")
        either = TABLES[table].either
        if either and all(_lacks(row, name) for name in either):
            raise DataQualityError(f"{table}, row {at}: neither '{either[0]}' nor '{either[1]}'.")
    columns = {
        name: pa.array(
            [_value(table, at, name, row.get(name), kind) for at, row in enumerate(rows, start=1)],
            kind,
        )
        for name, kind in types.items()
    }
    return pa.table(columns)


def _lacks(row: Mapping[str, Any], name: str) -> bool:
    value = row.get(name)
    return value is None or (isinstance(value, str) and not value.strip())


def _value(table: str, at: int, name: str, value: Any, kind: pa.DataType) -> Any:
    """Read one value; ids may come as numbers, nothing else is guessed."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if pa.types.is_string(kind) and isinstance(value, str | int) and not isinstance(value, bool):
        return str(value).strip()
    if pa.types.is_timestamp(kind) and isinstance(value, str):
        return _moment(table, at, name, value)
    if pa.types.is_boolean(kind) and isinstance(value, bool):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if pa.types.is_floating(kind) and is_number and math.isfinite(value):
        return float(value)
    if pa.types.is_integer(kind) and is_number and float(value).is_integer():
        return int(value)
    raise DataQualityError(f"{table}, row {at}: '{name}' is {value!r:.60}, and should be {kind}.")


def _moment(table: str, at: int, name: str, value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise DataQualityError(
            f"{table}, row {at}: '{name}' is {value!r:.60}, which is no time.",
            hint="Write it like 2026-01-31T06:00:00Z.",
        ) from error
    if moment.tzinfo is None:
        raise DataQualityError(
            f"{table}, row {at}: '{name}' is {value!r:.60}, a time without a zone.",
            hint="Add it: Z for UTC, or +01:00.",
        )
    return moment.astimezone(UTC)
