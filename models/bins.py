"""Bins: what boosted trees see of each column, a byte for each value."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .encoding import FloatArray
from .steps import Steps

Bytes = npt.NDArray[np.uint8]

MISSING = 255
"""Bin of missing values, and of levels that were not there."""

_MOST = 255
_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class Bins:
    """Where the columns of an encoded matrix are cut.

    Attributes
    ----------
    cuts : tuple of ndarray of float64
        Of a number, ascending: bin ``i`` holds ``cuts[i - 1] < x <= cuts[i]``. Of a category the
        levels that there are, a bin for each.
    category : ndarray of bool, shape (k,)
    """

    cuts: tuple[FloatArray, ...]
    category: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, matrix: FloatArray, category: Sequence[int]) -> "Bins":
        """Cut each column into at most 255 bins of about equally many rows.

        Rows count alike, whatever they weigh. Some 20,000 of them, evenly spread, tell where to
        cut numbers.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n, k)
        category : sequence of int
            Columns that hold positions of at most 255 levels.
        """
        is_category = np.isin(np.arange(matrix.shape[1]), category)
        some = slice(None, None, max(1, len(matrix) // _ROWS))
        cuts = tuple(
            _levels(column) if is_level else _number_cuts(column[some])
            for column, is_level in zip(matrix.T, is_category, strict=True)
        )
        return cls(cuts, is_category)

    @property
    def counts(self) -> npt.NDArray[np.uint32]:
        """Bins of each column, without that of missing values."""
        cuts = np.array([len(each) for each in self.cuts], dtype=np.uint32)
        return np.where(self.category, cuts, cuts + 1).astype(np.uint32)

    @cached_property
    def _steps(self) -> tuple[Steps, ...]:
        return tuple(Steps(cuts) for cuts in self.cuts)

    def codes(self, matrix: FloatArray) -> Bytes:
        """Return the bin of each value, column-major."""
        codes = np.empty(matrix.shape, dtype=np.uint8, order="F")
        for at, (cuts, is_category) in enumerate(zip(self.cuts, self.category, strict=True)):
            column = matrix[:, at]
            if is_category:
                found = np.searchsorted(cuts, column)
                known = np.isin(column, cuts)
            else:
                found, known = self._steps[at].find(column), ~np.isnan(column)
            codes[:, at] = np.where(known, found, MISSING)
        return codes


def _levels(column: FloatArray) -> FloatArray:
    levels = np.unique(column[~np.isnan(column)])
    if len(levels) > _MOST:
        raise ValueError(f"a category of {len(levels)} levels has no place in {_MOST} bins")
    return levels


def _number_cuts(column: FloatArray) -> FloatArray:
    """Cut between all values where they are few, else so that bins hold equally many rows."""
    values = np.sort(column[~np.isnan(column)])
    if not len(values):
        return values
    distinct = values[np.append(True, values[1:] > values[:-1])]
    if len(distinct) <= _MOST:
        return np.unique(distinct[:-1] / 2.0 + distinct[1:] / 2.0)
    places = np.arange(1, _MOST) * len(values) // _MOST
    return np.unique(values[places - 1] / 2.0 + values[places] / 2.0)
