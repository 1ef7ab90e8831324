"""Rhythm: what a stream of daily counts should have been, by its own weeks before.

The last days are held against the same weekdays of the weeks before. How far such sums stray is
measured on sums of just as many days, so that days that hang together (a campaign, a slow week)
widen the range as they should. Counts are taken for negative binomial with that variance.

References
----------
Farrington, Andrews, Beale & Catchpole (1996), A statistical algorithm for the early detection of
outbreaks, JRSS A 159: counts against the same weeks before, with their overdispersion.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import betabinom, nbinom, poisson

Counts = NDArray[np.int64]

WEEKS = 8
"""Weeks that a stream is compared with."""
_FEWEST_WEEKS = 4


@dataclass(frozen=True)
class Surprise:
    """The last days of a stream against its own rhythm.

    Attributes
    ----------
    days : int
        How many days were looked at.
    observed, expected : float
        Their sum, and what the same weekdays before make likely.
    low, high : float
        Chance of a sum as small, and of one as large.
    unprecedented : bool
        Whether no such span of the weeks before strayed as far from its own expectation, in the
        same direction.
    """

    days: int
    observed: float
    expected: float
    low: float
    high: float
    unprecedented: bool

    @property
    def ratio(self) -> float:
        """Observed over expected; infinite where nothing was expected."""
        return self.observed / self.expected if self.expected > 0 else float("inf")


def surprise(counts: ArrayLike, days: int) -> Surprise | None:
    """Hold the last days against the same weekdays of the weeks before.

    Parameters
    ----------
    counts : array of shape (n,)
        One count a day, the last day last, without gaps.
    days : int
        How many of the last days to look at, together.

    Returns
    -------
    Surprise or None
        None where the stream is too young: fewer than four weeks before these days.
    """
    series = np.asarray(counts, dtype=np.int64)
    sums = np.convolve(series, np.ones(days, dtype=np.int64), mode="valid")
    # Only spans that share no day with the last one.
    earlier = sums[max(0, len(sums) - days - 7 * WEEKS) : len(sums) - days]
    if len(earlier) < 7 * _FEWEST_WEEKS:
        return None
    # 0: the weekdays of the last span.
    weekday = (np.arange(len(earlier)) - len(earlier) - days + 1) % 7
    usual = np.array([earlier[weekday == day].mean() for day in range(7)])
    expected = float(usual[0])
    observed = float(sums[-1])
    stray = _overdispersion(earlier, usual[weekday])
    ratios = earlier / np.maximum(usual[weekday], 0.5)
    ratio = observed / max(expected, 0.5)
    low, high = _tails(observed, expected, stray)
    return Surprise(
        days,
        observed,
        expected,
        low,
        high,
        unprecedented=bool(ratio < ratios.min() if ratio < 1 else ratio > ratios.max()),
    )


def chance_of_share(part: ArrayLike, whole: ArrayLike, days: int) -> float:
    """Return the chance of so large a share in the last days, by the shares of the days before.

    Beta-binomial: what comes together (a trade fair, a list) makes shares stray, and as much as
    they have strayed is granted.

    Parameters
    ----------
    part, whole : arrays of shape (n,)
        Counts by day, the last day last; of each whole, how many are of one sort.
    days : int
        How many of the last days to look at, together.
    """
    sums = [
        np.convolve(np.asarray(counts, dtype=np.int64), np.ones(days, dtype=np.int64), mode="valid")
        for counts in (part, whole)
    ]
    mine, all_ = (each[: len(each) - days] for each in sums)
    now, total = int(sums[0][-1]), int(sums[1][-1])
    share = float((mine.sum() + 1) / (all_.sum() + 2))
    heard = all_ > 0
    stray = (mine - share * all_)[heard] ** 2 / (all_ * share * (1 - share))[heard]
    together = float(np.clip((stray.mean() - 1) / max(all_[heard].mean() - 1, 1), 1e-3, 0.5))
    size = 1 / together - 1
    return float(betabinom.sf(now - 1, total, share * size, (1 - share) * size)) if total else 1.0


def silent_days(counts: ArrayLike) -> tuple[int, int]:
    """Return how many days at the end are empty, and the longest such gap before.

    Parameters
    ----------
    counts : array of shape (n,)
        One count a day.
    """
    heard = np.flatnonzero(np.asarray(counts) > 0)
    if not len(heard):
        return len(np.asarray(counts)), 0
    gaps = np.diff(heard) - 1
    return len(np.asarray(counts)) - 1 - int(heard[-1]), int(gaps.max()) if len(gaps) else 0


def _overdispersion(sums: Counts, usual: NDArray[np.float64]) -> float:
    """Return variance over mean, at least 1, and unbiased for the weekday means taken away."""
    known = usual > 0
    if not known.any():
        return 1.0
    lost = len(sums) / max(1, len(sums) - 7)
    return max(1.0, float(np.mean((sums - usual)[known] ** 2 / usual[known])) * lost)


def _tails(observed: float, expected: float, stray: float) -> tuple[float, float]:
    # The expectation is itself a mean of a few weeks.
    mean = max(expected, 0.5)
    spread = stray * (1 + 1 / WEEKS)
    if spread <= 1.05:
        return float(poisson.cdf(observed, mean)), float(poisson.sf(observed - 1, mean))
    size, chance = mean / (spread - 1), 1 / spread
    return (
        float(nbinom.cdf(observed, size, chance)),
        float(nbinom.sf(observed - 1, size, chance)),
    )
