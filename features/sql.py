"""Quoting for the SQL builders: every name and value that enters SQL passes here."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

_PATTERN = re.compile(r"([*?\[])")


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


def file_literal(path: Path | str) -> str:
    """Render the path or URL of one file as an SQL literal, whatever its name holds.

    DuckDB takes ``*``, ``?`` and ``[`` in a path for a pattern, and would read another file.

    Examples
    --------
    >>> file_literal(Path("export[1].parquet"))
    "'export[[]1].parquet'"
    """
    return literal(_PATTERN.sub(r"[\1]", str(path)))


def parquet(path: Path) -> str:
    """Return the relation of one Parquet file."""
    return f"read_parquet({file_literal(path)})"


def parquet_files(paths: Sequence[Path]) -> str:
    """Return the relation of some Parquet files."""
    return f"read_parquet([{', '.join(map(file_literal, paths))}])"


def parquet_parts(folder: Path) -> str:
    """Return the relation of all Parquet files in a folder."""
    pattern = _PATTERN.sub(r"[\1]", str(folder)) + "/*.parquet"
    return f"read_parquet({literal(pattern)})"
