"""Blend: non-negative weights of the candidates' log-odds, as few candidates as serve as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from .bootstrap import Codes
from .comparison import clearly_lower
from .encoding import FloatArray
from .time_order import Rows

_STILL = 1e-3
"""A weight below this moves no reason."""


@dataclass(frozen=True, eq=False)
class Blend:
    """A weighted sum of the candidates' log-odds.

    Attributes
    ----------
    weights : mapping of str to float
        Candidate -> non-negative weight; only those that take part.
    margin : ndarray of float64, shape (n,)
        The blended log-odds of the judged rows.
    losses : ndarray of float64, shape (n,)
        Log loss of each judged row, levels apart (see ``blend``), in nats.
    """

    weights: Mapping[str, float]
    margin: FloatArray
    losses: FloatArray


def blend(
    margins: Mapping[str, FloatArray],
    won: npt.NDArray[np.bool_],
    fold: Rows,
    cluster: Codes,
) -> Blend:
    """Choose the simplest set of candidates within one standard error of the best.

    Each set gets the non-negative weights of least log loss on rows that no candidate was fitted
    on (stacking [1]_, on log-odds), with a level of its own for each fold: a drifted base rate must
    not decide, the level is set afterwards. The standard error is that of the paired difference to
    the best set, clustered by lead (the rule of [2]_).

    Parameters
    ----------
    margins : mapping of str to ndarray, shape (n,)
        Candidate -> out-of-fold log-odds; simpler candidates first.
    won : ndarray of bool, shape (n,)
    fold : ndarray of int, shape (n,)
        Which fold judged each row.
    cluster : ndarray of int, shape (n,)

    References
    ----------
    .. [1] Wolpert (1992), Stacked generalization; Breiman (1996), Stacked regressions, on
       non-negative weights.
    .. [2] Breiman, Friedman, Olshen & Stone (1984), Classification and Regression Trees.
    """
    blends = [_weighted(margins, names, won, fold) for names in _by_simplicity(list(margins))]
    best = min(blends, key=lambda each: float(each.losses.mean()))
    simple = next(
        each
        for each in blends
        if each is best or not clearly_lower(best.losses, each.losses, cluster)
    )
    kept = {name: weight for name, weight in simple.weights.items() if weight > _STILL}
    if not kept:  # nothing to tell apart: the simplest candidate as it is
        return _weighted_as(margins, {next(iter(margins)): 1.0}, simple.losses)
    return _weighted_as(margins, kept, simple.losses)


def _by_simplicity(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every set, by its most complex member, then by its size."""
    sets = [some for size in range(1, len(names) + 1) for some in combinations(names, size)]
    return sorted(sets, key=lambda some: (max(names.index(name) for name in some), len(some)))


def _weighted_as(
    margins: Mapping[str, FloatArray], weights: Mapping[str, float], losses: FloatArray
) -> Blend:
    margin = sum(weight * margins[name] for name, weight in weights.items())
    return Blend(weights, np.asarray(margin, dtype=np.float64), losses)


def _weighted(
    margins: Mapping[str, FloatArray],
    names: Sequence[str],
    won: npt.NDArray[np.bool_],
    fold: Rows,
) -> Blend:
    columns = np.column_stack([margins[name] for name in names])
    scale = np.maximum(columns.std(axis=0), 1e-6)
    folds = int(fold.max()) + 1
    columns = columns / scale

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        odds = columns @ at[: len(names)] + at[len(names) :][fold]
        error = expit(odds) - won
        gradient = np.concatenate([columns.T @ error, np.bincount(fold, error, minlength=folds)])
        return float(-log_expit(np.where(won, odds, -odds)).mean()), gradient / len(won)

    start = np.concatenate([scale / len(names), np.zeros(folds)])
    bounds = [(0.0, None)] * len(names) + [(None, None)] * folds
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    odds = columns @ found[: len(names)] + found[len(names) :][fold]
    losses = np.asarray(-log_expit(np.where(won, odds, -odds)), dtype=np.float64)
    weights = dict(zip(names, (found[: len(names)] / scale).tolist(), strict=True))
    return _weighted_as(margins, weights, losses)
