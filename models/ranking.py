"""Ranking: rows in order of probability, and every weighted figure that follows from it.

Each figure is one function of sorted rows and their weights. On all rows the weights are one; in a
resample they say how often a row was drawn. So there is one sort, and a figure and its interval
cannot follow different formulas.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from .bootstrap import Codes, Floats
from .log_odds import LogisticLine, fit_logistic_line

FIGURES = (
    "base_rate",
    "auc",
    "average_precision",
    "log_loss",
    "brier",
    "ece",
    "calibration_slope",
    "calibration_intercept",
    "lift_at_10",
)
# Bins of equal mass, for the reliability curve and for the calibration error alike.
RELIABILITY_BINS = 10
_NEWTON_STEPS = 3
_SMALLEST = 1e-15


@dataclass(frozen=True)
class RankedLeads:
    """Snapshots sorted by falling probability, with what each figure needs of them.

    Attributes
    ----------
    probability : array of shape (n,)
    won : array of bool, shape (n,)
    codes : array of shape (n,)
        Cluster of each row.
    log_odds : array of shape (n,)
        Of the probability, which is kept a hair away from 0 and 1.
    row_log_loss : array of shape (n,)
    tie_ends : array of shape (t,)
        Last row of each run of equal probabilities.
    bin_starts : array of shape (b,)
        First row of each bin of the reliability curve.
    line : LogisticLine
        Of the label on the log-odds.
    stands_for : array of shape (n,)
        How many rows each stands for.
    """

    probability: Floats
    won: NDArray[np.bool_]
    codes: Codes
    log_odds: Floats
    row_log_loss: Floats
    tie_ends: NDArray[np.intp]
    bin_starts: NDArray[np.intp]
    line: LogisticLine
    stands_for: Floats

    def figures(self, weights: Floats) -> Floats:
        """Return the figures named in ``FIGURES``, for several sets of weights.

        Parameters
        ----------
        weights : array of shape (b, n)

        Returns
        -------
        array of shape (figures, b)
            NaN where a figure has no meaning (ranking among one label).
        """
        weights = weights * self.stands_for
        total = weights.sum(axis=1)
        won_weights = weights * self.won
        wins = self.at_tie_ends(won_weights)
        worked = self.at_tie_ends(weights)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            base_rate = wins[:, -1] / total
            gap = np.add.reduceat(won_weights - weights * self.probability, self.bin_starts, axis=1)
            lift = _gain(wins, worked, 0.1) / 0.1
            intercept, slope = self._line(weights)
            return np.stack(
                [
                    base_rate,
                    _auc(wins, worked),
                    _average_precision(wins, worked),
                    weights @ self.row_log_loss / total,
                    weights @ (self.probability - self.won) ** 2 / total,
                    np.abs(gap).sum(axis=1) / total,
                    slope,
                    intercept,
                    lift,
                ]
            )

    def at_tie_ends(self, weights: Floats) -> Floats:
        """Sum weights down to the end of each run of equal probabilities, from 0.

        Parameters
        ----------
        weights : array of shape (b, n)

        Returns
        -------
        array of shape (b, t + 1)
        """
        sums = np.cumsum(weights, axis=1)[:, self.tie_ends]
        return np.concatenate([np.zeros((len(weights), 1)), sums], axis=1)

    def _line(self, weights: Floats) -> tuple[Floats, Floats]:
        """Move the line of all rows to the weighted rows; NaN where it leaves for infinity."""
        x = self.log_odds
        slope = np.full(len(weights), self.line.slope)
        intercept = np.full(len(weights), self.line.intercept)
        if not self.line.converged:
            return intercept, slope
        powers = np.column_stack([np.ones_like(x), x, x * x])
        for _ in range(_NEWTON_STEPS):
            fitted = expit(intercept[:, None] + slope[:, None] * x)
            pull = (weights * (fitted - self.won)) @ powers[:, :2]
            curve = (weights * (fitted * (1.0 - fitted))) @ powers
            determinant = curve[:, 0] * curve[:, 2] - curve[:, 1] ** 2
            determinant[determinant <= 1e-9 * curve[:, 0] * curve[:, 2]] = math.nan
            step = (curve[:, 0] * pull[:, 1] - curve[:, 1] * pull[:, 0]) / determinant
            intercept -= (curve[:, 2] * pull[:, 0] - curve[:, 1] * pull[:, 1]) / determinant
            slope -= step
        slope[np.abs(step) > 0.01 * np.maximum(1.0, np.abs(slope))] = math.nan
        return np.where(np.isfinite(slope), intercept, math.nan), slope


def rank_leads(
    probability: Floats,
    won: NDArray[np.bool_],
    codes: Codes,
    stands_for: Floats | None = None,
) -> RankedLeads:
    """Sort rows by falling probability.

    Parameters
    ----------
    probability : array of shape (n,), n > 0
    won : array of bool, shape (n,)
    codes : array of shape (n,)
        Cluster of each row.
    stands_for : array of shape (n,), all above 0, optional
        How many rows each stands for; default: itself.
    """
    order = np.argsort(-probability, kind="stable")
    values, won = probability[order], won[order]
    tie_ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    # A bin ends at the first tie end at or after its share of the rows: equals stay together.
    wanted = np.arange(1, RELIABILITY_BINS) * len(values) / RELIABILITY_BINS
    bin_ends = tie_ends[np.searchsorted(tie_ends, wanted - 1.0)]
    starts = np.unique(np.concatenate([[0], bin_ends + 1]))
    bounded = np.clip(values, _SMALLEST, 1.0 - _SMALLEST)
    log_odds = np.asarray(logit(bounded), dtype=np.float64)
    return RankedLeads(
        probability=values,
        won=won,
        codes=codes[order],
        log_odds=log_odds,
        row_log_loss=-np.log(np.where(won, bounded, 1.0 - bounded)),
        tie_ends=tie_ends,
        bin_starts=starts[starts < len(values)],
        line=fit_logistic_line(log_odds, won),
        stands_for=np.ones(len(values)) if stands_for is None else stands_for[order],
    )


def _auc(wins: Floats, worked: Floats) -> Floats:
    """Area under the ROC curve by trapezoids, which give a tie half its pairs."""
    losses = worked - wins
    area = np.diff(losses, axis=1) * (wins[:, 1:] + wins[:, :-1]) / 2.0
    return np.asarray(area.sum(axis=1) / (wins[:, -1] * losses[:, -1]), dtype=np.float64)


def _average_precision(wins: Floats, worked: Floats) -> Floats:
    precision = wins[:, 1:] / np.where(worked[:, 1:] > 0.0, worked[:, 1:], 1.0)
    return np.asarray(
        (np.diff(wins, axis=1) * precision).sum(axis=1) / wins[:, -1], dtype=np.float64
    )


def _gain(wins: Floats, worked: Floats, share: float) -> Floats:
    """Share of wins among the best ``share`` of the weight, a tie at the cut shared out evenly."""
    wanted = share * worked[:, -1:]
    after = np.minimum((worked < wanted).sum(axis=1), worked.shape[1] - 1)[:, None]
    upper, lower = (np.take_along_axis(worked, after - k, axis=1) for k in (0, 1))
    found, before = (np.take_along_axis(wins, after - k, axis=1) for k in (0, 1))
    part = before + (found - before) * (wanted - lower) / (upper - lower)
    return np.asarray((part / wins[:, -1:])[:, 0], dtype=np.float64)
