"""DuckDB, the embedded engine: the only place that opens a connection."""

import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from leadlight.features.errors import WorkspaceError, disk_is_full, says_disk_is_full
from leadlight.features.sql import identifier, literal


class DuckDBEngine(AbstractContextManager["DuckDBEngine"]):
    """Runs SQL within a memory limit; what does not fit spills to a temporary folder.

    Parameters
    ----------
    memory_limit : str
        As DuckDB writes it: ``"2GB"``.
    threads : int, optional
        Default: all cores.
    temp_directory : Path, optional
        Where to spill; default: a folder of its own in the system's temporary folder, removed at
        the end.
    """

    def __init__(
        self,
        *,
        memory_limit: str = "2GB",
        threads: int | None = None,
        temp_directory: Path | None = None,
    ) -> None:
        self._spill = tempfile.TemporaryDirectory(
            prefix=".spill.",
            suffix=f".{os.getpid()}.partial",
            dir=temp_directory,
            ignore_cleanup_errors=True,
        )
        config: dict[str, Any] = {
            "memory_limit": memory_limit,
            "temp_directory": self._spill.name,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if threads is not None:
            config["threads"] = threads
        self._memory_limit = memory_limit
        self._connection = duckdb.connect(":memory:", config=config)
        self._connection.execute("SET TimeZone = 'UTC'")
        self._parsed = lru_cache(maxsize=64)(self._statement)
        # In a notebook without ipywidgets the bar is off already, and to set it is an error.
        if self.rows("SELECT current_setting('enable_progress_bar')") == [(True,)]:
            self._connection.execute("SET enable_progress_bar = false")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Close the connection and remove what was spilled."""
        for protocol in self._connection.list_filesystems():
            self._connection.unregister_filesystem(protocol)
        self._connection.close()
        self._spill.cleanup()

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """Run a statement for its effect."""
        with _domain_errors():
            self._connection.execute(sql, list(parameters))

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a small result."""
        with _domain_errors():
            found: list[tuple[Any, ...]] = self._connection.execute(
                sql, list(parameters)
            ).fetchall()
            return found

    def table(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """Return a result as an Arrow table."""
        with _domain_errors():
            return self._connection.sql(sql, params=list(parameters)).to_arrow_table()

    def small_table(self, sql: str) -> pa.Table:
        """Return a small result as an Arrow table, by the statement ``sql``.

        It is planned once where ``table`` plans it twice, and parsed once for all times that it is
        asked: for a few rows that is most of the work.
        """
        with _domain_errors(), warnings.catch_warnings():
            # The rows are copied once more, of which there are few.
            warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)
            return self._connection.execute(self._parsed(sql)).to_arrow_table()

    def _statement(self, sql: str) -> duckdb.Statement:
        (statement,) = self._connection.extract_statements(sql)
        return statement

    def batches(self, sql: str, *, rows: int = 100_000) -> pa.RecordBatchReader:
        """Stream a result as Arrow batches."""
        with _domain_errors():
            return self._connection.sql(sql).to_arrow_reader(rows)

    @contextmanager
    def temporary_table(self, name: str, sql: str) -> Iterator[None]:
        """Keep a result under a name within this connection, until the end of the block."""
        self.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(name)} AS {sql}")
        try:
            yield
        finally:
            self.execute(f"DROP TABLE IF EXISTS {identifier(name)}")

    @contextmanager
    def registered(self, name: str, rows: pa.Table) -> Iterator[None]:
        """Let SQL read rows in memory under a name, until the end of the block."""
        self._connection.register(name, rows)
        try:
            yield
        finally:
            self._connection.unregister(name)

    @contextmanager
    def limited(self, share: float) -> Iterator[None]:
        """Keep to a share of the memory limit until the end of the block; give back the rest."""
        number, unit = re.findall(r"[\d.]+|[A-Za-z]+", self._memory_limit)
        self.execute(f"SET memory_limit = '{float(number) * share:.4f}{unit}'")
        try:
            yield
        finally:
            self.execute(f"SET memory_limit = '{self._memory_limit}'")

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield an empty folder for intermediate files beside what is spilled."""
        with tempfile.TemporaryDirectory(dir=self._spill.name) as folder:
            yield Path(folder)

    def open_store(self, store: Any) -> None:
        """Let SQL read the URLs of an fsspec file system until the engine closes."""
        protocols = [store.protocol] if isinstance(store.protocol, str) else store.protocol
        for protocol in set(protocols) & set(self._connection.list_filesystems()):
            self._connection.unregister_filesystem(protocol)
        self._connection.register_filesystem(store)

    def write_parquet(self, sql: str, path: Path) -> None:
        """Write a result as one Parquet file, all or nothing: a temporary name, then a rename.

        Raises
        ------
        WorkspaceError
            The disk is full or not writable.
        """
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.execute(
                f"COPY ({sql}) TO {literal(str(partial))} "
                "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
            )
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def _domain_errors() -> Iterator[None]:
    """Turn what the world does to a query (a full disk, Ctrl-C) into its own error."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        message = str(error)
        if says_disk_is_full(error):
            raise disk_is_full(f"the engine's files ({message.splitlines()[0]})") from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise WorkspaceError(
                f"the engine's memory limit is too small: {message.splitlines()[0]}",
                hint="Raise memory_limit in the configuration.",
            ) from error
        raise
    except (RuntimeError, duckdb.Error) as error:
        # DuckDB swallows the signal and reports its own error instead.
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise
