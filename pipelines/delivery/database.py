"""A table of an SQL database as a sink: one row for each lead, upserted."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    inspect,
    make_url,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.types import TypeEngine

from leadlight.features.errors import DeliveryError, did_you_mean
from leadlight.pipelines.config_delivery import DatabaseSinkSettings

from .fields import FIELDS, FieldType
from .secret import secret_of, without_secrets
from .sink import Batch, Message, Outcome, TryAgainError, as_text, delivered

_TYPES: Mapping[FieldType, type[TypeEngine[Any]] | TypeEngine[Any]] = {
    "id": String(255),
    "number": Float,
    "whole": Integer,
    "word": String(100),
    "text": Text,
    "flag": Boolean,
    "time": DateTime(timezone=True),
}


class DatabaseSink:
    """Upserts leads into a table, which is made when missing.

    A row that already says what it should is not touched, so a batch that is sent twice has one
    effect, also on triggers.

    Parameters
    ----------
    settings : DatabaseSinkSettings
    names : mapping of str to str
        What each field's column is called.

    Raises
    ------
    DeliveryError
        The URL is no URL, its driver is missing, or the table lacks a column.
    """

    batch_size = 1_000

    def __init__(self, settings: DatabaseSinkSettings, names: Mapping[str, str]) -> None:
        self._name = settings.name
        self._names = names
        self._key = names["lead_id"]
        self._url = secret_of(settings.url, sink=settings.name)
        self._engine = self._connect(settings.timeout_seconds)
        self._place = settings.table
        self._table: Table | None = None

    def send(self, batch: Batch) -> Sequence[Outcome]:
        """Upsert a batch in one transaction; rows that the database refuses are told apart."""
        try:
            table = self._ready_table()
            rows = [self._row(table, message) for message in batch.messages]
            try:
                with self._engine.begin() as connection:
                    upsert(connection, table, self._key, rows)
            except (IntegrityError, DataError):
                return [
                    self._send_alone(table, message, row)
                    for message, row in zip(batch.messages, rows, strict=True)
                ]
        except SQLAlchemyError as error:
            if isinstance(error, DBAPIError) and _is_passing(error):
                raise TryAgainError(self._words(error)) from None
            raise self._unusable(error) from None
        return delivered(batch)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _send_alone(self, table: Table, message: Message, row: dict[str, Any]) -> Outcome:
        try:
            with self._engine.begin() as connection:
                upsert(connection, table, self._key, [row])
        except (IntegrityError, DataError) as error:
            return Outcome(message.lead_id, "refused", self._words(error))
        return Outcome(message.lead_id, "delivered")

    def _connect(self, timeout_seconds: float) -> Engine:
        try:
            is_postgres = make_url(self._url).get_backend_name() == "postgresql"
            patience = {"connect_timeout": max(round(timeout_seconds), 1)} if is_postgres else {}
            return create_engine(self._url, pool_pre_ping=True, connect_args=patience)
        except (SQLAlchemyError, ImportError) as error:
            raise self._unusable(error) from None

    def _ready_table(self) -> Table:
        if self._table is None:
            schema, _, name = self._place.rpartition(".")
            table = Table(name, MetaData(), *self._columns(), schema=schema or None)
            table.create(self._engine, checkfirst=True)
            self._adopt(table, {c["name"]: c["type"] for c in self._present(table)})
            self._table = table
        return self._table

    def _adopt(self, table: Table, present: Mapping[str, Any]) -> None:
        """Take the columns as the database has them: it knows better what they hold."""
        for column in table.columns:
            if column.name not in present:
                raise DeliveryError(
                    f"sink '{self._name}': table {self._place} has no column "
                    f"'{column.name}'.{did_you_mean(column.name, present)}",
                    hint="Add it, or map the field to another name under `fields`.",
                )
            column.type = present[column.name]
        told, place = inspect(self._engine), {"schema": table.schema}
        keys: list[Sequence[str | None]] = [
            told.get_pk_constraint(table.name, **place)["constrained_columns"]
        ]
        keys += [key["column_names"] for key in told.get_unique_constraints(table.name, **place)]
        keys += [
            index["column_names"]
            for index in told.get_indexes(table.name, **place)
            if index["unique"]
        ]
        if [self._key] not in keys:
            raise DeliveryError(
                f"sink '{self._name}': '{self._key}' is no key of table {self._place}",
                hint="Make it the primary key, or unique, so that a lead has one row.",
            )

    def _present(self, table: Table) -> Sequence[Any]:
        return inspect(self._engine).get_columns(table.name, schema=table.schema)

    def _columns(self) -> list[Column[Any]]:
        return [
            Column(theirs, _TYPES[FIELDS[ours].type], primary_key=ours == "lead_id")
            for ours, theirs in self._names.items()
        ]

    def _row(self, table: Table, message: Message) -> dict[str, Any]:
        return {
            theirs: _value(message.values[ours], table.c[theirs].type)
            for ours, theirs in self._names.items()
        }

    def _words(self, error: DBAPIError) -> str:
        # The driver's own words; SQLAlchemy's would show the statement and its values.
        return without_secrets(str(error.orig), self._url)

    def _unusable(self, error: Exception) -> DeliveryError:
        said = without_secrets(str(error), self._url)
        return DeliveryError(
            f"sink '{self._name}': cannot use the database: {said}",
            hint="The URL looks like postgresql+psycopg://user:password@host/database "
            "(pip install 'leadlight[postgres]').",
        )


def upsert(connection: Connection, table: Table, key: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or change those whose key is there and that say something else.

    PostgreSQL and SQLite do it in one statement (ON CONFLICT); any other database is asked first
    which keys it has.
    """
    match connection.dialect.name:
        case "postgresql":
            statement: Any = postgresql.insert(table)
        case "sqlite":
            statement = sqlite.insert(table)
        case _:
            _update_or_insert(connection, table, key, rows)
            return
    others = [column for column in table.c if column.name != key]
    if others:
        statement = statement.on_conflict_do_update(
            index_elements=[key],
            set_={column.name: statement.excluded[column.name] for column in others},
            where=or_(*(c.is_distinct_from(statement.excluded[c.name]) for c in others)),
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=[key])
    connection.execute(statement, list(rows))


def _update_or_insert(
    connection: Connection, table: Table, key: str, rows: Sequence[dict[str, Any]]
) -> None:
    keys = [row[key] for row in rows]
    there = {
        row[key]: dict(row)
        for row in connection.execute(select(table).where(table.c[key].in_(keys))).mappings()
    }
    new = [row for row in rows if row[key] not in there]
    if new:
        connection.execute(table.insert(), new)
    for row in rows:
        if row[key] in there and row != there[row[key]]:
            connection.execute(table.update().where(table.c[key] == row[key]).values(row))


def _value(value: Any, column: TypeEngine[Any]) -> Any:
    if isinstance(value, list):
        return as_text(value)
    if value is not None and isinstance(column, Date) and hasattr(value, "date"):
        return value.date()
    if isinstance(column, (Integer, BigInteger)) and isinstance(value, bool):
        return int(value)
    return value


def _is_passing(error: DBAPIError) -> bool:
    """Whether the connection failed, or a lock, rather than the row."""
    return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))
