"""Staging: every source becomes Parquet, so that one door serves all of them.

Text files and databases are written once, as text columns, into a temporary folder; Parquet is
read where it lies. Row numbers then cost nothing: Parquet knows them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import (
    LeadlightError,
    SourceError,
    did_you_mean,
    disk_is_full,
    says_disk_is_full,
)
from leadlight.features.sql import file_literal, identifier, literal

from .files import find_files
from .object_store import ObjectStores, StoredObject, TableFile
from .source import Source
from .text import (
    Dialect,
    check_encoding,
    needs_rewriting,
    read_dialect,
    read_text,
    rewrite,
)

FILE = "#file"
ROW = "file_row_number"


@dataclass(frozen=True)
class StagedFile:
    """One Parquet file that holds what a source's file or table says.

    Attributes
    ----------
    path : Path or StoredObject
        Parquet.
    label : str
        Name of the original, for messages and the quarantine.
    malformed : Path or None
        Parquet of the rows that could not be cut into columns: ``line`` (in the file, from 1),
        ``kept_before`` (rows read before it), ``text``, ``message``.
    notes : tuple of str
    """

    path: TableFile
    label: str
    malformed: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StagedSource:
    """A source whose rows lie in Parquet.

    Attributes
    ----------
    source : Source
    files : tuple of StagedFile
    columns : mapping of str to str
        Column -> DuckDB type.
    """

    source: Source
    files: tuple[StagedFile, ...]
    columns: Mapping[str, str]

    @property
    def relation(self) -> str:
        """FROM item: the rows as read, with ``#file`` (path) and ``file_row_number`` (from 0)."""
        return read_parquet([file.path for file in self.files])


@dataclass
class Stage:
    """Turns sources into Parquet under one temporary folder; a file is staged once.

    Parameters
    ----------
    engine : DuckDBEngine
    directory : Path
        Temporary folder; the caller removes it.
    labels : mapping of Path or StoredObject to str
        Short names of files.
    stores : ObjectStores
        That the files are found in.
    used : callable
        From a source, the columns of its table and its label to the columns that are read.
    """

    engine: DuckDBEngine
    directory: Path
    labels: Mapping[TableFile, str]
    stores: ObjectStores
    used: Callable[[Source, Sequence[str], str], Sequence[str]]
    _text: dict[tuple[TableFile, str | None, str | None], StagedFile] = field(default_factory=dict)
    _count: int = 0

    def stage(self, source: Source) -> StagedSource:
        """Bring one source into Parquet.

        Raises
        ------
        SourceError
            It cannot be read.
        """
        staged: tuple[StagedFile, ...]
        if source.url is not None:
            # SQLAlchemy, which a project of files need not wait for.
            from .database import database_label, stage_database  # noqa: PLC0415

            target = self._next()
            stage_database(source, target, self.used)
            staged = (StagedFile(target, database_label(source)),)
        else:
            files = find_files(source, self.stores)
            if files.kind == "text":
                staged = tuple(self._stage_text(path, source) for path in files.paths)
            elif files.kind == "duckdb":
                staged = (self._stage_duckdb(files.paths[0], source),)
            else:
                self._open_stores(files.paths)
                staged = tuple(StagedFile(path, self._label(path)) for path in files.paths)
        return StagedSource(source, staged, self._columns(source, staged))

    def _open_stores(self, paths: Sequence[TableFile]) -> None:
        stores = {id(p.store): p.store for p in paths if isinstance(p, StoredObject)}
        for store in stores.values():
            self.engine.open_store(store)

    def _stage_text(self, path: TableFile, source: Source) -> StagedFile:
        known = (path, source.delimiter, source.encoding)
        if known not in self._text:
            dialect = read_dialect(path, source)
            if isinstance(path, StoredObject) or needs_rewriting(path, dialect):
                plain = self._next(".csv")
                rewrite(path, dialect, plain, source)
                self._text[known] = self._read_text(path, plain, dialect, source)
                plain.unlink()
            else:
                self._text[known] = self._read_text(path, path, dialect, source)
        return self._text[known]

    def _read_text(
        self, path: TableFile, plain: Path, dialect: Dialect, source: Source
    ) -> StagedFile:
        target = self._next()
        rejects = f"rejects_{target.stem}"
        strict = not dialect.mixed_ends
        try:
            try:
                self._copy(read_text(plain, dialect, rejects=rejects, strict=strict), target)
            except duckdb.InvalidInputException as error:
                if not strict or "invalid state" not in str(error):
                    raise
                rejects += "_loose"
                strict = False
                self._copy(read_text(plain, dialect, rejects=rejects, strict=False), target)
        except duckdb.Error as error:
            raise _unreadable(path, source, error) from error
        malformed = self._malformed(path, dialect, source, rejects)
        lenient = (
            f"{self._label(path)}: the ends of lines are of several kinds; read leniently, "
            "values beyond the last column were cut."
        )
        return StagedFile(target, self._label(path), malformed, () if strict else (lenient,))

    def _malformed(
        self, path: TableFile, dialect: Dialect, source: Source, rejects: str
    ) -> Path | None:
        kinds = dict(
            self.engine.rows(
                f"SELECT error_type::VARCHAR, count(*) FROM {identifier(rejects)} GROUP BY ALL"
            )
        )
        if "INVALID ENCODING" in kinds:
            check_encoding(path, dialect, source)
        target = None
        if kinds:
            target = self._next()
            self.engine.write_parquet(_malformed_sql(rejects), target)
        self.engine.execute(f"DROP TABLE {identifier(rejects)}")
        self.engine.execute(f"DROP TABLE {identifier(rejects + '_scan')}")
        return target

    def _stage_duckdb(self, path: TableFile, source: Source) -> StagedFile:
        target = self._next()
        local = self._next(".duckdb") if isinstance(path, StoredObject) else path
        if isinstance(path, StoredObject):
            path.download(local)
        label = f"{self._label(path)} {source.name or f'query of {source.key}'}"
        self.engine.execute("USE memory")
        try:
            self.engine.execute(f"ATTACH {literal(str(local))} AS source_file (READ_ONLY)")
        except duckdb.Error as error:
            raise SourceError(
                f"{source.key}: {path} cannot be opened as a DuckDB file: {_first(error)}",
                hint="It may be damaged, of a newer DuckDB, or in use by a program that writes.",
            ) from error
        try:
            self.engine.execute("USE source_file")
            query = source.query or f"FROM {_table_name(source.name or '')}"
            self._copy(f"({query.rstrip().rstrip(';')})", target)
        except duckdb.Error as error:
            known = [
                row[0]
                for row in self.engine.rows(
                    "SELECT table_name FROM duckdb_tables() "
                    "WHERE database_name = 'source_file' UNION SELECT view_name FROM "
                    "duckdb_views() WHERE database_name = 'source_file' AND NOT internal ORDER BY 1"
                )
            ]
            raise SourceError(
                f"{source.key}: {label} cannot be read: {_first(error)}"
                f"{did_you_mean((source.name or '').split('.')[-1], known)}",
                hint=f"The file has: {', '.join(known) or 'no tables'}.",
            ) from error
        finally:
            self.engine.execute("USE memory")
            self.engine.execute("DETACH source_file")
            if isinstance(path, StoredObject):
                local.unlink()
        return StagedFile(target, label)

    def _columns(self, source: Source, files: tuple[StagedFile, ...]) -> dict[str, str]:
        staged = StagedSource(source, files, {})
        try:
            described = self.engine.rows(f"DESCRIBE SELECT * FROM {staged.relation}")
        except duckdb.Error as error:
            check_readable(self.engine, staged)
            raise SourceError(
                f"{source.key}: the files do not fit together: {_first(error)}",
                hint="Give files of different columns or types a source each.",
            ) from error
        return {str(row[0]): str(row[1]) for row in described if row[0] not in {FILE, ROW}}

    def _copy(self, item: str, target: Path) -> None:
        self.engine.execute(
            f"COPY (SELECT * FROM {item}) TO {literal(str(target))} "
            "(FORMAT parquet, COMPRESSION snappy)"
        )

    def _label(self, path: TableFile) -> str:
        return self.labels.get(path, path.name)

    def _next(self, suffix: str = ".parquet") -> Path:
        self._count += 1
        return self.directory / f"{self._count:06d}{suffix}"


