"""Isotonic calibration: a map from margin to probability of any rising shape, smoothed."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from .calibration import SMALLEST_SLOPE, Calibration
from .log_odds import Floats, level_shift

_Knot = tuple[float, float]

LEAST_WINS_PER_KNOT = 25.0
"""Wins, and losses, behind each knot: its log-odds are known to about 0.3 at worst."""


def smoothed_isotonic(margin: ArrayLike, label: ArrayLike, line: Calibration) -> Calibration:
    """Bend a straight calibration to the shares that were won, without steps or plateaus.

    Isotonic regression pools leads of neighbouring margins wherever more margin did not mean more
    wins. Its pools are joined until each holds ``LEAST_WINS_PER_KNOT`` wins and losses; each then
    gives one knot at its centre, and straight lines of log-odds join the knots. The centre is where
    the line promises the pool's mean promise, so that a true line is not bent by wide pools.

    Parameters
    ----------
    margin : array of shape (n,)
        Log-odds of rows outside the fitting window.
    label : array of shape (n,)
        Whether the lead was won within the horizon.
    line : Calibration
        Straight, fitted on the same rows; its slope continues beyond the outermost knots.

    Returns
    -------
    Calibration
        The line itself where fewer than two pools can be told apart.

    References
    ----------
    Zadrozny & Elkan (2002), Transforming classifier scores into accurate multiclass probability
    estimates. Oron & Flournoy (2017), Centered isotonic regression.
    """
    values, won = (np.asarray(column, dtype=np.float64) for column in (margin, label))
    order = np.argsort(values, kind="stable")
    values, won = values[order], won[order]
    each = np.ones(len(won))
    promised = expit(line.log_odds(values))
    wins, rows, promises = _pools(
        IsotonicRegression().fit_transform(values, won),
        np.column_stack([won, each, promised]),
    )
    if len(rows) < 2:
        return line
    at = (logit(promises / rows) - line.intercept) / line.slope
    rising = _rising(at, logit(wins / rows))
    if len(rising) < 2:
        return line
    knots = _reaching(rising, float(values[0]), float(values[-1]), line.slope)
    bent = Calibration(line.slope, 0.0, knots)
    return bent.shifted(level_shift(bent.log_odds(values), won, each))


def _pools(fitted: Floats, counts: Floats) -> Floats:
    """Sum the counts of each pool, of columns wins, rows and promises; neighbours joined."""
    starts = np.flatnonzero(np.append(True, np.diff(fitted) > 0.0))
    pools: list[Floats] = []
    current = np.zeros(counts.shape[1])
    for pool in np.add.reduceat(counts, starts, axis=0):
        current = current + pool
        wins, rows = current[:2]
        if min(wins, rows - wins) >= LEAST_WINS_PER_KNOT:
            pools.append(current)
            current = np.zeros(counts.shape[1])
    if pools:
        pools[-1] = pools[-1] + current
    return np.array(pools).reshape(-1, counts.shape[1]).T


def _rising(at: Floats, wanted: Floats) -> list[_Knot]:
    """Leave out knots that do not rise by the smallest slope from the one before."""
    knots = [(float(at[0]), float(wanted[0]))]
    for margin, log_odds in zip(at[1:].tolist(), wanted[1:].tolist(), strict=True):
        before = knots[-1]
        if margin > before[0] and log_odds - before[1] >= SMALLEST_SLOPE * (margin - before[0]):
            knots.append((margin, log_odds))
    return knots


def _reaching(knots: list[_Knot], lowest: float, highest: float, slope: float) -> tuple[_Knot, ...]:
    """Add the ends of the margins that were seen, no more steeply than the line.

    From the centre of an outermost pool outwards a plateau continues, while a steep last piece,
    which a chance run of wins would give, does not.
    """
    (left, low), (right, high) = knots[0], knots[-1]
    first = min(slope, _slope(knots[0], knots[1]))
    last = min(slope, _slope(knots[-2], knots[-1]))
    before = [(lowest, low - first * (left - lowest))] if lowest < left else []
    after = [(highest, high + last * (highest - right))] if highest > right else []
    return (*before, *knots, *after)


def _slope(start: _Knot, end: _Knot) -> float:
    return (end[1] - start[1]) / (end[0] - start[0])
