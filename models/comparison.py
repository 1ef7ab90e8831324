"""Comparison: each candidate at its best settings, judged on rows that it has not seen."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import log_expit
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from .bootstrap import Codes, Estimate, lead_clusters, percentile_interval, resampled_weights
from .calibration import calibrate
from .candidates import ITERATIONS, PENALTIES
from .encoding import FloatArray
from .selection import Rows

Fold = tuple[Rows, Rows]
"""Rows to fit on, rows to judge on."""

_RESAMPLES = 200
_SMALLEST_GAIN = 0.001


@dataclass(frozen=True)
class CandidateResult:
    """How a candidate did on rows that it was not fitted on.

    Attributes
    ----------
    name : str
        ``logistic``, ``boosted_additive``.
    log_loss : Estimate
        In nats, lower is better; of probabilities calibrated on the same rows, since calibration
        follows anyway and a drifted base rate must not decide; 95 % interval clustered by lead.
    fit_seconds : float
        Spent on fitting and choosing settings.
    chosen : bool
    settings : dict
        Chosen on the same rows: parameter of the pipeline to value.
    """

    name: str
    log_loss: Estimate
    fit_seconds: float
    chosen: bool
    settings: dict[str, float | int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return asdict(self) | {"log_loss": self.log_loss.to_dict()}


@dataclass(frozen=True)
class Comparison:
    """All candidates' results, and the margins of the chosen one.

    Attributes
    ----------
    results : tuple of CandidateResult
    chosen : CandidateResult
    rows : ndarray of int
        Rows that were judged.
    margin : ndarray of float64
        Log-odds of the chosen candidate for ``rows``, by a model that was not fitted on them.
    """

    results: tuple[CandidateResult, ...]
    chosen: CandidateResult
    rows: Rows
    margin: FloatArray


def compare(
    pipelines: Mapping[str, Pipeline],
    frame: pd.DataFrame,
    folds: Sequence[Fold],
    *,
    seed: int,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Fit each candidate on each fold, choose its settings, and choose the best by log loss.

    The usual setting and the simpler candidate stand unless another is better by more than one
    standard error and a thousandth of the loss: the rule of Breiman et al. (1984), Classification
    and Regression Trees, with the error of the paired difference.

    Parameters
    ----------
    pipelines : mapping of str to Pipeline
        Unfitted, at their usual settings; simpler ones first.
    frame : DataFrame
        Features, label, lead_id, account_id.
    folds : sequence of (fit rows, judge rows)
        No row is judged twice.
    seed : int
        Of the bootstrap.
    progress : callable, optional
        Told what is being done.
    """
    rows = np.concatenate([judge for _, judge in folds])
    won = frame["label"].to_numpy(dtype=bool)[rows]
    cluster = lead_clusters(frame.iloc[rows])
    trials = []
    for name, pipeline in pipelines.items():
        if progress:
            progress(f"fitting {name.replace('_', ' ')}")
        trials.append(_try(name, pipeline, frame, folds, won, cluster))
    chosen = trials[0]
    for trial in trials[1:]:
        if _clearly_lower(trial.losses, chosen.losses, cluster):
            chosen = trial
    results = tuple(
        CandidateResult(
            trial.name,
            _clustered_mean(trial.losses, cluster, seed),
            trial.seconds,
            trial is chosen,
            trial.settings,
        )
        for trial in trials
    )
    return Comparison(results, results[trials.index(chosen)], rows, chosen.margin)


@dataclass(frozen=True, eq=False)
class _Trial:
    """A candidate at its chosen settings, on all judged rows."""

    name: str
    settings: dict[str, float | int]
    margin: FloatArray
    losses: FloatArray
    seconds: float


def _try(
    name: str,
    pipeline: Pipeline,
    frame: pd.DataFrame,
    folds: Sequence[Fold],
    won: npt.NDArray[np.bool_],
    cluster: Codes,
) -> _Trial:
    started = time.perf_counter()
    by_fold = [_margins(pipeline, frame, fold) for fold in folds]
    margins = {
        setting: np.concatenate([margin[setting] for margin in by_fold]) for setting in by_fold[0]
    }
    losses = {setting: _row_losses(margin, won) for setting, margin in margins.items()}
    parameter = _parameter(pipeline)
    default = pipeline.get_params()[parameter]
    best = min(losses, key=lambda setting: float(losses[setting].mean()))
    if not _clearly_lower(losses[best], losses[default], cluster):
        best = default
    spent = time.perf_counter() - started
    return _Trial(name, {parameter: best}, margins[best], losses[best], spent)


def _is_boosted(pipeline: Pipeline) -> bool:
    return hasattr(pipeline.named_steps["classify"], "max_leaf_nodes")


def _parameter(pipeline: Pipeline) -> str:
    return "classify__max_iter" if _is_boosted(pipeline) else "classify__C"


def _margins(pipeline: Pipeline, frame: pd.DataFrame, fold: Fold) -> dict[float | int, FloatArray]:
    """Return the margins of a fold's judged rows at each setting, what they share done once."""
    fit, judge = (frame.iloc[rows] for rows in fold)
    won = fit["label"].to_numpy(dtype=bool)
    fresh = clone(pipeline)
    prepare, classify = fresh[:-1], fresh.named_steps["classify"]
    known, new = prepare.fit_transform(fit), prepare.transform(judge)
    if _is_boosted(pipeline):
        classify.set_params(max_iter=max(ITERATIONS)).fit(known, won)
        stages = enumerate(classify.staged_decision_function(new), start=1)
        return {stage: np.ravel(margin).copy() for stage, margin in stages if stage in ITERATIONS}
    classify.set_params(warm_start=True)  # each penalty starts from the one before
    return {
        penalty: classify.set_params(C=penalty).fit(known, won).decision_function(new)
        for penalty in PENALTIES
    }


def _row_losses(margin: FloatArray, won: npt.NDArray[np.bool_]) -> FloatArray:
    line = calibrate(margin, won)
    odds = line.slope * margin + line.intercept
    return np.asarray(-log_expit(np.where(won, odds, -odds)), dtype=np.float64)


def _clearly_lower(losses: FloatArray, others: FloatArray, cluster: Codes) -> bool:
    """Whether the mean falls by more than one standard error of the paired, clustered difference.

    And by a share that matters: a window that cannot tell models apart (all near the base rate)
    must not push the choice to an extreme.
    """
    difference = others - losses
    gain = float(difference.mean())
    sums = np.bincount(cluster, weights=difference - gain)
    error = float(np.sqrt(sums @ sums)) / len(difference)
    return gain > max(error, _SMALLEST_GAIN * float(others.mean()))


def _clustered_mean(values: FloatArray, cluster: Codes, seed: int) -> Estimate:
    sums = np.bincount(cluster, weights=values)
    counts = np.bincount(cluster).astype(np.float64)
    blocks = resampled_weights(np.arange(len(sums)), resamples=_RESAMPLES, seed=seed)
    draws = np.concatenate([(weights @ sums) / (weights @ counts) for weights in blocks])
    return percentile_interval(float(values.mean()), draws)
