"""Putting finished tables in place: built beside, renamed at the end, all or none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def publish(built: Path, directory: Path) -> None:
    """Put a finished folder in the place of the earlier one."""
    earlier = built.with_name("earlier")
    if directory.exists():
        directory.replace(earlier)
    try:
        built.replace(directory)
    except BaseException:
        if earlier.exists() and not directory.exists():
            earlier.replace(directory)
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
        partial = directory / f".{file.name}.{os.getpid()}.partial"
        try:
            shutil.copyfile(file, partial)
            partial.replace(directory / file.name)
        finally:
            partial.unlink(missing_ok=True)
    fresh = {file.name for file in files}
    for table in TABLES:
        if f"{table}.parquet" not in fresh:
            (directory / f"{table}.parquet").unlink(missing_ok=True)
    return bool(files)


def _sweep(directory: Path) -> None:
    for left in directory.parent.glob(f".{directory.name}.*.partial"):
        process = left.name.split(".")[-2]
        if process.isdigit() and not _is_running(int(process)):
            shutil.rmtree(left, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
