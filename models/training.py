"""Training: candidates compete in time order; the best is calibrated, compiled and judged once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from leadlight.features.errors import NotEnoughDataError
from leadlight.features.feature import Family, Feature

from .bootstrap import lead_clusters
from .calibration import Calibration, calibrate
from .candidates import candidates
from .comparison import CandidateResult, Comparison, Fold, compare
from .compiled import CompiledModel, compile_model
from .encoding import FloatArray, check_columns, feature_kinds
from .evaluation import Evaluation, evaluate
from .redundancy import distinct_features
from .reference import Reference, family_margin
from .selection import LEAST_WINS, Rows, Windows, check_labels, lead_folds, split_windows

_AGREEMENT = 1e-9
_KEYS = ["lead_id", "account_id", "as_of", "label"]


@dataclass(frozen=True)
class TrainingResult:
    """A trained model with everything that was learned about it.

    Attributes
    ----------
    compiled : CompiledModel
        The chosen candidate, fitted on ``windows.train``: the very model that was evaluated.
    calibration : Calibration
    candidates : tuple of CandidateResult
    evaluation : Evaluation
        On the test window, where known leads recur as they do in production.
    unseen : Evaluation or None
        On the test window's leads that no earlier window holds; None with too few of them.
    windows : Windows
    held_out : DataFrame
        The test window: lead_id, account_id, as_of, label, margin, probability, fit and engagement
        (log-odds of the family's parts) and their percentiles (0 to 1).
    importance : mapping of str to float
        Per feature the mean distance of its part from its mean, log-odds, on the test window.
    reference : Reference
        The test window's leads, to place a scored lead among.
    """

    compiled: CompiledModel
    calibration: Calibration
    candidates: tuple[CandidateResult, ...]
    evaluation: Evaluation
    unseen: Evaluation | None
    windows: Windows
    held_out: pd.DataFrame
    importance: Mapping[str, float]
    reference: Reference


def train_model(
    frame: pd.DataFrame,
    features: Sequence[Feature],
    *,
    horizon_days: int,
    seed: int,
    progress: Callable[[str], None] | None = None,
) -> TrainingResult:
    """Choose, fit, calibrate and evaluate the model of conversion within the horizon.

    The model is chosen on a window later than the one it was fitted on. A window later still,
    which that model has not seen, tells how far its margins can be trusted (the slope of the
    calibration). Then it is fitted again on all that was known before the last window, its mean
    probability is set to the newest share of wins, and the last window is looked at once.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Mature snapshots: lead_id, account_id, as_of, label, position, then the features.
    features : sequence of Feature
        In catalog order.
    horizon_days : int
        Days after as_of within which a win counts.
    seed : int
        Same seed and input, same result.
    progress : callable, optional
        Told what is being done, in a few words.

    Raises
    ------
    NotEnoughDataError
        No features, or too few mature snapshots, wins or losses.
    SchemaMismatchError
        A feature's column is missing from the frame or has another type.
    """
    if not features:
        raise NotEnoughDataError(
            "there is no feature to learn from.",
            hint="Map events or profile columns in the sources, or exclude fewer features.",
        )
    check_labels(frame["label"].to_numpy(dtype=bool))
    check_columns(frame, [feature.name for feature in features], feature_kinds(features))
    # The fits are small: threads gain little on them, wait busily for each other wherever another
    # process has a core (ten times slower, measured), and sum in an order that varies.
    with threadpool_limits(limits=1):
        return _train(frame, features, horizon_days=horizon_days, seed=seed, progress=progress)


def _train(
    frame: pd.DataFrame,
    features: Sequence[Feature],
    *,
    horizon_days: int,
    seed: int,
    progress: Callable[[str], None] | None,
) -> TrainingResult:
    windows = split_windows(frame, horizon_days=horizon_days, seed=seed)
    won = frame["label"].to_numpy(dtype=bool)
    asked = len(features)
    features = distinct_features(frame.iloc[windows.train], features)
    if len(features) < asked:
        _tell(progress, f"{asked - len(features)} of {asked} features repeat others: set aside")
    pipelines = candidates(features, seed=seed)
    comparison = compare(
        pipelines, frame, _folds(frame, windows, seed), seed=seed, progress=progress
    )
    chosen = comparison.chosen
    pipeline = clone(pipelines[chosen.name]).set_params(**chosen.settings)
    _tell(progress, "calibrating")
    slope = _slope(pipeline, comparison, frame, windows)
    _tell(progress, f"fitting {chosen.name.replace('_', ' ')} on all known rows")
    pipeline.fit(frame.iloc[windows.train], won[windows.train])
    compiled = compile_model(pipeline, features)
    newest = _newest(windows)
    calibration = _anchored(slope, compiled.margin(frame.iloc[newest]), won[newest])
    _tell(progress, "evaluating on the last window")
    test = frame.iloc[windows.test]
    parts = compiled.contributions(test)
    margin = compiled.total(parts)
    _check_agreement(pipeline, test, margin)
    reference = Reference.of(margin, parts, features)
    held_out = _held_out(test, margin, parts, calibration, reference, features)
    deviation = np.abs(parts - reference.mean_parts).mean(axis=0)
    return TrainingResult(
        compiled=compiled,
        calibration=calibration,
        candidates=comparison.results,
        evaluation=_evaluation(held_out, seed),
        unseen=_unseen(frame, held_out, windows, seed),
        windows=windows,
        held_out=held_out,
        importance=dict(zip(compiled.features, deviation.tolist(), strict=True)),
        reference=reference,
    )


def _folds(frame: pd.DataFrame, windows: Windows, seed: int) -> list[Fold]:
    if len(windows.select):
        return [(windows.fit, windows.select)]
    inner = lead_folds(frame.iloc[windows.fit], seed=seed)
    return [(windows.fit[fit], windows.fit[judge]) for fit, judge in inner]


def _slope(
    pipeline: Pipeline, comparison: Comparison, frame: pd.DataFrame, windows: Windows
) -> float:
    """Return the slope of the calibration, learned on rows that the margins' model has not seen."""
    won = frame["label"].to_numpy(dtype=bool)
    if not len(windows.calibrate):
        return calibrate(comparison.margin, won[comparison.rows]).slope
    earlier = np.union1d(windows.fit, windows.select)
    fitted = clone(pipeline).fit(frame.iloc[earlier], won[earlier])
    margin = fitted.decision_function(frame.iloc[windows.calibrate])
    return calibrate(margin, won[windows.calibrate]).slope


def _newest(windows: Windows) -> Rows:
    """Return the last window before the test."""
    return next(rows for rows in (windows.calibrate, windows.select, windows.fit) if len(rows))


def _anchored(slope: float, margin: FloatArray, won: npt.NDArray[np.bool_]) -> Calibration:
    """Set the level so that the mean probability is the share of wins.

    The rows may be the model's own: unlike the slope, the mean cannot be overfitted by a model
    that has an intercept already.
    """
    share = float(won.mean())
    reach = 40.0 + slope * float(np.abs(margin).max())
    level = brentq(lambda at: float(expit(slope * margin + at).mean()) - share, -reach, reach)
    return Calibration(slope=slope, intercept=float(level))


def _held_out(
    test: pd.DataFrame,
    margin: FloatArray,
    parts: FloatArray,
    calibration: Calibration,
    reference: Reference,
    features: Sequence[Feature],
) -> pd.DataFrame:
    held_out = test[_KEYS].reset_index(drop=True)
    held_out["label"] = held_out["label"].astype(bool)
    held_out["margin"] = margin
    held_out["probability"] = calibration.probability(margin)
    families: tuple[Family, Family] = ("fit", "engagement")
    for family in families:
        sums = family_margin(parts, features, family)
        held_out[family] = np.nan if sums is None else sums
        held_out[f"{family}_percentile"] = reference.family_percentile(parts, features, family)
    return held_out


def _evaluation(held_out: pd.DataFrame, seed: int) -> Evaluation:
    return evaluate(
        held_out["probability"].to_numpy(),
        held_out["label"].to_numpy(),
        lead_clusters(held_out),
        seed=seed,
    )


def _unseen(
    frame: pd.DataFrame, held_out: pd.DataFrame, windows: Windows, seed: int
) -> Evaluation | None:
    lead = pd.factorize(frame["lead_id"])[0]
    met = np.zeros(len(frame) + 1, dtype=bool)
    for rows in (windows.fit, windows.select, windows.calibrate, windows.train):
        met[lead[rows]] = True
    new = held_out[~met[lead[windows.test]]]
    wins = int(new["label"].sum())
    if min(wins, len(new) - wins) < LEAST_WINS:
        return None
    return _evaluation(new, seed)


def _check_agreement(pipeline: Pipeline, test: pd.DataFrame, margin: FloatArray) -> None:
    """Refuse to hand out tables that a new scikit-learn would have made wrong."""
    distance = float(np.abs(pipeline.decision_function(test) - margin).max())
    if not distance <= _AGREEMENT:
        raise RuntimeError(f"the compiled model is {distance:.2g} away from the fitted one")


def _tell(progress: Callable[[str], None] | None, what: str) -> None:
    if progress:
        progress(what)
