"""Text tables: CSV, TSV and their gzip forms, read under an explicit dialect.

DuckDB's own detection is not used: what it guesses depends on the sample, and a wrong guess shows
as a wrong table. The header and the delimiter are taken from the first kilobytes here, every
column is read as text, and the meaning of values is decided later over all rows.
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from leadlight.features.errors import SourceError
from leadlight.features.sql import file_literal, literal

from .object_store import StoredObject, TableFile
from .source import Source

_LINE_END = re.compile(r"\r\n|\n|\r")
_PREFIX = 1 << 18
_CHUNK = 1 << 22
_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "','", ";": "';'", "\t": r"'\t' (tab)", "|": "'|'"}
_LONGEST_LINE = 16 << 20


@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Attributes
    ----------
    encoding : str
        Python's name of it.
    delimiter : str
    columns : tuple of str
        Header, made unique.
    mixed_ends : bool
        The header has a line break of another kind than the one that ends it.
    """

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    mixed_ends: bool = False


def read_dialect(path: TableFile, source: Source) -> Dialect:
    """Tell a file's encoding, delimiter and header from its first kilobytes.

    Raises
    ------
    SourceError
        The file is empty, binary, damaged, in another encoding, or the delimiter does not fit.
    """
    with _open(path) as file:
        prefix = file.read(_PREFIX)
    if not prefix.strip():
        raise SourceError(
            f"{path} is empty.", hint=f"Map another file under {source.key}, or remove the source."
        )
    encoding = _encoding(prefix, path, source)
    text = codecs.getincrementaldecoder(encoding)("strict").decode(prefix, final=False)
    complete = len(prefix) < _PREFIX
    fitting = {mark: _records(text, mark, complete=complete) for mark in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda mark: _fit(fitting[mark]))
    delimiter = best
    if source.delimiter is not None:
        delimiter = source.delimiter.replace("\\t", "\t")
        _check_delimiter(
            path, source.key, _records(text, delimiter, complete=complete), best, fitting[best]
        )
    header = _records(text, delimiter, complete=complete)[0]
    return Dialect(encoding, delimiter, _unique(header), _has_mixed_ends(text, delimiter))


def read_text(path: Path, dialect: Dialect, *, rejects: str, strict: bool = True) -> str:
    """FROM item that yields the file's rows as text; malformed rows go to the table ``rejects``."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in dialect.columns)
    return (
        f"read_csv({file_literal(path)}, auto_detect = false, header = true, "
        f"delim = {literal(dialect.delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {{{columns}}}, max_line_size = {_LONGEST_LINE}, "
        f"strict_mode = {literal(strict)}, store_rejects = true, "
        f"rejects_table = {literal(rejects)}, rejects_scan = {literal(rejects + '_scan')})"
    )


def needs_rewriting(path: TableFile, dialect: Dialect) -> bool:
    """Say whether the file must first be written out as plain UTF-8."""
    return path.suffix.lower() == ".gz" or dialect.encoding not in {"utf-8", "utf-8-sig"}


def rewrite(path: TableFile, dialect: Dialect, target: Path, source: Source) -> None:
    """Write a compressed, differently encoded or stored file as plain UTF-8, chunk by chunk.

    Decompressing here checks the sum at the end of a gzip file, which DuckDB does not.

    Raises
    ------
    SourceError
        The file is damaged, or holds bytes that the encoding does not know.
    """
    decoder = codecs.getincrementaldecoder(dialect.encoding)("strict")
    plain = dialect.encoding in {"utf-8", "utf-8-sig"}
    with _open(path) as file, target.open("wb") as out:
        position = 0
        while chunk := file.read(_CHUNK):
            if plain:
                out.write(chunk)
                continue
            try:
                out.write(decoder.decode(chunk).encode())
            except UnicodeDecodeError as error:
                raise _wrong_encoding(
                    path, source, dialect.encoding, position + error.start
                ) from error
            position += len(chunk)


def check_encoding(path: TableFile, dialect: Dialect, source: Source) -> None:
    """Find the first byte of a file that is not UTF-8.

    Raises
    ------
    SourceError
        There is one; the message gives its position.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    with _open(path) as file:
        position = 0
        while chunk := file.read(_CHUNK):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                at = position - pending + error.start
                raise _wrong_encoding(path, source, dialect.encoding, at) from error
            position += len(chunk)


@contextmanager
def _open(path: TableFile) -> Iterator[BinaryIO]:
    try:
        with path.open() if isinstance(path, StoredObject) else path.open("rb") as stored:
            if path.suffix.lower() == ".gz":
                with gzip.open(stored, "rb") as file:
                    yield cast("BinaryIO", file)
            else:
                yield stored
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(
            f"{path} is damaged: {error}.",
            hint="Copy or export it again; a gzip file can be tested with  gzip -t",
        ) from error
    except PermissionError as error:
        raise SourceError(f"{path} may not be read: permission denied.") from error


def _encoding(prefix: bytes, path: TableFile, source: Source) -> str:
    if source.encoding is not None:
        try:
            encoding = codecs.lookup(source.encoding).name
        except LookupError as error:
            raise SourceError(
                f"{source.key}.encoding: '{source.encoding}' is not the name of an encoding.",
                hint="Common ones are utf-8, utf-16, latin-1 and cp1252.",
            ) from error
    elif prefix.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = "utf-8"
    if encoding == "utf-8":
        encoding = "utf-8-sig"
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(prefix, final=False)
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, source, encoding, error.start) from error
    if "\0" in text:
        raise SourceError(
            f"{path} is not a text file: it has zero bytes.",
            hint="If it is UTF-16 without a mark, set encoding: utf-16-le. Spreadsheets must be "
            "saved as CSV first.",
        )
    return encoding


def _wrong_encoding(path: TableFile, source: Source, encoding: str, position: int) -> SourceError:
    name = encoding.removesuffix("-sig").upper()
    return SourceError(
        f"{path} is not {name}: the byte at position {position} does not fit.",
        hint=f"If it comes from Excel or an older system, set {source.key}.encoding: latin-1 "
        "(or utf-16).",
    )


def _records(text: str, delimiter: str, *, complete: bool) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) > 200:
                break
    except csv.Error:
        return records or [[""]]
    if not complete and 1 < len(records) <= 200:
        records.pop()
    return records or [[""]]


def _has_mixed_ends(text: str, delimiter: str) -> bool:
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    with suppress(csv.Error):
        next((record for record in reader if record), None)
    lines.seek(0)
    header = "".join(islice(lines, reader.line_num))
    return len(set(_LINE_END.findall(header))) > 1


def _fit(records: list[list[str]]) -> tuple[bool, float, int]:
    width = len(records[0])
    same = Counter(len(record) for record in records)[width] / len(records)
    return width > 1, round(same, 1), width


def _check_delimiter(
    path: TableFile, key: str, records: list[list[str]], best: str, best_records: list[list[str]]
) -> None:
    if len(records[0]) == 1 and len(best_records[0]) > 1:
        raise SourceError(
            f"{path}: with the configured delimiter the header is one column "
            f"('{records[0][0][:60]}'); {_NAMES[best]} fits and gives {len(best_records[0])}.",
            hint=f"Set {key}.delimiter: {_NAMES[best].split(' ')[0]}, or leave the key out.",
        )


def _unique(header: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    taken: set[str] = set()
    for index, raw in enumerate(header):
        base = raw.strip() or f"column{index + 1}"
        name, copy = base, 1
        while name.lower() in taken:
            copy += 1
            name = f"{base}_{copy}"
        taken.add(name.lower())
        names.append(name)
    return tuple(names)
