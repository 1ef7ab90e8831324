"""Tables of an SQL database, by SQLAlchemy URL, streamed into a Parquet file.

Every value is written as text, as a CSV export would have it. So a database and its export pass
the same door, and a column whose type changes from batch to batch cannot stop the stream.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from leadlight.features.errors import (
    MissingExtraError,
    SourceError,
    did_you_mean,
    disk_is_full,
    says_disk_is_full,
)

from .source import Source

_BATCH = 50_000
_EXTRAS = {"psycopg": "postgres"}
_ROWS = "source_rows"


def database_label(source: Source) -> str:
    """Name of the source for messages, without user and password."""
    try:
        url = sa.make_url(source.url or "")
    except (ArgumentError, ValueError):
        return source.key
    place = (url.host or "") + (f":{url.port}" if url.port else "")
    table = f" {source.name}" if source.name else f" query of {source.key}"
    return f"{url.get_backend_name()}://{place}/{url.database or ''}{table}"


def stage_database(
    source: Source, target: Path, used: Callable[[Source, Sequence[str], str], Sequence[str]]
) -> None:
    """Stream a table or query into a Parquet file of text columns.

    The server keeps a cursor and sends batch after batch, so memory is bounded. Of a table it is
    asked only for the columns that are used, and for rows of ``since`` and later; a query runs as
    it is.

    Parameters
    ----------
    source : Source
    target : Path
    used : callable
        From the source, the columns of its table and its label to the columns that are read.

    Raises
    ------
    SourceError
        The URL, the connection, the table or the query is wrong.
    MissingExtraError
        The database's driver is not installed.
    WorkspaceError
        The disk is full.
    """
    label = database_label(source)
    engine = _engine(source)
    try:
        with _database_errors(label, source), engine.connect() as connection:
            streaming = connection.execution_options(stream_results=True, yield_per=_BATCH)
            result = streaming.execute(_statement(source, connection, used))
            names = _unique(tuple(result.keys()))
            schema = pa.schema([(name, pa.string()) for name in names])
            with pq.ParquetWriter(target, schema, compression="snappy") as writer:
                for rows in result.partitions(_BATCH):
                    columns = zip(*rows, strict=True)
                    arrays = [text_array(column) for column in columns]
                    writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    finally:
        engine.dispose()


def text_array(values: Sequence[Any]) -> pa.Array:
    """Render one column of a batch as text; times in ISO 8601, JSON and lists as JSON."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {str}:
        return pa.array(values, pa.string())
    if kinds == {bool}:
        return pa.array(["true" if v else None if v is None else "false" for v in values])
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64()).cast(pa.string())
        except (OverflowError, pa.ArrowInvalid):
            pass
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str, sort_keys=True)
    return str(value)


def _engine(source: Source) -> sa.Engine:
    try:
        url = sa.make_url(source.url or "")
    except (ArgumentError, ValueError):
        # The original error may quote the URL, password and all.
        raise SourceError(
            f"{source.key}.url is not a database URL.",
            hint="Write it like postgresql://user:${PASSWORD}@host/database or sqlite:///file.db",
        ) from None
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database and not _is_file(url.database):
        raise SourceError(f"{source.key}: database file {url.database} not found.")
    try:
        return sa.create_engine(url, hide_parameters=True)
    except NoSuchModuleError as error:
        raise SourceError(
            f"{source.key}: no dialect for '{url.drivername}' databases is installed.",
            hint="Install the SQLAlchemy dialect of this database.",
        ) from error
    except ModuleNotFoundError as error:
        driver = (error.name or "").split(".")[0]
        extra = _EXTRAS.get(driver)
        package = f"'leadlight[{extra}]'" if extra else driver
        raise MissingExtraError(
            f"{source.key}: reading {url.get_backend_name()} databases needs {driver}.",
            hint=f"Install it with  pip install {package}",
        ) from error


def _is_file(database: str) -> bool:
    return database == ":memory:" or database.startswith("file:") or Path(database).is_file()


