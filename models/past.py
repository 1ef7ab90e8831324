"""The past: what of it still holds, judged by how well quick candidates foretold later windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .candidates import CandidateName
from .comparison import clearly_lower
from .encoding import FloatArray
from .level import foretold_losses
from .out_of_fold import FoldTask, Trial, joined
from .recency import Recency, half_lives, unit_of
from .steadiness import drifting_features
from .training_rows import TrainingRows

_Quick = tuple[CandidateName, tuple[float | int, ...]]

_SCORECARD: _Quick = ("logistic", (0.1,))
_SHAPES: _Quick = ("boosted_additive", (50,))

_QUICK_ROWS = 10_000


@dataclass(frozen=True)
class _Idea:
    """A way to look at the past: which features (None: all), how fast rows lose weight."""

    columns: tuple[int, ...] | None = None
    half_life: float | None = None


def steady_rows(rows: TrainingRows) -> tuple[TrainingRows, bool]:
    """Leave out the features that drift, where later windows are clearly better foretold so.

    Parameters
    ----------
    rows : TrainingRows

    Returns
    -------
    tuple of TrainingRows and bool
        The rows, and whether any feature drifts, left out or not.
    """
    if not rows.laid.rolling:
        return rows, False
    drifting = drifting_features(rows.rows.matrix, rows.laid.folds)
    if not drifting or len(drifting) == len(rows.features):
        return rows, bool(drifting)
    rows.watch.say("trying without features that move with time")
    steady = tuple(at for at in range(len(rows.features)) if at not in set(drifting))
    ideas = [_Idea(), _Idea(steady)]
    everything, without = _losses(
        rows, ideas, _foretold(rows, ideas, _SCORECARD), _foretold(rows, ideas, _SHAPES)
    )
    if not clearly_lower(without, everything, rows.judged_cluster):
        return rows, True
    names = ", ".join(rows.features[at].name for at in drifting)
    rows.watch.say(f"left out, since they move with time and not with leads: {names}")
    return rows.without(drifting), True


def chosen_recency(rows: TrainingRows) -> Recency:
    """Choose how fast old rows lose weight: not at all, unless that is clearly worse.

    Where a quick scorecard foretells later windows best from all rows alike, nothing else is asked.

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
    ideas = [_Idea(half_life=each) for each in tried]
    scorecard = _foretold(rows, ideas, _SCORECARD)
    losses = dict(zip(tried, _losses(rows, ideas, scorecard), strict=True))
    best = _lowest(losses)
    if best is not None:
        shapes = _foretold(rows, ideas, _SHAPES)
        losses = dict(zip(tried, _losses(rows, ideas, scorecard, shapes), strict=True))
        best = _lowest(losses)
    if not clearly_lower(losses[best], losses[None], rows.judged_cluster):
        best = None
    means = {half_life: float(loss.mean()) for half_life, loss in losses.items()}
    return Recency(best, unit_of(rows.order), means)


def _lowest(losses: Mapping[float | None, FloatArray]) -> float | None:
    return min(losses, key=lambda each: float(losses[each].mean()))


def _foretold(rows: TrainingRows, ideas: Sequence[_Idea], candidate: _Quick) -> list[Trial]:
    """Return, for each idea, what a quick candidate says of all judged rows."""
    name, choices = candidate
    folds = rows.folds
    tasks = [
        FoldTask(
            name,
            fold,
            rows.weight(fold, idea.half_life),
            choices,
            idea.columns,
            bags=1,
            most_rows=_QUICK_ROWS,
        )
        for idea in ideas
        for fold in folds
    ]
    trials = rows.tried(tasks)
    return [
        joined(trials[first : first + len(folds)]) for first in range(0, len(trials), len(folds))
    ]


def _losses(
    rows: TrainingRows, ideas: Sequence[_Idea], *candidates: Sequence[Trial]
) -> list[FloatArray]:
    """Return, for each idea, the log loss of every judged row by the candidates' mean.

    On the level that would have been known: what drifts is judged by what became of its level, too.
    """
    losses = []
    for idea, trials in zip(ideas, zip(*candidates, strict=True), strict=True):
        margin = _mean([next(iter(trial.margins.values())) for trial in trials])
        taught = [
            (
                parts[0].places,
                _mean([next(iter(each.margins.values())) for each in parts]),
            )
            for parts in zip(*(trial.taught for trial in trials), strict=True)
        ]
        losses.append(foretold_losses(rows.histories(margin, taught, idea.half_life)))
    return losses


def _mean(margins: Sequence[FloatArray]) -> FloatArray:
    return np.asarray(np.mean(margins, axis=0), dtype=np.float64)
