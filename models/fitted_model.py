"""The fitted model: candidates judged in time order, blended, calibrated and compiled into one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from leadlight.features.feature import Feature

from .blend import Blend, blend
from .calibration import Calibration
from .calibration_choice import choose_calibration
from .candidates import CANDIDATES, CEILING, CandidateName, choices_of
from .comparison import CandidateResult, Settled, result_of, settle
from .compiled import CompiledModel
from .encoding import FloatArray
from .final_fit import compiled_blend, newest_rows
from .level import TrackedLevel, retrained_level
from .maturity import Treatment
from .out_of_fold import Choice, FoldTask, joined
from .past import chosen_recency, steady_rows
from .recency import Recency
from .selection import Folds
from .training_rows import TrainingRows, Watch


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A model of conversion within the horizon, with how it was chosen.

    Attributes
    ----------
    compiled : CompiledModel
        The blend, as tables.
    calibration : Calibration
    candidates : tuple of CandidateResult
        Simpler ones first; the ceiling, which is used only where that was allowed, last.
    weights : mapping of str to float
        Candidate -> weight of its log-odds in the blend.
    log_loss : float
        Of the blend, where the candidates' own were measured, in nats.
    recency : Recency
    level : TrackedLevel
        How the level follows the newest labels.
    folds : Folds
        Which rows judged the choices.
    features : tuple of Feature
        Those that do not repeat others; the compiled model's.
    drifts : bool
        Whether later values of some feature are unlike those that taught; see
        ``drifting_features``.
    known_until : int
        The moment (as in ``TimeOrder``) up to which labels were known to it: what is later can
        judge it.
    """

    compiled: CompiledModel
    calibration: Calibration
    candidates: tuple[CandidateResult, ...]
    weights: dict[str, float]
    log_loss: float
    recency: Recency
    level: TrackedLevel
    folds: Folds
    features: tuple[Feature, ...]
    drifts: bool
    known_until: int

    def probability(self, frame: pd.DataFrame) -> FloatArray:
        """Return the calibrated probability of a win within the horizon, shape (n,)."""
        return self.calibration.probability(self.compiled.margin(frame))

    def refitted(
        self, frame: pd.DataFrame, *, horizon_days: int, seed: int, watch: Watch
    ) -> "FittedModel":
        """Fit the same choices again on more rows, all of them mature: nothing is chosen anew.

        Parameters
        ----------
        frame : DataFrame of shape (n, any)
            As for ``fit_model``.
        horizon_days, seed, watch
            As for ``fit_model``.
        """
        rows = TrainingRows.to_learn(
            frame, self.features, horizon_days=horizon_days, seed=seed, watch=watch
        )
        choices: dict[CandidateName, Choice] = {
            each.name: next(iter(each.settings.values())) for each in self.candidates if each.chosen
        }
        half_life = self.recency.half_life
        compiled = compiled_blend(rows, choices, self.weights, half_life)
        level = self.level.read_from(newest_rows(rows, compiled, half_life))
        return replace(
            self,
            compiled=compiled,
            calibration=level.calibration,
            level=level,
            known_until=int(rows.order.moment.max()) + rows.order.gap,
        )


def fit_model(
    frame: pd.DataFrame,
    features: Sequence[Feature],
    *,
    horizon_days: int,
    seed: int,
    known_until: int | None = None,
    immature: Treatment = "weight",
    unlimited_trees: bool = False,
    watch: Watch | None = None,
) -> FittedModel:
    """Fit the model on all rows of a frame, every choice made on rolling windows inside it.

    How fast old rows lose weight, each candidate's setting, the blend, the calibration and the
    memory of its level are chosen by how well they foretold rows later than those that taught.
    Then the chosen candidates are fitted on all rows and compiled into one model.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        lead_id, account_id, as_of, label, position, optionally ``weight`` and
        ``win_after_days``, then the features.
    features : sequence of Feature
        In catalog order.
    horizon_days : int
        Days after as_of within which a win counts.
    seed : int
        Same seed and input, same model.
    known_until : int, optional
        The moment (microseconds, UTC) at which the model is made: of a snapshot whose horizon ends
        later, no more is known than had come by then. Default: all labels are known.
    immature : {"drop", "weight"}
        What becomes of such snapshots; see ``known_rows``.
    unlimited_trees : bool
        Whether the blend may weigh them too; they are fitted for comparison anyway.
    watch : Watch, optional

    Raises
    ------
    NotEnoughDataError
        The judged rows have one label only, or some rows have a position and others have none.
    RuntimeError
        The compiled model does not agree with the fitted one: a change in scikit-learn.
    """
    rows = TrainingRows.of(
        frame,
        features,
        horizon_days=horizon_days,
        known_until=known_until,
        immature=immature,
        seed=seed,
        watch=watch or Watch(),
    )
    rows, drifts = steady_rows(rows)
    recency = chosen_recency(rows)
    settled = _settled(rows, recency)
    able: dict[str, FloatArray] = {
        each.name: each.margin for each in settled if unlimited_trees or each.name != CEILING
    }
    mixed = blend(able, rows.judged_won, rows.judged_fold, rows.judged_cluster)
    choices = {each.name: each.choice for each in settled if each.name in mixed.weights}
    compiled = compiled_blend(rows, choices, mixed.weights, recency.half_life)
    level = _calibrated(rows, settled, mixed, compiled, recency)
    return FittedModel(
        compiled,
        level.calibration,
        tuple(result_of(each, mixed.weights, rows.judged_cluster, seed=seed) for each in settled),
        dict(mixed.weights),
        float(mixed.losses.mean()),
        recency,
        level,
        rows.laid,
        rows.features,
        drifts,
        int(rows.order.moment.max()) + rows.order.gap if known_until is None else known_until,
    )


def _settled(rows: TrainingRows, recency: Recency) -> list[Settled]:
    """Fit all candidates on all folds; settle each one's setting."""
    names = (*CANDIDATES, CEILING)
    rows.watch.say(f"fitting {', '.join(name.replace('_', ' ') for name in names)}")
    folds = rows.folds
    known = len(rows.known.rows)
    tasks = [
        FoldTask(name, fold, rows.weight(fold, recency.half_life), choices_of(name, known))
        for name in names
        for fold in folds
    ]
    trials = rows.tried(tasks)
    return [
        settle(
            joined(trials[first : first + len(folds)]),
            rows.judged_won,
            rows.judged_fold,
        )
        for first in range(0, len(trials), len(folds))
    ]


def _calibrated(
    rows: TrainingRows,
    settled: Sequence[Settled],
    mixed: Blend,
    compiled: CompiledModel,
    recency: Recency,
) -> TrackedLevel:
    """Choose the shape on out-of-fold margins, and the level as it served best in the folds."""
    shape = choose_calibration(
        mixed.margin,
        rows.judged_won,
        rows.judged_cluster,
        fold=rows.judged_fold,
        moment=rows.order.moment[rows.laid.judged] if rows.laid.rolling else None,
        seed=rows.seed,
    )
    newest = newest_rows(rows, compiled, recency.half_life)
    if not rows.laid.rolling:
        return retrained_level([], newest, shape)
    members = [each for each in settled if each.name in mixed.weights]
    taught = [
        (
            parts[0][0],
            np.asarray(
                sum(
                    mixed.weights[each.name] * margin
                    for each, (_, margin) in zip(members, parts, strict=True)
                )
            ),
        )
        for parts in zip(*(each.taught for each in members), strict=True)
    ]
    folds = rows.histories(mixed.margin, taught, recency.half_life)
    return retrained_level(folds, newest, shape)
