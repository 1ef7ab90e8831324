"""Incumbent: the score that a team has today, read as a probability so that it can be compared."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from .bootstrap import Floats

_PRIOR_ROWS = 20.0


def incumbent_probability(
    points: Floats, won: NDArray[np.bool_], known: NDArray[np.intp], asked: NDArray[np.intp]
) -> Floats:
    """Return what the incumbent's points have meant so far: the share won, rising with the points.

    The kindest reading of points: whatever rises with the chance to win is given its best scale.

    Parameters
    ----------
    points : ndarray of float64, shape (n,)
        NaN where the incumbent says nothing.
    won : ndarray of bool, shape (n,)
    known : ndarray of int
        Rows whose labels are known.
    asked : ndarray of int
        Rows to tell the probability of.

    Returns
    -------
    ndarray of float64, shape (len(asked),)
        Never 0 or 1: shares are drawn towards the base rate by the weight of 20 rows.
    """
    base = float(won[known].mean())
    told = known[np.isfinite(points[known])]
    silent = known[~np.isfinite(points[known])]
    of_silent = (won[silent].sum() + _PRIOR_ROWS * base) / (len(silent) + _PRIOR_ROWS)
    probability = np.full(len(asked), of_silent)
    speaks = np.isfinite(points[asked])
    if not len(told):
        return np.where(speaks, base, probability)
    rising = IsotonicRegression(out_of_bounds="clip").fit(points[told], won[told])
    # How many known rows share a step of the curve says how much its share can be believed.
    fitted = rising.predict(points[told])
    weight = pd.Series(fitted).value_counts()
    share = rising.predict(points[asked][speaks])
    steps = np.sort(weight.index.to_numpy(dtype=np.float64))
    nearest = steps[np.clip(np.searchsorted(steps, share), 0, len(steps) - 1)]
    rows = weight.loc[nearest].to_numpy(dtype=np.float64)
    probability[speaks] = (share * rows + base * _PRIOR_ROWS) / (rows + _PRIOR_ROWS)
    return probability


def best_by_points(points: Floats, count: int, *, seed: int) -> NDArray[np.bool_]:
    """Say which leads the incumbent would pass on: so many of those with the most points.

    Lots decide between equals: in the given order the oldest leads would win every tie.

    Parameters
    ----------
    points : ndarray of float64, shape (n,)
        NaN where the incumbent says nothing: those come last.
    count : int
    seed : int
        Of the lots.
    """
    lots = np.random.default_rng(seed).random(len(points))
    best = np.lexsort((lots, -np.nan_to_num(points, nan=-np.inf)))
    passed = np.zeros(len(points), dtype=bool)
    passed[best[:count]] = True
    return passed
