"""The workspace: one folder of artefacts, where nothing half-written is ever left or read."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from leadlight.features.errors import WorkspaceError
from leadlight.features.publication import is_abandoned, published_file


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
    def events(self) -> Path:
        """Events in buckets of whole accounts, kept from one run to the next."""
        return self.root / "events"

    @property
    def folds(self) -> Path:
        """Finished folds of the last training."""
        return self.root / "folds"

    @property
    def scores(self) -> Path:
        """One partition of scores per ``as_of``."""
        return self.root / "scores"

    @property
    def looks(self) -> Path:
        """What each run of the monitor saw, for the next one to compare with."""
        return self.root / "monitor"

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
            left = [path for path in self.root.rglob(".*.partial") if is_abandoned(path)]
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


def write_text(path: Path, text: str) -> None:
    """Write a text file, all or nothing."""
    with published_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
