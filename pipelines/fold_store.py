"""Finished folds on disk, so that the same training again does not fit them again."""

import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leadlight.features.publication import published_file

from .fingerprint import code_hash

FloatArray = npt.NDArray[np.float64]


class KeptFolds:
    """A folder with one file of plain arrays for each finished fold.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: set[Path] = set()

    def recall(self, key: str) -> Mapping[str, FloatArray] | None:
        """Return what was kept under a key; None for nothing, or for a damaged file."""
        path = self._path(key)
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        self._used.add(path)
        return arrays

    def keep(self, key: str, arrays: Mapping[str, FloatArray]) -> None:
        """Keep the arrays under a key, all or nothing."""
        path = self._path(key)
        with published_file(path) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        self._used.add(path)

    def forget_others(self) -> None:
        """Remove what was neither recalled nor kept: folds of other data, settings or code."""
        for path in self._folder.glob("*.npz"):
            if path not in self._used:
                path.unlink(missing_ok=True)
        for earlier in self._folder.parent.iterdir():
            if earlier != self._folder:
                shutil.rmtree(earlier, ignore_errors=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.npz"


@contextmanager
def kept_folds(folder: Path) -> Iterator[KeptFolds]:
    """Open the folds that this very code has kept; at the end those not asked for are removed.

    Parameters
    ----------
    folder : Path
        Of the workspace.
    """
    mine = folder / code_hash()[:16]
    mine.mkdir(parents=True, exist_ok=True)
    folds = KeptFolds(mine)
    yield folds
    folds.forget_others()
