"""Files of a source: which they are, and what to say when they are not there."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from leadlight.features.errors import SourceError, did_you_mean

from .object_store import ObjectStores, TableFile, is_url
from .source import Source

FileKind = Literal["text", "parquet", "duckdb"]

_KINDS: dict[str, FileKind] = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".duckdb": "duckdb",
    ".db": "duckdb",
}


@dataclass(frozen=True)
class SourceFiles:
    """The files that a source's path names, in the order of their names."""

    kind: FileKind
    paths: tuple[TableFile, ...]


def find_files(source: Source, stores: ObjectStores) -> SourceFiles:
    """Resolve a source's path, URL or glob.

    Raises
    ------
    SourceError
        Nothing is there, it is a folder, the suffix is unknown, or an object store objects.
    MissingExtraError
        The package that speaks to the object store is not installed.
    """
    path = source.path or ""
    paths: tuple[TableFile, ...]
    paths = stores.find(path, source.key) if is_url(path) else _local_files(path, source.key)
    kinds = {kind_of(found) for found in paths}
    if len(kinds) != 1 or None in kinds:
        known = ", ".join(sorted(_KINDS)) + ", and .csv.gz, .tsv.gz, .txt.gz"
        raise SourceError(
            f"{source.key}: {path} is not a kind of file that can be read.",
            hint=f"One source reads files of one kind: {known}.",
        )
    kind = kinds.pop()
    assert kind is not None  # noqa: S101
    if kind == "duckdb" and len(paths) > 1:
        raise SourceError(
            f"{source.key}: {path} names {len(paths)} DuckDB files.",
            hint="Write one source for each of them.",
        )
    return SourceFiles(kind, paths)


def _local_files(written: str, key: str) -> tuple[Path, ...]:
    path = Path(written)
    if any(mark in str(path) for mark in "*?[") and not path.exists():
        paths = tuple(Path(found) for found in sorted(glob.glob(str(path), recursive=True)))  # noqa: PTH207
        paths = tuple(found for found in paths if found.is_file())
    else:
        paths = (path,)
    if not paths or not all(found.is_file() for found in paths):
        raise SourceError(_not_there(path, key), hint=_what_is_there(path, key))
    return paths


def kind_of(path: TableFile) -> FileKind | None:
    """Tell how a file is read from the end of its name."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        kind = _KINDS.get("".join(suffixes[-2:-1]))
        return kind if kind == "text" else None
    return _KINDS.get("".join(suffixes[-1:]))


def labels(paths: Sequence[TableFile]) -> dict[TableFile, str]:
    """Short names of files for messages: as far as needed to tell them apart; URLs in full."""
    local = [path for path in paths if isinstance(path, Path)]
    parents = [path.absolute().parent for path in local]
    shared = parents[0] if parents else Path()
    while any(not parent.is_relative_to(shared) for parent in parents):
        shared = shared.parent
    names: dict[TableFile, str] = {path: str(path) for path in paths}
    names |= {path: path.absolute().relative_to(shared).as_posix() for path in local}
    return names


def _not_there(path: Path, key: str) -> str:
    if path.is_dir():
        return f"{key}: {path} is a folder."
    siblings = _siblings(path.parent)
    return f"{key}: file {path} not found.{did_you_mean(path.name, siblings)}"


def _what_is_there(path: Path, key: str) -> str:
    if path.is_dir():
        suffixes = {"".join(item.suffixes[-2:]) for item in path.iterdir() if kind_of(item)}
        example = min(suffixes, default=".csv")
        return f"To read every file in it, write {key}.path: {path}/*{example}"
    folder = path.parent
    if not folder.is_dir():
        return f"The folder {folder} does not exist."
    siblings = _siblings(folder)
    listed = ", ".join(siblings[:12]) + (", ..." if len(siblings) > 12 else "")
    return f"In {folder} there is: {listed}." if siblings else f"{folder} has no table files."


def _siblings(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(item.name for item in folder.iterdir() if item.is_file() and kind_of(item))
