"""The past: what of it still holds, judged by how well quick candidates foretold later windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .candidates import CandidateName
from .comparison import calibrated_losses, clearly_lower
from .encoding import FloatArray
from .out_of_fold import FoldTask, joined
from .recency import Recency, half_lives, unit_of
from .steadiness import drifting_features
from .training_rows import TrainingRows

_QUICK: tuple[tuple[CandidateName, tuple[float | int, ...]], ...] = (
    ("logistic", (0.1,)),
    ("boosted_additive", (50,)),
)

_QUICK_ROWS = 10_000


@dataclass(frozen=True)
class _Idea:
    """A way to look at the past: which features are left out, how fast rows lose weight."""

    left_out: tuple[int, ...] = ()
    half_life: float | None = None


def steady_rows(rows: TrainingRows) -> TrainingRows:
    """Leave out the features that drift, where later windows are clearly better foretold so.

    Parameters
    ----------
    rows : TrainingRows
    """
    if not rows.laid.rolling:
        return rows
    drifting = drifting_features(rows.rows.matrix, rows.laid.folds)
    if not drifting or len(drifting) == len(rows.features):
        return rows
    rows.watch.say("trying without features that move with time")
    everything, without = _losses(rows, [_Idea(), _Idea(left_out=drifting)])
    if not clearly_lower(without, everything, rows.judged_cluster):
        return rows
    names = ", ".join(rows.features[at].name for at in drifting)
    rows.watch.say(f"left out, since they move with time and not with leads: {names}")
    return rows.without(drifting)


def chosen_recency(rows: TrainingRows) -> Recency:
    """Choose how fast old rows lose weight: not at all, unless that is clearly worse.

    Parameters
    ----------
    rows : TrainingRows
    """
    tried: list[float | None] = [None]
    if rows.laid.rolling:
        tried += half_lives(rows.order, rows.rows.won.astype(np.float64))
    if len(tried) == 1:
        return Recency(None, unit_of(rows.order), {})
    rows.watch.say("weighing old rows against new ones")
    losses = dict(zip(tried, _losses(rows, [_Idea(half_life=each) for each in tried]), strict=True))
    best = min(losses, key=lambda each: float(losses[each].mean()))
    if not clearly_lower(losses[best], losses[None], rows.judged_cluster):
        best = None
    means = {half_life: float(loss.mean()) for half_life, loss in losses.items()}
    return Recency(best, unit_of(rows.order), means)


def _losses(rows: TrainingRows, ideas: Sequence[_Idea]) -> list[FloatArray]:
    """Return, for each idea, the log loss of every judged row by the quick candidates' mean."""
    folds = rows.folds
    tasks = [
        FoldTask(
            name,
            fold,
            rows.weight(fold, idea.half_life),
            choices,
            tuple(at for at in range(len(rows.features)) if at not in set(idea.left_out)),
            bags=1,
            most_rows=_QUICK_ROWS,
        )
        for idea in ideas
        for name, choices in _QUICK
        for fold in folds
    ]
    trials = rows.tried(tasks)
    margins = [
        next(iter(joined(trials[first : first + len(folds)]).margins.values()))
        for first in range(0, len(trials), len(folds))
    ]
    return [
        calibrated_losses(
            np.asarray(np.mean(margins[first : first + len(_QUICK)], axis=0), dtype=np.float64),
            rows.judged_won,
            rows.judged_fold,
        )
        for first in range(0, len(margins), len(_QUICK))
    ]
