"""Scores of probabilities, and which of two contestants is the better one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from leadlight.models.bootstrap import (
    Codes,
    Estimate,
    Floats,
    mean_interval,
)
from leadlight.models.evaluation import evaluate

Verdict = Literal["win", "tie", "loss"]
RESAMPLES = 1000
_SMALLEST = 1e-15


@dataclass(frozen=True)
class Score:
    """How good the probabilities of a case's judged rows are.

    Attributes
    ----------
    log_loss, auc, average_precision, ece : float
    ece_excess : float
        The calibration error above what a perfectly calibrated model would show by chance, at
        least 0.
    lift : float
        Share won among the top tenth over the base rate.
    """

    log_loss: float
    auc: float
    average_precision: float
    ece: float
    ece_excess: float
    lift: float


def score(probability: Floats, won: npt.NDArray[np.bool_], *, seed: int) -> Score:
    """Score probabilities against what came.

    Parameters
    ----------
    probability, won : arrays of shape (n,)
    seed : int
        Of the simulated noise in the calibration error.
    """
    told = evaluate(probability, won, None, seed=seed, resamples=0)
    return Score(
        log_loss=told.log_loss.value,
        auc=told.auc.value,
        average_precision=told.average_precision.value,
        ece=told.ece.value,
        ece_excess=max(0.0, told.ece.value - told.ece_noise.value),
        lift=told.lift_at_10.value,
    )


def log_loss_difference(
    ours: Floats, theirs: Floats, won: npt.NDArray[np.bool_], codes: Codes, *, seed: int
) -> Estimate:
    """Return by how much our log loss is above theirs, negative if ours is better.

    The rows are the same, so their difficulty cancels; leads (accounts, where there are any) are
    drawn with all their rows.

    Parameters
    ----------
    ours, theirs : arrays of shape (n,)
        Probabilities.
    won : array of shape (n,)
    codes : array of shape (n,)
        Cluster of each row, numbered from 0.
    seed : int
        Of the bootstrap; 95 % percentile interval.
    """
    difference = _row_log_loss(ours, won) - _row_log_loss(theirs, won)
    return mean_interval(difference, codes, resamples=RESAMPLES, seed=seed)


def verdict(difference: Estimate) -> Verdict:
    """Call a win or a loss only where the interval leaves no doubt about the sign."""
    if difference.high < 0.0:
        return "win"
    return "loss" if difference.low > 0.0 else "tie"


def _row_log_loss(probability: Floats, won: npt.NDArray[np.bool_]) -> Floats:
    bounded = np.clip(probability, _SMALLEST, 1.0 - _SMALLEST)
    return np.asarray(-np.log(np.where(won, bounded, 1.0 - bounded)), dtype=np.float64)
