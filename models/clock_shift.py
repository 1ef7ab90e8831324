"""Clock shift: whether a stream's hours of the day have moved as a whole.

The leads heard of in each hour of the last days are held against the hours of the weeks before,
turned by 1 to 12 hours either way. Under hours that have not moved, the likelihood ratio of any
turn has mean 1, so it exceeds ``1 / a`` with a chance of at most ``a`` (Markov), whatever the
profile. Leads come in visits and campaigns, not one by one: the log ratio is divided by how much
more it strayed on days before than independent leads would let it.

References
----------
Royall (1997), Statistical Evidence: A Likelihood Paradigm, ch. 1: the universal bound.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

HOURS = 24
_WEEKS = 8
_FEWEST_DAYS = 28
_TURNS = tuple(turn for turn in range(-12, 12) if turn)


@dataclass(frozen=True)
class ClockShift:
    """The turn of the clock that explains the last days best.

    Attributes
    ----------
    days : int
        How many days were looked at.
    hours : int
        From -12 to 11: later by so many hours than before.
    leads : float
        Leads heard of, counted once an hour.
    p_value : float
        Bound on the chance of such a likelihood ratio without a shift.
    gain : float
        Log-likelihood ratio for each lead: how plainly the hours show it.
    """

    days: int
    hours: int
    leads: float
    p_value: float
    gain: float


def clock_shift(by_hour: ArrayLike, days: int) -> ClockShift | None:
    """Find the turn of the clock that explains the last days best.

    Parameters
    ----------
    by_hour : array of shape (n, 24)
        Leads heard of on each day in each hour (UTC), the last day last.
    days : int
        How many of the last days to look at, together.

    Returns
    -------
    ClockShift or None
        None where there are fewer than four weeks before these days, or nothing was heard.
    """
    table = np.asarray(by_hour, dtype=np.float64)
    now = table[-days:].sum(axis=0)
    before = table[-days - 7 * _WEEKS : -days]
    if len(before) < _FEWEST_DAYS or not now.sum() or not before.sum():
        return None
    ratios = _log_ratios(before.sum(axis=0))
    scores = ratios @ now
    best = int(np.argmax(scores))
    past = np.array([before[at : at + days].sum(axis=0) for at in range(len(before) - days + 1)])
    score = float(scores[best]) / _clustering(past, ratios[best])
    highest = float((past @ ratios[best]).max())
    p_value = min(1.0, len(_TURNS) * math.exp(-max(score, 0.0)))
    return ClockShift(
        days,
        _TURNS[best],
        float(now.sum()),
        # What has happened before without a shift is none.
        p_value if scores[best] > highest else 1.0,
        float(scores[best] / now.sum()),
    )


def _log_ratios(before: Floats) -> Floats:
    """Return, for each turn, what a lead in each hour adds to the log-likelihood ratio."""
    # Half a lead in each hour, and what one in a hundred does at odd hours, keep a few leads at
    # night from deciding.
    share = (before + 0.5) / (before + 0.5).sum()
    share = 0.99 * share + 0.01 / HOURS
    return np.array([np.log(np.roll(share, turn) / share) for turn in _TURNS])


def _clustering(past: Floats, ratio: Floats) -> float:
    """Return how much wider the score strays than it would if leads came one by one."""
    total = past.sum(axis=1)
    share = past.sum(axis=0) / past.sum()
    mean = float(share @ ratio)
    alone = float(share @ (ratio - mean) ** 2)
    if alone <= 0.0 or not total.any():
        return 1.0
    heard = total > 0
    stray = (past[heard] @ ratio - total[heard] * mean) ** 2 / (total[heard] * alone)
    return max(1.0, float(stray.mean()))
