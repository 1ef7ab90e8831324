"""Putting finished tables in place: built beside, renamed at the end, all or none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import WorkspaceError, disk_is_full, says_disk_is_full
from .tables import TABLES


@contextmanager
def building(directory: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``directory``; it is removed whatever happens.

    It has the folders ``stage``, ``tables`` and ``quarantine``. What a killed run left behind is
    removed first.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    _sweep(directory)
    work = directory.with_name(f".{directory.name}.{os.getpid()}.partial")
    shutil.rmtree(work, ignore_errors=True)
    try:
        for name in ("stage", "tables", "quarantine"):
            (work / name).mkdir(parents=True)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def published_directory(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes ``target``'s name once the block ends well.

    The earlier folder of that name is then gone; if the block fails, it stays as it was, and the
    new one is removed.

    Raises
    ------
    WorkspaceError
        The disk is full.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        yield partial
        publish(partial, target)
    except OSError as error:
        if says_disk_is_full(error) and not isinstance(error, WorkspaceError):
            raise disk_is_full(target) from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def published_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name that becomes ``path`` once the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def publish(built: Path, directory: Path) -> None:
    """Put a finished folder in the place of the earlier one."""
    earlier = directory.with_name(f".{directory.name}.old.{os.getpid()}.partial")
    if directory.exists():
        directory.rename(earlier)
    try:
        built.rename(directory)
    except BaseException:
        if earlier.exists() and not directory.exists():
            earlier.rename(directory)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def publish_quarantine(built: Path, directory: Path) -> bool:
    """Put the quarantined rows of this run in the place of an earlier run's.

    Returns
    -------
    bool
        Whether there is any bad row.
    """
    files = sorted(built.glob("*.parquet"))
    if files:
        directory.mkdir(parents=True, exist_ok=True)
    for file in files:
        # The quarantine may lie on another file system: copy beside, then rename.
        with published_file(directory / file.name) as partial:
            shutil.copyfile(file, partial)
    fresh = {file.name for file in files}
    for table in TABLES:
        if f"{table}.parquet" not in fresh:
            (directory / f"{table}.parquet").unlink(missing_ok=True)
    return bool(files)


def is_abandoned(partial: Path) -> bool:
    """Whether the process that made a partial file (its number is in the name) runs no more."""
    process = partial.name.rsplit(".", 2)[-2]
    if not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _sweep(directory: Path) -> None:
    for left in directory.parent.glob(f".{directory.name}.*.partial"):
        if is_abandoned(left):
            shutil.rmtree(left, ignore_errors=True)
