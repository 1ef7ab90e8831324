"""Training: a model fitted on all that was known, and judged once by what came afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from leadlight.features.errors import NotEnoughDataError
from leadlight.features.feature import Feature

from .bootstrap import lead_clusters
from .encoding import check_columns, feature_kinds
from .evaluation import Evaluation, evaluate
from .exploration import stands_for
from .fitted_model import FittedModel, fit_model
from .judged_window import judged_window, window_reference
from .label_shift import ShiftedLevel, shifted_level
from .maturity import Treatment
from .reference import Reference
from .segments import SegmentCalibration, calibration_by_segment
from .selection import LEAST_WINS, Windows, check_labels, split_windows
from .signal import require_signal
from .time_order import time_order
from .training_rows import Watch


@dataclass(frozen=True)
class TrainingResult:
    """A trained model with everything that was learned about it.

    Attributes
    ----------
    fitted : FittedModel
        Fitted on what was known before the test window: the very model that was evaluated.
    evaluation : Evaluation
        On the test window, where known leads recur as they do in production.
    unseen : Evaluation or None
        On the test window's leads that no earlier snapshot holds, not even one that was young then;
        None with too few of them.
    windows : Windows
    held_out : DataFrame
        The test window: lead_id, account_id, as_of, label, margin, probability, fit and engagement
        (log-odds of the family's parts) and their percentiles (0 to 1).
    importance : mapping of str to float
        Per feature the mean distance of its part from its mean, log-odds, on the test window.
    final : FittedModel
        The model that will score: the same choices fitted again on all rows, the test window's
        too, or made anew with them where features drift. No figure here is of it.
    reference : Reference
        The test window's leads as the final model sees them, to place a scored lead among.
    label_shift : ShiftedLevel or None
        The final model's level among leads without labels; None where none were given.
    segments : tuple of SegmentCalibration
        Promise and outcome on the test window by source, country and size of company.
    """

    fitted: FittedModel
    evaluation: Evaluation
    unseen: Evaluation | None
    windows: Windows
    held_out: pd.DataFrame
    importance: Mapping[str, float]
    final: FittedModel
    reference: Reference
    label_shift: ShiftedLevel | None
    segments: tuple[SegmentCalibration, ...]


def train_model(
    frame: pd.DataFrame,
    features: Sequence[Feature],
    *,
    horizon_days: int,
    seed: int,
    immature: Treatment = "weight",
    test_start: int | None = None,
    compared_with: str = "all",
    unlabelled: pd.DataFrame | None = None,
    unlimited_trees: bool = False,
    watch: Watch | None = None,
) -> TrainingResult:
    """Fit the model of conversion within the horizon, and evaluate it on the last window.

    The last window is set apart. Every choice is made on rolling windows within what was known
    before it (see ``fit_model``); then it is looked at once, and the model is fitted again, as it
    was chosen, on all rows.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Mature snapshots: lead_id, account_id, as_of, label, position, optionally ``weight``,
        ``win_after_days`` and ``stands_for``, then the features. Rows that stand for none neither
        teach nor judge.
    features : sequence of Feature
        In catalog order.
    horizon_days : int
        Days after as_of within which a win counts.
    seed : int
        Same seed and input, same result.
    immature : {"drop", "weight"}
        What becomes of snapshots whose horizon had not ended when a later window began; see
        ``known_rows``.
    test_start : int, optional
        Moment at which the last window begins; see ``split_windows``.
    compared_with : str
        Whose average lead reasons compare with: ``all``, or a lead's own segment by ``source``,
        ``country``, ``region``, ``employees`` or ``revenue``.
    unlabelled : DataFrame, optional
        Newer leads, where no label of late is mature: their scores then guess the level.
    unlimited_trees : bool
        Whether the blend may weigh unlimited trees too.
    watch : Watch, optional
        Who is told of the work, and what keeps finished folds.

    Raises
    ------
    NotEnoughDataError
        No features, or too few mature snapshots, wins or losses.
    SchemaMismatchError
        A feature's column is missing from the frame or has another type.
    NoSignalError
        The model knows nothing that the share of wins does not say.
    """
    if not features:
        raise NotEnoughDataError(
            "there is no feature to learn from.",
            hint="Map events or profile columns in the sources, or exclude fewer features.",
        )
    counts = stands_for(frame) > 0.0
    check_labels(frame["label"].to_numpy(dtype=bool)[counts])
    check_columns(frame, [feature.name for feature in features], feature_kinds(features))
    watch = watch or Watch()
    order = time_order(frame, horizon_days=horizon_days, seed=seed)
    windows = split_windows(frame, order, test_start=test_start)
    fitted = fit_model(
        frame.iloc[windows.before_test],
        features,
        horizon_days=horizon_days,
        known_until=windows.test_start,
        immature=immature,
        seed=seed,
        unlimited_trees=unlimited_trees,
        watch=watch,
    )
    watch.say("evaluating on the last window")
    test = frame.iloc[windows.test]
    with threadpool_limits(limits=1):
        held_out, importance = judged_window(
            fitted.compiled, fitted.calibration, fitted.features, test
        )
        judged = held_out[counts[windows.test]]
        evaluation = _evaluation(judged, seed)
        known = frame.iloc[windows.train]
        known_rate = float(np.average(known["label"].astype(float), weights=stands_for(known)))
        require_signal(fitted, evaluation, judged, known_rate)
    if fitted.drifts:
        # What the newest window says of such features is worth more than what the older ones did.
        final = fit_model(
            frame,
            features,
            horizon_days=horizon_days,
            seed=seed,
            unlimited_trees=unlimited_trees,
            watch=watch,
        )
    else:
        final = fitted.refitted(frame, horizon_days=horizon_days, seed=seed, watch=watch)
    with threadpool_limits(limits=1):
        shift = None
        if unlabelled is not None:
            shift = shifted_level(
                final.compiled.margin(unlabelled),
                final.calibration,
                base_rate=float(final.probability(test).mean()),
            )
            final = replace(final, calibration=shift.calibration)
        return TrainingResult(
            fitted=fitted,
            evaluation=evaluation,
            unseen=_unseen(frame, held_out, windows, counts, seed),
            windows=windows,
            held_out=held_out,
            importance=importance,
            final=final,
            reference=window_reference(final.compiled, final.features, test, compared_with),
            label_shift=shift,
            segments=calibration_by_segment(
                test[counts[windows.test]],
                judged["probability"],
                judged["label"],
                features,
                lead_clusters(judged),
            ),
        )


def _evaluation(held_out: pd.DataFrame, seed: int) -> Evaluation:
    return evaluate(
        held_out["probability"].to_numpy(),
        held_out["label"].to_numpy(),
        lead_clusters(held_out),
        seed=seed,
        stands_for=stands_for(held_out),
    )


def _unseen(
    frame: pd.DataFrame,
    held_out: pd.DataFrame,
    windows: Windows,
    counts: npt.NDArray[np.bool_],
    seed: int,
) -> Evaluation | None:
    lead = pd.factorize(frame["lead_id"])[0]
    met = np.zeros(len(frame) + 1, dtype=bool)
    met[lead[windows.before_test]] = True
    new = held_out[counts[windows.test] & ~met[lead[windows.test]]]
    wins = int(new["label"].sum())
    if min(wins, len(new) - wins) < LEAST_WINS:
        return None
    return _evaluation(new, seed)
