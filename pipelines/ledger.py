"""The ledger: one transactional database of what a workspace decided, promised and sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, create_engine
from sqlalchemy import event as engine_events
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from leadlight.features.errors import (
    SchemaMismatchError,
    WorkspaceError,
    disk_is_full,
    says_disk_is_full,
)

from .config import Config

METADATA = MetaData()
"""Tables of the ledger; each room that keeps something here adds its own."""

# Raised whenever an older leadlight could misread a table.
FORMAT_VERSION = 1

_OWNER = Table(
    "owner",
    METADATA,
    Column("project", String, primary_key=True),
    Column("format_version", Integer, nullable=False),
)


@contextmanager
def open_ledger(config: Config) -> Iterator[Connection]:
    """Open the project's ledger in one transaction: all that is written holds, or nothing.

    Tables that are not there yet are made.

    Parameters
    ----------
    config : Config
        Names the workspace, whose ``ledger.db`` serves unless ``ledger.url`` names a database.

    Raises
    ------
    SchemaMismatchError
        The ledger is another project's, or a newer leadlight wrote it.
    WorkspaceError
        It cannot be read or written: no room, no permission, no server, gone half-way.
    """
    engine = _engine(config)
    try:
        with engine.begin() as connection:
            METADATA.create_all(connection)
            _require_own(connection, config.project)
            yield connection
    except SQLAlchemyError as error:
        raise _unusable(error) from error
    finally:
        engine.dispose()


def ledger_exists(config: Config) -> bool:
    """Say whether there may be anything in the ledger: whoever only reads need not make one."""
    return config.ledger.url is not None or _path(config).exists()


def _path(config: Config) -> Path:
    return config.workspace_directory.absolute() / "ledger.db"


def _engine(config: Config) -> Engine:
    if config.ledger.url is not None:
        return create_engine(config.ledger.url.get_secret_value())
    path = _path(config)
    _make_folder(path.parent)
    engine = create_engine(f"sqlite:///{path}")
    engine_events.listen(engine, "connect", _sqlite_settings)
    engine_events.listen(engine, "begin", _sqlite_begin)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write the workspace {folder}: {error.strerror}",
            hint="Check the folder's owner and permissions, or set `workspace:` to another.",
        ) from error


def _sqlite_settings(connection: Any, _: object) -> None:
    # The driver's own transactions begin late and would leave CREATE TABLE outside of them.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    # What is deleted is overwritten: an erased lead must not stay in free pages.
    connection.execute("PRAGMA secure_delete = ON")


def _sqlite_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _require_own(connection: Connection, project: str) -> None:
    owner = connection.execute(_OWNER.select()).one_or_none()
    if owner is None:
        connection.execute(_OWNER.insert().values(project=project, format_version=FORMAT_VERSION))
    elif owner.project != project:
        raise SchemaMismatchError(
            f"the ledger belongs to project '{owner.project}', and this is '{project}'",
            hint="Give each project its own `workspace:` (and `ledger.url`), or mend `project:`.",
        )
    elif owner.format_version > FORMAT_VERSION:
        raise SchemaMismatchError(
            f"the ledger has format {owner.format_version}; this leadlight reads up to "
            f"{FORMAT_VERSION}",
            hint="Upgrade leadlight (pip install --upgrade leadlight).",
        )


def _unusable(error: SQLAlchemyError) -> WorkspaceError:
    if says_disk_is_full(error):
        return disk_is_full("the ledger")
    # The driver's own words; SQLAlchemy's would show the statement and its values.
    said = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
    return WorkspaceError(
        f"cannot use the ledger: {' '.join(said.split())}",
        hint="Check that its disk or server is there and may be written, then run again; nothing "
        "was half-written.",
    )
