"""The final fit: the chosen blend on all known rows, compiled into one model."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from .candidates import CandidateName
from .compiled import CompiledModel, blended, compile_model
from .fitting import bag_fits, side_by_side
from .level import Labelled
from .out_of_fold import Choice
from .recency import decayed
from .training_rows import TrainingRows

_AGREEMENT, _AGREED_ROWS = 1e-9, 5_000
_PURIFIED_ROWS = 20_000


def compiled_blend(
    rows: TrainingRows,
    choices: Mapping[CandidateName, Choice],
    weights: Mapping[str, float],
    half_life: float | None,
) -> CompiledModel:
    """Fit the blend's members on all known rows, and compile their bags into one model.

    Parameters
    ----------
    rows : TrainingRows
    choices : mapping of str to (float or int)
        Each member's setting.
    weights : mapping of str to float
        Of each member's log-odds.
    half_life : float or None
        In which a row's weight halves.

    Raises
    ------
    RuntimeError
        The compiled model does not agree with the fitted one: a change in scikit-learn.
    """
    said = " and ".join(name.replace("_", " ") for name in choices)
    rows.watch.say(f"fitting {said} on all known rows")
    lesson = rows.lesson(half_life)
    fits = [
        (name, fit)
        for name, choice in choices.items()
        for fit in bag_fits(name, rows.features, lesson, choice=choice, seed=rows.seed)
    ]
    bags = Counter(name for name, _ in fits)
    weighted = [
        (Pipeline([("encode", rows.encoder), *fitted.steps]), weights[name] / bags[name])
        for (name, _), fitted in zip(fits, side_by_side(fit for _, fit in fits), strict=True)
    ]
    with threadpool_limits(limits=1):
        compiled = blended(
            [compile_model(pipeline, rows.features) for pipeline, _ in weighted],
            [weight for _, weight in weighted],
        ).purified(rows.frame.iloc[:: max(1, len(rows.frame) // _PURIFIED_ROWS)])
        _check_agreement(compiled, weighted, rows)
    return compiled


def newest_rows(rows: TrainingRows, compiled: CompiledModel, half_life: float | None) -> Labelled:
    """Return the rows that the final fit learned from, with its own margins.

    Parameters
    ----------
    rows, half_life
        As the model was fitted.
    compiled : CompiledModel
    """
    known = rows.known
    return rows.labelled(
        known.rows,
        compiled.margin(rows.frame.iloc[known.rows]),
        known.won,
        known.follow_up * decayed(rows.order.taken(known.rows), half_life),
    )


def _check_agreement(
    compiled: CompiledModel, weighted: Sequence[tuple[Pipeline, float]], rows: TrainingRows
) -> None:
    """Refuse to hand out tables that a new scikit-learn would have made wrong."""
    some = np.unique(np.linspace(0, len(rows.frame) - 1, _AGREED_ROWS).astype(np.intp))
    matrix = rows.rows.matrix[some]
    fitted = sum(weight * pipeline[1:].decision_function(matrix) for pipeline, weight in weighted)
    distance = float(np.abs(fitted - compiled.margin(rows.frame.iloc[some])).max())
    if not distance <= _AGREEMENT:
        raise RuntimeError(f"the compiled model is {distance:.2g} away from the fitted one")
