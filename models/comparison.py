"""Comparison: each candidate at its best setting, judged on rows that it has not seen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_expit

from .bootstrap import (
    Codes,
    Estimate,
    clustered_mean,
    mean_interval,
)
from .calibration import calibrate
from .candidates import CandidateName, setting_of
from .encoding import FloatArray
from .out_of_fold import Choice, Trial
from .time_order import Rows

_RESAMPLES = 200
_SMALLEST_GAIN = 0.001


@dataclass(frozen=True)
class CandidateResult:
    """How a candidate did on rows that it was not fitted on.

    Attributes
    ----------
    name : str
        ``logistic``, ``boosted_additive``, ``boosted_pairs``, ``unlimited_trees``.
    log_loss : Estimate
        In nats, lower is better; of probabilities calibrated fold by fold on the same rows, since
        calibration follows anyway and a drifted base rate must not decide; 95 % interval clustered
        by lead.
    fit_seconds : float
        Spent on fitting and choosing settings.
    chosen : bool
        Whether it takes part in the blend.
    settings : dict
        Chosen on the same rows: parameter of the classifier to value.
    weight : float
        Of its log-odds in the blend.
    """

    name: CandidateName
    log_loss: Estimate
    fit_seconds: float
    chosen: bool
    settings: dict[str, float | int]
    weight: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return asdict(self) | {"log_loss": self.log_loss.to_dict()}


@dataclass(frozen=True, eq=False)
class Settled:
    """A candidate at its chosen setting, on all judged rows.

    Attributes
    ----------
    name : str
    choice : float or int
        Value of its setting.
    margin : ndarray of float64, shape (n,)
    losses : ndarray of float64, shape (n,)
        Log loss of each row, calibrated fold by fold, in nats.
    taught : tuple of (ndarray of int, ndarray of float64)
        For each fold, places among its fit rows, and the margins that its own model gives them.
    seconds : float
    """

    name: CandidateName
    choice: Choice
    margin: FloatArray
    losses: FloatArray
    taught: tuple[tuple[Rows, FloatArray], ...]
    seconds: float


def settle(trial: Trial, won: npt.NDArray[np.bool_], fold: Rows) -> Settled:
    """Choose a candidate's setting: the usual one, unless another is better by what matters.

    Parameters
    ----------
    trial : Trial
    won : ndarray of bool, shape (n,)
    fold : ndarray of int, shape (n,)
        Which fold judged each row.
    """
    losses = {
        choice: calibrated_losses(margin, won, fold) for choice, margin in trial.margins.items()
    }
    usual = setting_of(trial.name).usual
    best = min(losses, key=lambda choice: float(losses[choice].mean()))
    if losses[usual].mean() - losses[best].mean() < _SMALLEST_GAIN * losses[usual].mean():
        best = usual
    taught = tuple((each.places, each.margins[best]) for each in trial.taught)
    return Settled(trial.name, best, trial.margins[best], losses[best], taught, trial.seconds)


def result_of(
    settled: Settled, weights: Mapping[str, float], cluster: Codes, *, seed: int
) -> CandidateResult:
    """Put a settled candidate's figures together.

    Parameters
    ----------
    settled : Settled
    weights : mapping of str to float
        Of the blend.
    cluster : ndarray of int, shape (n,)
    seed : int
        Of the bootstrap.
    """
    return CandidateResult(
        settled.name,
        mean_interval(settled.losses, cluster, resamples=_RESAMPLES, seed=seed),
        settled.seconds,
        settled.name in weights,
        {setting_of(settled.name).parameter: settled.choice},
        weights.get(settled.name, 0.0),
    )


def calibrated_losses(margin: FloatArray, won: npt.NDArray[np.bool_], fold: Rows) -> FloatArray:
    """Return each row's log loss after a line has been put through each fold's margins."""
    losses = np.empty(len(margin))
    for at in range(int(fold.max()) + 1):
        rows = np.flatnonzero(fold == at)
        line = calibrate(margin[rows], won[rows])
        odds = line.slope * margin[rows] + line.intercept
        losses[rows] = -log_expit(np.where(won[rows], odds, -odds))
    return losses


def clearly_lower(losses: FloatArray, others: FloatArray, cluster: Codes) -> bool:
    """Whether the mean falls by more than one standard error of the paired, clustered difference.

    And by a share that matters: a window that cannot tell models apart (all near the base rate)
    must not push the choice to an extreme.
    """
    gain, error = clustered_mean(others - losses, cluster, np.ones(len(losses)))
    return gain > max(error, _SMALLEST_GAIN * float(others.mean()))
