"""Quoting for the SQL builders: every name and value that enters SQL passes here."""

from datetime import datetime
from pathlib import Path


def identifier(name: str) -> str:
    """Quote a column or table name.

    Examples
    --------
    >>> identifier('What is "it"?')
    '"What is ""it""?"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float | bool | datetime | None) -> str:
    """Render a value as an SQL literal; a time becomes a ``TIMESTAMPTZ`` and must carry its zone.

    Raises
    ------
    ValueError
        A time without a zone.

    Examples
    --------
    >>> literal("O'Hara")
    "'O''Hara'"
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            message = f"{value!r} has no time zone"
            raise ValueError(message)
        return f"TIMESTAMPTZ '{value.isoformat(sep=' ')}'"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


def parquet(path: Path) -> str:
    """Return the relation of a Parquet file, or of the files that a glob matches."""
    return f"read_parquet({literal(str(path))})"
