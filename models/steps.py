"""Steps: which step of a table a value falls on; the last one is for missing values."""

import numpy as np
import numpy.typing as npt

from .encoding import FloatArray

Slots = npt.NDArray[np.intp]


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


def joined(arrays: list[FloatArray]) -> FloatArray:
    """Return arrays end to end, in one."""
    return np.concatenate([np.empty(0), *(array.ravel() for array in arrays)])