def _statement(
    source: Source,
    connection: sa.Connection,
    used: Callable[[Source, Sequence[str], str], Sequence[str]],
) -> sa.Executable:
    if source.query is not None:
        # exec_driver_sql semantics: a colon in the user's SQL is not a parameter.
        return sa.text(source.query.replace(":", r"\:"))
    *schema, table = (source.name or "").split(".")
    inspector = sa.inspect(connection)
    where = ".".join(schema) or None
    known = [*inspector.get_table_names(schema=where), *inspector.get_view_names(schema=where)]
    if table not in known:
        raise SourceError(
            f"{source.key}: table '{source.name}' not found in {database_label(source)}."
            f"{did_you_mean(table, known)}",
            hint=f"It has: {', '.join(sorted(known)[:20]) or 'no tables'}.",
        )
    with warnings.catch_warnings():
        # A column of a type that SQLAlchemy does not know is read as text like any other.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        types = {item["name"]: item["type"] for item in inspector.get_columns(table, where)}
        key = inspector.get_pk_constraint(table, where)["constrained_columns"]
    rows = sa.table(table, *map(sa.column, types), schema=where).alias(_ROWS)
    wanted = used(source, tuple(types), database_label(source))
    dialect = connection.dialect.name
    statement = sa.select(*_selected(rows, wanted, key, dialect))
    # SQLite keeps whatever it is given in a column, however the column is declared.
    return statement if dialect == "sqlite" else _recent(statement, rows, types, source)


def _selected(
    rows: sa.FromClause, wanted: Sequence[str], key: Sequence[str], dialect: str
) -> list[sa.ColumnElement[Any]]:
    """Columns that are used, and what tells rows apart that are alike in them."""
    if len(wanted) == len(rows.c):
        return list(rows.c)
    if key:
        return [column for column in rows.c if column.name in {*wanted, *key}]
    if dialect == "postgresql":
        whole: sa.Label[int] = sa.literal_column(f"hashtextextended({_ROWS}::text, 0)").label(
            "whole row"
        )
        return [*(column for column in rows.c if column.name in wanted), whole]
    return list(rows.c)


def _recent(
    statement: sa.Select[Any],
    rows: sa.FromClause,
    types: Mapping[str, sa.types.TypeEngine[Any]],
    source: Source,
) -> sa.Select[Any]:
    """Ask only for rows of ``since`` and later, where the database knows that they are times."""
    day = source.read_from
    mapped = source.columns.get("occurred_at", "occurred_at").lower()
    name = next((name for name in types if name.lower() == mapped), None)
    if day is None or name is None or not isinstance(types[name], (sa.Date, sa.DateTime)):
        return statement
    start = day if isinstance(types[name], sa.Date) else datetime.combine(day, time())
    return statement.where((rows.c[name] >= start) | rows.c[name].is_(None))


def _unique(names: Sequence[str]) -> list[str]:
    taken: set[str] = set()
    unique = []
    for raw in names:
        name, copy = raw, 1
        while name.lower() in taken:
            copy += 1
            name = f"{raw}_{copy}"
        taken.add(name.lower())
        unique.append(name)
    return unique


@contextmanager
def _database_errors(label: str, source: Source) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        original = getattr(error, "orig", None) or error
        first = _without_secrets(str(original), source).strip().splitlines()
        raise SourceError(
            f"{source.key}: {label} cannot be read: {first[0] if first else 'no reason given'}.",
            hint="Check host, user, password and the query; the same URL must work in other tools.",
        ) from None
    except OSError as error:
        if says_disk_is_full(error):
            raise disk_is_full("what was read from the database") from error
        raise


def _without_secrets(message: str, source: Source) -> str:
    url = sa.make_url(source.url or "")
    secrets = [str(url.password)] if url.password else []
    secrets += [str(value) for key, value in url.query.items() if "pass" in key.lower()]
    for secret in secrets:
        message = message.replace(secret, "***")
    return message
