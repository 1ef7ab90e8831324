"""Raw tables as they lie in a folder: their files, columns, and the first rows of each."""

import csv
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Literal, TextIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import LeadlightError
from leadlight.features.sources import Source
from leadlight.features.sources.files import kind_of
from leadlight.features.sources.text import read_dialect
from leadlight.features.sql import identifier, literal

ValueKind = Literal["time", "number", "boolean", "text", "empty"]

ROWS = 10_000
_SKIPPED_FOLDERS = {"workspace", "workspaces", "mlruns", "node_modules", "__pycache__"}
_TIME = re.compile(
    r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"
    r"|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4})"
    r"([T ]\d{1,2}:\d{2}.*)?$"
)
_GENERIC_WORDS = {"data", "dataset", "export", "exports", "table", "full", "all", "raw", "final"}
_BOOLEANS = {"true", "false", "yes", "no", "t", "f", "y", "n"}


@dataclass(frozen=True)
class RawColumn:
    """A column and what the first rows hold.

    Attributes
    ----------
    name : str
    values : tuple of str
        Values of the first rows that are not empty, in order.
    rows : int
        First rows, empty values included.
    """

    name: str
    values: tuple[str, ...] = field(repr=False)
    rows: int

    @cached_property
    def distinct(self) -> tuple[str, ...]:
        """Each value once, in order of first appearance."""
        return tuple(dict.fromkeys(self.values))

    @cached_property
    def kind(self) -> ValueKind:
        """What the values are; nearly all must agree."""
        if not self.values:
            return "empty"
        sample = self.distinct[:500]
        enough = 0.95 * len(sample)
        if sum(value.lower() in _BOOLEANS for value in sample) >= enough:
            return "boolean"
        if sum(_TIME.match(value) is not None for value in sample) >= enough:
            return "time"
        return "number" if sum(_is_number(value) for value in sample) >= enough else "text"

    @property
    def is_key(self) -> bool:
        """Whether each row has its own value; a few repeated rows are forgiven."""
        return self.rows == len(self.values) and len(self.distinct) >= 0.98 * self.rows > 0


@dataclass(frozen=True)
class RawTable:
    """One table: a file, several files of one pattern, or a table in a DuckDB file.

    Attributes
    ----------
    path : str
        File or glob relative to the folder, with forward slashes.
    files : tuple of Path
    columns : tuple of RawColumn
    name : str or None
        Table in the DuckDB file.
    encoding : str or None
        Of a text file that is not UTF-8.
    """

    path: str
    files: tuple[Path, ...]
    columns: tuple[RawColumn, ...]
    name: str | None = None
    encoding: str | None = None

    @property
    def label(self) -> str:
        """Name for messages: ``crm.duckdb contacts``."""
        return f"{self.path} {self.name}" if self.name else self.path

    @property
    def stem(self) -> str:
        """What the table is called, without folder, numbers and ending; a folder's, if need be."""
        parts = [self.name] if self.name else Path(self.path).parts
        for part in reversed(parts):
            words = re.sub(r"[^A-Za-z]+", "_", part.split(".")[0]).strip("_").lower()
            if words and words not in {"part", "data"}:
                return words
        return "table"

    @property
    def noun(self) -> str:
        """The word of its name that says what its rows are: ``list`` of ``contact_list_data``."""
        words = [word for word in self.stem.split("_") if word not in _GENERIC_WORDS]
        return words[-1] if words else ""

    def column(self, name: str) -> RawColumn:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)

    def all_values(self, name: str) -> Iterator[str]:
        """Yield a column's values in every row; empty ones left out."""
        for file in self.files:
            for _, rows in _rows_of(file, self.name, self.encoding, columns=[name]):
                yield from (value for (value,) in rows if value)


@dataclass(frozen=True)
class RawTables:
    """All tables of a folder, and the files that could not be read.

    Attributes
    ----------
    tables : tuple of RawTable
    unreadable : tuple of str
        A sentence for each.
    """

    tables: tuple[RawTable, ...]
    unreadable: tuple[str, ...]


def read_raw_tables(directory: Path) -> RawTables:
    """Look at every table file below a folder.

    Hidden files and folders and those of a workspace are passed over. Files of the same columns
    whose names differ in numbers only are one table.
    """
    tables: list[RawTable] = []
    unreadable: list[str] = []
    for file in _table_files(directory):
        label = file.relative_to(directory).as_posix()
        try:
            tables += _tables_of(file, label)
        except (LeadlightError, OSError, ValueError, pa.ArrowException, duckdb.Error) as error:
            text = error.message if isinstance(error, LeadlightError) else str(error)
            unreadable.append(f"{label} cannot be read: {text.splitlines()[0] if text else ''}")
    return RawTables(tuple(_joined(tables)), tuple(unreadable))


def _table_files(directory: Path) -> list[Path]:
    found = []
    for path in sorted(directory.rglob("*")):
        parts = path.relative_to(directory).parts
        is_hidden = any(part.startswith((".", "_")) for part in parts)
        is_skipped = is_hidden or _SKIPPED_FOLDERS & set(parts[:-1]) or "${" in str(path)
        if not is_skipped and kind_of(path) and path.is_file():
            found.append(path)
    return found


def _tables_of(file: Path, label: str) -> Iterator[RawTable]:
    encoding = _encoding(file) if kind_of(file) == "text" else None
    inside = _duckdb_tables(file) if kind_of(file) == "duckdb" else [None]
    for name in inside:
        head: list[tuple[str | None, ...]] = []
        header: Sequence[str] = ()
        for names, rows in _rows_of(file, name, encoding):
            header = names
            head += islice(rows, ROWS - len(head))
            if len(head) >= ROWS:
                break
        columns = tuple(
            RawColumn(column, tuple(row[place] or "" for row in head if row[place]), len(head))
            for place, column in enumerate(header)
            if "${" not in column
        )
        yield RawTable(label, (file,), columns, name, encoding)


def _joined(tables: Sequence[RawTable]) -> Iterator[RawTable]:
    groups: dict[tuple[object, ...], list[RawTable]] = {}
    for table in tables:
        names = tuple(column.name for column in table.columns)
        groups.setdefault((_pattern(table), table.name, table.encoding, names), []).append(table)
    for group in groups.values():
        first, pattern = group[0], _pattern(group[0])
        matching = sum(fnmatch(table.path, pattern) for table in tables)
        if len(group) == 1 or first.name or matching != len(group):
            yield from group
            continue
        columns = tuple(
            RawColumn(
                column.name,
                tuple(value for table in group for value in table.column(column.name).values),
                sum(table.column(column.name).rows for table in group),
            )
            for column in first.columns
        )
        files = tuple(file for table in group for file in table.files)
        yield RawTable(pattern, files, columns, None, first.encoding)


def _pattern(table: RawTable) -> str:
    return re.sub(r"\d+", "*", table.path)


Rows = Iterator[tuple[Sequence[str], Iterator[tuple[str | None, ...]]]]


def _rows_of(
    file: Path, name: str | None, encoding: str | None, columns: list[str] | None = None
) -> Rows:
    """Yield the header with chunks of rows, every value a text."""
    kind = kind_of(file)
    if kind == "text":
        yield from _text_rows(file, encoding, columns)
    elif kind == "parquet":
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(ROWS, columns=columns):
                lists = [batch.column(place).to_pylist() for place in range(batch.num_columns)]
                yield (
                    batch.schema.names,
                    (tuple(map(_text, row)) for row in zip(*lists, strict=True)),
                )
    else:
        selected = ", ".join(identifier(column) for column in columns) if columns else "*"
        with DuckDBEngine(threads=1) as engine, _attached(engine, file):
            table = f"source_file.{identifier(name or '')}"
            reader = engine.batches(f"SELECT {selected} FROM {table}", rows=ROWS)
            for batch in reader:
                lists = [batch.column(place).to_pylist() for place in range(batch.num_columns)]
                yield (
                    batch.schema.names,
                    (tuple(map(_text, row)) for row in zip(*lists, strict=True)),
                )


def _text_rows(file: Path, encoding: str | None, columns: list[str] | None) -> Rows:
    dialect = read_dialect(file, _source(file, encoding))
    places = [dialect.columns.index(column) for column in columns or dialect.columns]
    with _opened(file, dialect.encoding) as text:
        reader = csv.reader(text, delimiter=dialect.delimiter)
        next(reader, None)
        width = len(dialect.columns)
        rows = (
            tuple(row[place].strip() or None for place in places)
            for row in reader
            if len(row) == width
        )
        yield columns or dialect.columns, rows


@contextmanager
def _opened(file: Path, encoding: str) -> Iterator[TextIO]:
    is_gzip = file.suffix.lower() == ".gz"
    with (
        gzip.open(file, "rb") if is_gzip else file.open("rb") as binary,
        io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="") as text,
    ):
        yield text


def _encoding(file: Path) -> str | None:
    try:
        read_dialect(file, _source(file, None))
    except LeadlightError:
        # Raises what is wrong with the file where latin-1, which knows every byte, fails as well.
        read_dialect(file, _source(file, "latin-1"))
        return "latin-1"
    return None


def _source(file: Path, encoding: str | None) -> Source:
    return Source(table="leads", key=file.name, path=str(file), encoding=encoding)


def _duckdb_tables(file: Path) -> list[str | None]:
    with DuckDBEngine(threads=1) as engine, _attached(engine, file):
        rows = engine.rows(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_catalog = 'source_file' AND table_schema = 'main' ORDER BY 1"
        )
    return [str(name) for (name,) in rows]


@contextmanager
def _attached(engine: DuckDBEngine, file: Path) -> Iterator[None]:
    engine.execute(f"ATTACH {literal(str(file))} AS source_file (READ_ONLY)")
    yield


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
