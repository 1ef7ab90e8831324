"""Log-odds: the losses, the level and the line of labels that are promised as log-odds."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, log_expit

Floats = NDArray[np.float64]

# Log-odds closer together than this are one value: their differences are rounding.
CONSTANT = 1e-9
_STEPS = 100
_TOLERANCE = 1e-10
# A loss of many rows is no more exact than this share of it: the last step must not be refused.
_ROUNDING = 1e-13
_LEVEL_TOLERANCE = 1e-12


@dataclass(frozen=True)
class LogisticLine:
    """Log-odds of the label as a straight line: ``intercept + slope * x``.

    Attributes
    ----------
    intercept, slope : float
        In log-odds, and log-odds per unit of ``x``.
    converged : bool
        False where no finite line is the best one: the labels are separated by ``x``, or there is
        only one label, or ``x`` is constant.
    """

    intercept: float
    slope: float
    converged: bool


def level_shift(log_odds: Floats, target: Floats, weight: Floats) -> float:
    """Find what to add to the log-odds so that the mean probability is the mean of the target.

    Parameters
    ----------
    log_odds, target, weight : array of shape (n,)
        Not all targets are 0, and not all are 1, among the rows of a weight above 0.
    """
    share = weight / weight.sum()
    wanted = float(np.sum(share * target))
    reach = 40.0 + float(np.abs(log_odds).max())

    def excess(shift: float) -> float:
        # Not by BLAS: its threads wait for each other wherever another process has a core.
        return float(np.sum(share * expit(log_odds + shift))) - wanted

    return float(brentq(excess, -reach, reach, xtol=_LEVEL_TOLERANCE))


def row_losses(log_odds: Floats, won: NDArray[np.bool_]) -> Floats:
    """Return the log loss of each row, in nats.

    Parameters
    ----------
    log_odds, won : array of shape (n,)
    """
    return np.asarray(-log_expit(np.where(won, log_odds, -log_odds)), dtype=np.float64)


def counted_rows(
    margin: ArrayLike, label: ArrayLike, weight: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return margin, label (0 or 1) and weight of the rows that count: those of a weight above 0.

    Parameters
    ----------
    margin, label : array of shape (n,)
    weight : array of shape (n,) or None
        None: each row counts once.
    """
    values, won = (np.asarray(column, dtype=np.float64) for column in (margin, label))
    if weight is None:
        return values, won, np.ones(len(values))
    rows_of = np.asarray(weight, dtype=np.float64)
    counts = rows_of > 0.0
    return values[counts], won[counts], rows_of[counts]


def fit_logistic_line(x: ArrayLike, target: ArrayLike) -> LogisticLine:
    """Fit the log-odds of a label (or of a share in [0, 1]) by a line, by damped Newton steps.

    Parameters
    ----------
    x : array of shape (n,)
        Log-odds.
    target : array of shape (n,)
        Labels 0 and 1, or shares between.
    """
    values, wanted = (np.asarray(column, dtype=np.float64) for column in (x, target))
    rate = float(wanted.mean()) if len(wanted) else math.nan
    if not 0.0 < rate < 1.0 or np.ptp(values) <= CONSTANT or _separated(values, wanted):
        return LogisticLine(math.nan, math.nan, converged=False)
    centre, scale = float(values.mean()), float(values.std())
    at = (values - centre) / scale
    line = np.array([math.log(rate / (1.0 - rate)), 0.0])
    loss = _loss(line[0] + line[1] * at, wanted)
    for _ in range(_STEPS):
        probability = expit(line[0] + line[1] * at)
        excess = probability - wanted
        spread = probability * (1.0 - probability)
        gradient = np.array([excess.sum(), (excess * at).sum()])
        across = float((spread * at).sum())
        curvature = np.array([[spread.sum(), across], [across, (spread * at * at).sum()]])
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), gradient)
        # Newton overshoots where the labels are nearly separated: halve until the loss falls.
        for halving in range(30):
            moved = line - step / 2**halving
            moved_loss = _loss(moved[0] + moved[1] * at, wanted)
            if moved_loss <= loss * (1.0 + _ROUNDING):
                line, loss = moved, moved_loss
                break
        if float(np.abs(step).max()) < _TOLERANCE * max(1.0, float(np.abs(line).max())):
            break
    slope = float(line[1]) / scale
    return LogisticLine(float(line[0]) - slope * centre, slope, converged=True)


def _separated(x: Floats, target: Floats) -> bool:
    """Whether a cut of ``x`` parts the certain labels, so that the best slope is infinite."""
    if np.any((target > 0.0) & (target < 1.0)):
        return False
    low, high = x[target == 0.0], x[target == 1.0]
    return bool(low.max() <= high.min() or high.max() <= low.min())


def _loss(log_odds: Floats, target: Floats) -> float:
    loss = target * log_expit(log_odds) + (1.0 - target) * log_expit(-log_odds)
    return -float(np.sum(loss))
