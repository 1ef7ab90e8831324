"""Calibration: the one strictly increasing map from margin (log-odds) to probability."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit

from leadlight.features.errors import NotEnoughDataError

Floats = NDArray[np.float64]

# Below this a margin says so little of the label that the line would all but hide the ranking;
# it keeps the map strictly increasing where a window happens to contradict the model.
SMALLEST_SLOPE = 0.01
# Log-odds closer together than this are one value: their differences are rounding.
_CONSTANT = 1e-9
_STEPS = 100
_TOLERANCE = 1e-10


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


@dataclass(frozen=True)
class Calibration:
    """Turns margins into probabilities without ever changing their order.

    Attributes
    ----------
    slope : float
        Above zero: 1 means that the margins were neither too bold nor too shy.
    intercept : float
        Log-odds added to each lead.
    """

    slope: float
    intercept: float

    def probability(self, margin: ArrayLike) -> Floats:
        """Return the probability of a win within the horizon.

        Parameters
        ----------
        margin : array of shape (n,)
            Log-odds of the compiled model.

        Returns
        -------
        array of shape (n,)
            Within [0, 1], increasing in the margin.
        """
        values = np.asarray(margin, dtype=np.float64)
        return np.asarray(expit(self.slope * values + self.intercept), dtype=np.float64)

    def to_dict(self) -> dict[str, float]:
        """Return plain data for a JSON file."""
        return {"slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Calibration":
        """Read what ``to_dict`` wrote."""
        return cls(slope=float(data["slope"]), intercept=float(data["intercept"]))


def calibrate(margin: ArrayLike, label: ArrayLike) -> Calibration:
    """Fit the map from margin to probability on leads the model has not seen.

    Platt's sigmoid with his smoothed targets, so that a small or separated window gives a finite
    line. Where the window contradicts the model (no positive slope), the slope is held at
    ``SMALLEST_SLOPE`` and only the level follows the window.

    Parameters
    ----------
    margin : array of shape (n,)
        Log-odds of rows outside the fitting window.
    label : array of shape (n,)
        Whether the lead was won within the horizon.

    Raises
    ------
    NotEnoughDataError
        There are no rows, or all have the same label.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines.
    Lin, Lin & Weng (2007), A note on Platt's probabilistic outputs.
    """
    values = np.asarray(margin, dtype=np.float64)
    won = np.asarray(label, dtype=bool)
    positives, rows = int(won.sum()), len(won)
    if positives in {0, rows}:
        raise NotEnoughDataError(
            f"Calibration needs won and not-won leads; its window has {positives} won of {rows}.",
            hint="Give a longer history, a shorter label.horizon_days, or a closer snapshot grid.",
        )
    target = np.where(won, (positives + 1) / (positives + 2), 1 / (rows - positives + 2))
    if np.ptp(values) <= _CONSTANT:
        return Calibration(1.0, _level(values, target, 1.0))
    line = fit_logistic_line(values, target)
    if line.slope < SMALLEST_SLOPE:
        return Calibration(SMALLEST_SLOPE, _level(values, target, SMALLEST_SLOPE))
    return Calibration(line.slope, line.intercept)


def fit_logistic_line(x: ArrayLike, target: ArrayLike) -> LogisticLine:
    """Fit the log-odds of a label (or of a share in [0, 1]) by a line, by damped Newton steps.

    Parameters
    ----------
    x : array of shape (n,)
        Log-odds.
    target : array of shape (n,)
        Labels 0 and 1, or shares between.
    """
    values = np.asarray(x, dtype=np.float64)
    wanted = np.asarray(target, dtype=np.float64)
    rate = float(wanted.mean())
    if not 0.0 < rate < 1.0 or np.ptp(values) <= _CONSTANT or _separated(values, wanted):
        return LogisticLine(math.nan, math.nan, converged=False)
    centre, scale = float(values.mean()), float(values.std())
    design = np.column_stack([np.ones_like(values), (values - centre) / scale])
    line = np.array([math.log(rate / (1.0 - rate)), 0.0])
    loss = _loss(design @ line, wanted)
    for _ in range(_STEPS):
        probability = expit(design @ line)
        gradient = design.T @ (probability - wanted)
        spread = probability * (1.0 - probability)
        curvature = design.T @ (design * spread[:, None])
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), gradient)
        # Newton overshoots where the labels are nearly separated: halve until the loss falls.
        for halving in range(30):
            moved = line - step / 2**halving
            moved_loss = _loss(design @ moved, wanted)
            if moved_loss <= loss:
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
    return -float(np.sum(target * log_expit(log_odds) + (1.0 - target) * log_expit(-log_odds)))


def _level(margin: Floats, target: Floats, slope: float) -> float:
    """Find the intercept at which the mean probability is the mean target, by bisection."""
    wanted = float(target.mean())
    reach = 40.0 + slope * float(np.abs(margin).max())
    low, high = -reach, reach
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        if float(expit(slope * margin + middle).mean()) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
