"""Calibration: the one strictly increasing map from margin (log-odds) to probability."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from leadlight.features.errors import NotEnoughDataError

from .log_odds import CONSTANT, Floats, fit_logistic_line, level_shift

# Below this a margin says so little of the label that the line would all but hide the ranking;
# it keeps the map strictly increasing where a window happens to contradict the model.
SMALLEST_SLOPE = 0.01


@dataclass(frozen=True)
class Calibration:
    """Turns margins into probabilities without ever changing their order.

    The log-odds are ``slope * margin``, or a chain of straight pieces through the knots and of the
    slope beyond them; then the intercept is added.

    Attributes
    ----------
    slope : float
        Log-odds per unit of margin, above zero: 1 means that the margins were neither too bold nor
        too shy. With knots it holds beyond the first and the last.
    intercept : float
        Log-odds added to each lead: the level, which may follow the newest wins.
    knots : tuple of (float, float)
        Margin and log-odds, both strictly increasing; empty for a straight line.

    Raises
    ------
    ValueError
        The map would not be strictly increasing.
    """

    slope: float
    intercept: float
    knots: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        steps = np.diff(np.array(self.knots), axis=0) if self.knots else np.ones(1)
        if not (self.slope > 0.0 and np.all(steps > 0.0)):
            raise ValueError("A calibration must be strictly increasing.")

    def log_odds(self, margin: ArrayLike) -> Floats:
        """Return the log-odds of a win within the horizon, strictly increasing in the margin.

        Parameters
        ----------
        margin : array of shape (n,)
            Log-odds of the compiled model.
        """
        values = np.asarray(margin, dtype=np.float64)
        if not self.knots:
            return np.asarray(self.slope * values + self.intercept, dtype=np.float64)
        at, wanted = np.array(self.knots).T
        beyond = values - np.clip(values, at[0], at[-1])
        between = np.interp(values, at, wanted)
        return np.asarray(between + self.slope * beyond + self.intercept, dtype=np.float64)

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
        return np.asarray(expit(self.log_odds(margin)), dtype=np.float64)

    def margin(self, probability: float) -> float:
        """Return the margin of a probability: the map read backwards.

        Parameters
        ----------
        probability : float
            Between 0 and 1, both excluded.
        """
        wanted = float(logit(probability)) - self.intercept
        if not self.knots:
            return wanted / self.slope
        at, reached = np.array(self.knots).T
        inside = float(np.clip(wanted, reached[0], reached[-1]))
        return float(np.interp(inside, reached, at)) + (wanted - inside) / self.slope

    def shifted(self, by: float) -> "Calibration":
        """Return the same shape on another level.

        Parameters
        ----------
        by : float
            Log-odds to add to each lead.
        """
        return replace(self, intercept=self.intercept + by)

    def unsure(self, spread: float) -> "Calibration":
        """Return the mean probability over levels that may yet move: all are drawn towards a half.

        Parameters
        ----------
        spread : float
            Standard deviation of the level to come, in log-odds, at least 0.

        References
        ----------
        MacKay (1992), The evidence framework applied to classification networks: the mean of the
        logistic function over a normal distribution, as a factor on the log-odds.
        """
        factor = 1.0 / math.sqrt(1.0 + math.pi * spread**2 / 8.0)
        return Calibration(
            factor * self.slope,
            factor * self.intercept,
            tuple((at, factor * wanted) for at, wanted in self.knots),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        line = {"slope": self.slope, "intercept": self.intercept}
        return line | ({"knots": [list(knot) for knot in self.knots]} if self.knots else {})

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Calibration":
        """Read what ``to_dict`` wrote."""
        knots = tuple((float(at), float(wanted)) for at, wanted in data.get("knots", ()))
        return cls(float(data["slope"]), float(data["intercept"]), knots)


def calibrate(margin: ArrayLike, label: ArrayLike) -> Calibration:
    """Fit a straight map from margin to probability on leads the model has not seen.

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
    won = np.asarray(label, dtype=np.float64) > 0.0
    if won.all() or not won.any():
        raise NotEnoughDataError(
            "Calibration needs won and not-won leads; its window has "
            f"{int(won.sum())} won of {len(won)}.",
            hint="Give a longer history, a shorter label.horizon_days, or a closer snapshot grid.",
        )
    wins, losses = float(won.sum()), float((~won).sum())
    target = np.where(won, (wins + 1.0) / (wins + 2.0), 1.0 / (losses + 2.0))
    slope = 1.0
    if np.ptp(values) > CONSTANT:
        line = fit_logistic_line(values, target)
        if line.slope >= SMALLEST_SLOPE:
            return Calibration(line.slope, line.intercept)
        slope = SMALLEST_SLOPE
    return Calibration(slope, level_shift(slope * values, target, np.ones(len(won))))
