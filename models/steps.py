"""Steps: which step of a table a value falls on; the last one is for missing values."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .encoding import FloatArray

Slots = npt.NDArray[np.intp]

_CELLS = 16_384
_MOST_PASSES = 12
_MANY_VALUES = 1000

COUNTS = 256
"""Whole numbers below this name their place in a table themselves."""


def edges(cuts: FloatArray) -> FloatArray:
    """Return the upper end of each step, shape (t + 2,): the cuts, infinity, and missing (NaN).

    Parameters
    ----------
    cuts : ndarray of float64, shape (t,)
        Finite, ascending.
    """
    return np.append(cuts, [np.inf, np.nan])


def slots(upper: FloatArray, values: FloatArray) -> Slots:
    """Return the step of each value: ``i`` where ``upper[i - 1] < value <= upper[i]``.

    Parameters
    ----------
    upper : ndarray of float64, shape (t + 2,)
        As ``edges`` gives them. NaN sorts last, so a missing value finds the last step.
    values : ndarray of float64, shape (n,)
    """
    return np.searchsorted(upper, values, side="left")


def finer(cuts: FloatArray, upper: FloatArray) -> Slots:
    """Return the step on ``cuts`` of each step of a finer table whose upper ends are given."""
    return slots(edges(cuts), upper)


def counts(values: FloatArray) -> Slots | None:
    """Return the values as places where all of them are whole and below ``COUNTS``, else None.

    Most features count something, seldom more than a few; so no step need be searched for.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    """
    if len(values) < _MANY_VALUES:
        return None
    with np.errstate(invalid="ignore"):  # a missing value becomes some number that it is not
        whole = values.astype(np.intp)
    if int(whole.view(np.uintp).max()) >= COUNTS or not (whole == values).all():
        return None
    return whole


@dataclass(frozen=True, eq=False)
class Steps:
    """Finds the steps of many values: as ``slots`` does, several times faster.

    A binary search waits for memory and guesses at each turn. The bits of a positive float, read
    as an integer, rise with it; their upper ones tell a cell of which the first step is known. The
    few cuts inside a cell are compared one by one, so that the step found is exact.

    Attributes
    ----------
    cuts : ndarray of float64, shape (t,)
        Finite, ascending.
    """

    cuts: FloatArray

    @cached_property
    def edges(self) -> FloatArray:
        """Upper end of each step."""
        return edges(self.cuts)

    def find(self, values: FloatArray) -> Slots:
        """Return the step of each value, shape (n,)."""
        if len(values) < _MANY_VALUES or self._cells is None:
            return slots(self.edges, values)
        cells = self._cells.of(values)
        found = self._cells.first.take(cells)
        for _ in range(self._cells.most):
            found += values > self.edges.take(found)
        np.putmask(found, np.isnan(values), len(self.cuts) + 1)
        return found

    @cached_property
    def _cells(self) -> "_Cells | None":
        positive = self.cuts[self.cuts > 0.0]
        if not len(positive):
            return None
        low, high = positive[[0, -1]].view(np.int64).tolist()
        shift = max(0, (high - low).bit_length() - _CELLS.bit_length() + 1)
        bare = _Cells(shift, (low >> shift) - 1, (high >> shift) + 1, np.empty(0, np.intp), 0)
        cell = bare.of(self.cuts + 0.0)  # a cut at -0.0 is one at 0.0, whose bits are others
        first = np.searchsorted(cell, np.arange(bare.high - bare.low + 1), side="left")
        most = int(np.bincount(cell).max())
        if most > _MOST_PASSES:
            return None
        return _Cells(shift, bare.low, bare.high, first, most)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Cells of the floats between the lowest and the highest positive cut.

    All lower numbers, negative ones too, share the first cell, all higher ones the last.
    """

    shift: int
    low: int
    high: int
    first: Slots
    most: int

    def of(self, values: FloatArray) -> Slots:
        """Return the cell of each value; it never falls where the value rises."""
        bits = np.ascontiguousarray(values).view(np.int64) >> self.shift
        np.clip(bits, self.low, self.high, out=bits)
        bits -= self.low
        return bits.astype(np.intp, copy=False)


def joined(arrays: list[FloatArray]) -> FloatArray:
    """Return arrays end to end, in one."""
    return np.concatenate([np.empty(0), *(array.ravel() for array in arrays)])
