"""Which shape of calibration: a straight line, or a bent one where the leads clearly ask for it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_expit
from sklearn.model_selection import GroupKFold

from .bootstrap import clustered_mean, cluster_codes
from .calibration import Calibration, Floats, calibrate, level_shift
from .isotonic import smoothed_isotonic

LEAST_WINS_TO_BEND = 200
"""Wins, and losses, below which the line is not questioned."""

_FOLDS = 5
_Rows = NDArray[np.intp]


def choose_calibration(
    margin: ArrayLike,
    label: ArrayLike,
    cluster: ArrayLike | None,
    *,
    moment: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    seed: int,
) -> Calibration:
    """Fit the map from margin to probability: Platt's line, or a smoothed isotonic if clearly better.

    Both are judged by log loss on rows that they were not fitted on: the leads of a fold left out,
    or, where moments are given, the following rows in time. Only the shape is judged, each map at
    the level of the judged rows, because the level is set from the newest rows afterwards. The
    line stands unless the other is better by more than one clustered standard error.

    Parameters
    ----------
    margin : array of shape (n,)
        Log-odds of rows by a model that was not fitted on them.
    label : array of shape (n,)
        Whether the lead was won within the horizon.
    cluster : array of shape (n,) or None
        Lead or account of each row; None if each row stands for itself.
    moment : array of shape (n,), optional
        Place of each row in time, any unit: shapes are then judged forwards in time.
    weight : array of shape (n,), optional
        How many rows each counts for, at least 0.
    seed : int
        Of the folds.

    Raises
    ------
    NotEnoughDataError
        There are no rows, or all have the same label.
    """
    values = np.asarray(margin, dtype=np.float64)
    won = np.asarray(label, dtype=bool)
    rows_of = np.ones(len(won)) if weight is None else np.asarray(weight, dtype=np.float64)
    line = calibrate(values, won, weight=rows_of)
    if _scarcest(won, rows_of) < LEAST_WINS_TO_BEND:
        return line
    codes = cluster_codes(cluster, len(won))
    folds = _clustered_folds(codes, seed) if moment is None else _forward_folds(moment)
    gains, judged = [], []
    for fit, judge in folds:
        if min(_scarcest(won[rows], rows_of[rows]) for rows in (fit, judge)) > 0.0:
            straight = calibrate(values[fit], won[fit], weight=rows_of[fit])
            bent = smoothed_isotonic(values[fit], won[fit], straight, weight=rows_of[fit])
            losses = [
                _losses(shape, values[judge], won[judge], rows_of[judge])
                for shape in (straight, bent)
            ]
            gains.append(losses[0] - losses[1])
            judged.append(judge)
    if not judged:
        return line
    rows = np.concatenate(judged)
    gain, error = clustered_mean(np.concatenate(gains), codes[rows], rows_of[rows])
    return smoothed_isotonic(values, won, line, weight=rows_of) if gain > error else line


def _losses(shape: Calibration, margin: Floats, won: NDArray[np.bool_], weight: Floats) -> Floats:
    log_odds = shape.log_odds(margin)
    log_odds = log_odds + level_shift(log_odds, won.astype(np.float64), weight)
    return np.asarray(-log_expit(np.where(won, log_odds, -log_odds)), dtype=np.float64)


def _scarcest(won: NDArray[np.bool_], weight: Floats) -> float:
    return min(float(weight[won].sum()), float(weight[~won].sum()))


def _clustered_folds(codes: _Rows, seed: int) -> Iterator[tuple[_Rows, _Rows]]:
    clusters = int(codes.max()) + 1
    if clusters < _FOLDS:
        return
    folds = GroupKFold(_FOLDS, shuffle=True, random_state=seed)
    yield from folds.split(codes, groups=codes)


def _forward_folds(moment: ArrayLike) -> Iterator[tuple[_Rows, _Rows]]:
    """Judge each fifth but the first by what all rows before it taught; a moment is never cut."""
    places = np.unique(np.asarray(moment), return_inverse=True)[1]
    rank = np.searchsorted(np.sort(places), places, side="left")
    fold = rank * _FOLDS // len(places)
    for at in range(1, _FOLDS):
        if np.any(fold == at):
            yield np.flatnonzero(fold < at), np.flatnonzero(fold == at)
