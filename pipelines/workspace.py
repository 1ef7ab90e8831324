"""The workspace: one folder of artefacts, where nothing half-written is ever left or read."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leadlight.features.errors import WorkspaceError

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_NO_ROOM_WORDS = ("No space left", "File too large", "disk is full", "disk I/O error")


@dataclass(frozen=True)
class Workspace:
    """Where a project keeps what it makes.

    Attributes
    ----------
    root : Path
        The folder; created when first written to.
    """

    root: Path

    @property
    def tables(self) -> Path:
        """Canonical tables, one Parquet file each."""
        return self.root / "tables"

    @property
    def quarantine(self) -> Path:
        """Rows that did not pass the door, with the reason."""
        return self.root / "quarantine"

    @property
    def scores(self) -> Path:
        """One partition of scores per ``as_of``."""
        return self.root / "scores"

    @property
    def reports(self) -> Path:
        """Pages for people."""
        return self.root / "reports"

    def features(self, purpose: str) -> Path:
        """Feature tables: ``training`` or ``scoring``."""
        return self.root / "features" / purpose

    def create(self) -> None:
        """Make the folder, and clear what a crashed run left behind.

        Raises
        ------
        WorkspaceError
            The folder cannot be made or written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            left = [path for path in self.root.rglob(".*.partial") if not _is_alive(path)]
            for path in sorted(left):
                _restore(path)
            for path in left:
                _remove(path)
        except OSError as error:
            raise WorkspaceError(
                f"cannot write the workspace {self.root}: {error.strerror}",
                hint="Check the folder's owner and permissions, or set `workspace:` to another.",
            ) from error


def _restore(partial: Path) -> None:
    """Put back what a crash left between the two renames of ``published_directory``."""
    name, old, _ = f"{partial.name}.".partition(".old.")
    target = partial.with_name(name.removeprefix("."))
    if old and partial.is_dir() and not target.exists():
        partial.rename(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _is_alive(partial: Path) -> bool:
    """Whether the process that writes a partial file (its number is in the name) still runs."""
    pid = partial.name.rsplit(".", 2)[-2]
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def disk_is_full(what: str) -> WorkspaceError:
    """Return the error of a disk with no room for ``what``."""
    return WorkspaceError(
        f"the disk is full: cannot write {what}",
        hint="Free some space and run the same command again; nothing was published.",
    )


def says_disk_is_full(error: BaseException) -> bool:
    """Whether an error of whatever library means that the disk has no room left."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return True
    text = str(error)
    return any(words in text for words in _NO_ROOM_WORDS)


@contextmanager
def published_directory(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes ``target``'s name once the block ends well.

    The earlier folder of that name is then gone; if the block fails, it stays as it was, and the
    new one is removed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    old = target.with_name(f".{target.name}.old.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        if target.exists():
            target.rename(old)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(old, ignore_errors=True)


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


def write_text(path: Path, text: str) -> None:
    """Write a text file, all or nothing."""
    with published_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
