"""Clock shift: whether a stream's hours of the day have moved as a whole.

The leads heard of in each hour of the last days are held against the hours of the weeks before,
turned by 1 to 12 hours either way. How likely hours that have not moved are to give such a
likelihood ratio is told by the saddlepoint of its distribution; of a few leads, by its Chernoff
bound. An hour (summer time) is likelier than a night: turns share the chance of a false alarm by
the inverse square of their hours. Leads come in visits and campaigns, not one by one: they count
as so many fewer as the log ratio strayed more on days before than independent leads would let it.

References
----------
Lugannani & Rice (1980), Saddle Point Approximation for the Distribution of the Sum of Independent
Random Variables. Royall (1997), Statistical Evidence: A Likelihood Paradigm, ch. 1.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import norm

Floats = NDArray[np.float64]

HOURS = 24
_WEEKS = 8
_FEWEST_DAYS = 28
_TURNS = np.array([turn for turn in range(-12, 12) if turn])
_LIKELY = 1.0 / _TURNS.astype(np.float64) ** 2
_LIKELY /= _LIKELY.sum()
_FEW_LEADS = 20.0
_STEEPEST, _SHALLOW = 64.0, 0.1


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
        Chance of such a likelihood ratio without a shift, of any turn.
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
    share = _shares(before.sum(axis=0))
    ratios = np.array([np.log(np.roll(share, turn) / share) for turn in _TURNS])
    scores = ratios @ now
    best = int(np.argmax(scores + np.log(_LIKELY)))
    past = np.array([before[at : at + days].sum(axis=0) for at in range(len(before) - days + 1)])
    leads = float(now.sum()) / _clustering(past, ratios[best])
    gain = float(scores[best] / now.sum())
    highest = float((past @ ratios[best]).max())
    chance = min(1.0, _tail(share, ratios[best], gain, leads) / float(_LIKELY[best]))
    return ClockShift(
        days,
        int(_TURNS[best]),
        float(now.sum()),
        # What has happened before without a shift is none.
        chance if scores[best] > highest else 1.0,
        gain,
    )


def _shares(before: Floats) -> Floats:
    """Return how leads of the weeks before lie over the hours.

    Half a lead in each hour, and what one in a hundred does at odd hours, keep a few leads at night
    from deciding.
    """
    heard = before + 0.5
    share: Floats = 0.99 * heard / heard.sum() + 0.01 / HOURS
    return share


def _tail(share: Floats, ratio: Floats, gain: float, leads: float) -> float:
    """Return the chance that so many independent leads reach a mean log ratio of ``gain``."""
    if gain <= float(share @ ratio):
        return 1.0

    def slope(tilt: float) -> float:
        tilted = share * np.exp(tilt * ratio)
        return float(tilted @ ratio / tilted.sum()) - gain

    highest = 1.0
    while slope(highest) < 0.0 and highest < _STEEPEST:
        highest *= 2.0
    tilt = float(brentq(slope, 0.0, highest)) if slope(highest) > 0.0 else highest
    tilted = share * np.exp(tilt * ratio)
    depth = leads * (tilt * gain - math.log(tilted.sum()))
    if leads < _FEW_LEADS or depth < _SHALLOW or tilt == highest:
        return math.exp(-depth)
    spread = tilted @ (ratio - gain) ** 2 / tilted.sum()
    far, wide = math.sqrt(2.0 * depth), tilt * math.sqrt(leads * spread)
    return float(norm.sf(far) + norm.pdf(far) * (1.0 / wide - 1.0 / far))


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