def read_parquet(paths: Sequence[TableFile]) -> str:
    """FROM item over Parquet files with their path and row numbers."""
    listed = ", ".join(file_literal(str(path)) for path in paths)
    return (
        f"read_parquet([{listed}], union_by_name = true, filename = {literal(FILE)}, "
        "file_row_number = true)"
    )


def check_readable(engine: DuckDBEngine, staged: StagedSource) -> None:
    """Read every value of every file, to name the one that is damaged.

    Raises
    ------
    SourceError
        There is one.
    """
    for file in staged.files:
        if isinstance(file.path, StoredObject):
            with file.path.open() as stored:
                stored.read(1)
        item = f"read_parquet({file_literal(str(file.path))})"
        try:
            engine.rows(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {item}")
        except duckdb.Error as error:
            raise SourceError(
                f"{staged.source.key}: {file.path} is not a readable Parquet file: {_first(error)}",
                hint="It may have been cut off while it was written or copied; export it again.",
            ) from error


def _malformed_sql(rejects: str) -> str:
    return f"""
    SELECT line::BIGINT AS line,
           line::BIGINT - 1 - row_number() OVER (ORDER BY line) AS kept_before,
           any_value(csv_line) AS text,
           string_agg(error_message, '; ' ORDER BY error_message) AS message
    FROM {identifier(rejects)} GROUP BY line ORDER BY line"""


def _unreadable(path: TableFile, source: Source, error: duckdb.Error) -> LeadlightError:
    if says_disk_is_full(error):
        return disk_is_full(f"what was read from {path}")
    return SourceError(
        f"{source.key}: {path} cannot be read: {_first(error)}",
        hint=f"Open it in a text editor, or set {source.key}.delimiter and {source.key}.encoding.",
    )


def _table_name(name: str) -> str:
    return ".".join(identifier(part) for part in name.split("."))


def _first(error: duckdb.Error) -> str:
    """First line of what went wrong; of an error inside a store's package, past its traceback."""
    lines = str(error).splitlines()
    if lines[0].startswith("Traceback"):
        lines = [line for line in lines[1:] if not line.startswith(" ")] or lines
    return lines[0]
