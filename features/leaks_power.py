"""The power of a single column to tell won leads from others, among leads of the same time.

A column is turned into the log-odds of its values, learned on one half of the leads and judged on
the other. Leads are compared only with leads of the same time (of which as many were won), so that
a column that merely knows when a lead came in, as a rate of interest does, shows no power.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import rankdata

_BINS = 20
_FEWEST = 10
_TIMES = 10
_PRIOR = 2.0


@dataclass(frozen=True)
class Power:
    """How well a score tells won leads from others.

    Attributes
    ----------
    auc : float
        0.5: not at all.
    error : float
        Standard error of ``auc`` if there were no power.
    """

    auc: float
    error: float

    @property
    def z(self) -> float:
        """Distance from no power, in standard errors."""
        return (self.auc - 0.5) / self.error if self.error > 0 else 0.0


def codes(values: pd.Series) -> NDArray[np.int64]:
    """Return a small number for each value: a band of numbers, a level, or missing (0).

    Parameters
    ----------
    values : Series
        float64 with NaN, or objects with None.
    """
    if values.dtype == np.float64:
        return _bands(values.to_numpy())
    levels, names = pd.factorize(values, use_na_sentinel=True)
    counts = np.bincount(levels[levels >= 0], minlength=len(names))
    common = np.flatnonzero(counts >= _FEWEST)
    known = np.full(len(names) + 1, 1, dtype=np.int64)  # 1: a rare level
    known[common] = 2 + np.arange(len(common))
    known[-1] = 0
    return known[levels]


def _bands(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    finite = np.isfinite(numbers)
    result = np.zeros(len(numbers), dtype=np.int64)
    if not finite.any():
        return result
    edges = np.unique(np.quantile(numbers[finite], np.linspace(0, 1, _BINS + 1)))
    # A value that many leads share begins a band of its own, and so does what follows it.
    inner = np.unique(np.concatenate([edges[:-1], np.nextafter(edges[:-1], np.inf)]))
    result[finite] = 1 + np.searchsorted(inner, numbers[finite], side="right")
    return result


def log_odds(
    code: NDArray[np.int64], won: NDArray[np.bool_], learn: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return each lead's smoothed log-odds of its value, relative to all, as ``learn`` knows them.

    Parameters
    ----------
    code : array of int64
        As ``codes`` returns them.
    learn : array of bool
        The leads to learn from.
    """
    size = int(code.max()) + 1
    base = (float(won[learn].sum()) + 0.5) / (float(learn.sum()) + 1.0)
    count = np.bincount(code[learn], minlength=size)
    wins = np.bincount(code[learn], weights=won[learn].astype(np.float64), minlength=size)
    rate = (wins + _PRIOR * base) / (count + _PRIOR)
    return np.asarray((logit(rate) - logit(base))[code], dtype=np.float64)


def cross_fitted(
    code: NDArray[np.int64], won: NDArray[np.bool_], group: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return log-odds of each lead's value, learned on leads of other accounts.

    Parameters
    ----------
    group : array of int64
        Leads of an account share a number.
    """
    half = (group * 2654435761 >> 7) % 2 == 0
    return np.where(half, log_odds(code, won, ~half), log_odds(code, won, half))


def times(order: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cut leads into ten times of about as many leads each; one where the order is not known."""
    if not np.isfinite(order).all() or len(order) == 0:
        return np.zeros(len(order), dtype=np.int64)
    ranks = rankdata(order, method="min") - 1
    return np.asarray(ranks * _TIMES // len(order), dtype=np.int64)


def power(score: NDArray[np.float64], won: NDArray[np.bool_], time: NDArray[np.int64]) -> Power:
    """Return how well a score ranks won leads above others of the same time.

    Parameters
    ----------
    time : array of int64
        As ``times`` returns them.
    """
    total, weight, variance = 0.0, 0.0, 0.0
    for each in np.unique(time):
        here = time == each
        wins = int(won[here].sum())
        others = int(here.sum()) - wins
        if not wins or not others:
            continue
        pairs = float(wins) * others
        ranks = rankdata(score[here])
        total += float(ranks[won[here]].sum()) - wins * (wins + 1) / 2
        weight += pairs
        variance += pairs * (wins + others + 1) / 12
    if not weight:
        return Power(0.5, 0.0)
    return Power(total / weight, float(np.sqrt(variance)) / weight)
