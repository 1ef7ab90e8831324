"""The past: what of it still holds, judged by how well quick candidates foretold later windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .candidates import CandidateName
from .comparison import calibrated_losses, clearly_lower
from .encoding import FloatArray
from .out_of_fold import FoldTask, joined
from .recency import Recency, half_lives, unit_of
from .steadiness import drifting_features
from .training_rows import TrainingRows

_Quick = tuple[CandidateName, tuple[float | int, ...]]

_SCORECARD: _Quick = ("logistic", (0.1,))
_SHAPES: _Quick = ("boosted_additive", (50,))

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
    ideas = [_Idea(), _Idea(left_out=drifting)]
    everything, without = _losses(
        rows, _foretold(rows, ideas, _SCORECARD), _foretold(rows, ideas, _SHAPES)
    )
    if not clearly_lower(without, everything, rows.judged_cluster):
        return rows
    names = ", ".join(rows.features[at].name for at in drifting)
    rows.watch.say(f"left out, since they move with time and not with leads: {names}")
    return rows.without(drifting)


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
    losses = dict(zip(tried, _losses(rows, scorecard), strict=True))
    best = _lowest(losses)
    if best is not None:
        shapes = _foretold(rows, ideas, _SHAPES)
        losses = dict(zip(tried, _losses(rows, scorecard, shapes), strict=True))
        best = _lowest(losses)
    if not clearly_lower(losses[best], losses[None], rows.judged_cluster):
        best = None
    means = {half_life: float(loss.mean()) for half_life, loss in losses.items()}
    return Recency(best, unit_of(rows.order), means)


def _lowest(losses: Mapping[float | None, FloatArray]) -> float | None:
    return min(losses, key=lambda each: float(losses[each].mean()))


def _foretold(rows: TrainingRows, ideas: Sequence[_Idea], candidate: _Quick) -> list[FloatArray]:
    """Return, for each idea, a quick candidate's margins on all judged rows."""
    name, choices = candidate
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
        for fold in folds
    ]
    trials = rows.tried(tasks)
    return [
        next(iter(joined(trials[first : first + len(folds)]).margins.values()))
        for first in range(0, len(trials), len(folds))
    ]


def _losses(rows: TrainingRows, *margins: Sequence[FloatArray]) -> list[FloatArray]:
    """Return, for each idea, the log loss of every judged row by the candidates' mean."""
    return [
        calibrated_losses(
            np.asarray(np.mean(each, axis=0), dtype=np.float64),
            rows.judged_won,
            rows.judged_fold,
        )
        for each in zip(*margins, strict=True)
    ]
