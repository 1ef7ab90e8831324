"""Which shape of calibration: a straight line, or a bent one where leads clearly ask for it."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from sklearn.model_selection import GroupKFold

from .bootstrap import cluster_codes, clustered_mean
from .calibration import SMALLEST_SLOPE, Calibration, calibrate
from .isotonic import smoothed_isotonic
from .log_odds import Floats, level_shift, row_losses

LEAST_WINS_TO_BEND = 200
"""Wins, and losses, below which the line is not questioned."""

_FOLDS = 5
_LARGEST_SLOPE = 20.0
_Rows = NDArray[np.intp]


def choose_calibration(
    margin: ArrayLike,
    label: ArrayLike,
    cluster: ArrayLike,
    *,
    fold: ArrayLike,
    moment: ArrayLike | None,
    seed: int,
) -> Calibration:
    """Fit the map from margin to probability: Platt's line, or a clearly better smoothed isotonic.

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
    cluster : array of shape (n,)
        Lead or account of each row.
    fold : array of int, shape (n,)
        Which fold's model gave the margin, numbered in time. Models of different folds promise
        different levels, and the share of wins drifts between folds: neither may pass for shape,
        so all are brought to the level of the last fold first.
    moment : array of shape (n,) or None
        Place of each row in time, any unit: shapes are then judged forwards in time.
    seed : int
        Of the folds.

    Raises
    ------
    NotEnoughDataError
        There are no rows, or all have the same label.
    """
    won = np.asarray(label, dtype=bool)
    values = np.asarray(margin, dtype=np.float64)
    values = on_one_level(values, won, np.asarray(fold, dtype=np.intp))
    line = calibrate(values, won)
    if _scarcest(won) < LEAST_WINS_TO_BEND:
        return line
    codes = cluster_codes(cluster, len(won))
    folds = _clustered_folds(codes, seed) if moment is None else _forward_folds(moment)
    gains, judged = [], []
    for fit, judge in folds:
        if min(_scarcest(won[rows]) for rows in (fit, judge)) > 0:
            straight = calibrate(values[fit], won[fit])
            bent = smoothed_isotonic(values[fit], won[fit], straight)
            losses = [_losses(shape, values[judge], won[judge]) for shape in (straight, bent)]
            gains.append(losses[0] - losses[1])
            judged.append(judge)
    if not judged:
        return line
    rows = np.concatenate(judged)
    gain, error = clustered_mean(np.concatenate(gains), codes[rows], np.ones(len(rows)))
    return smoothed_isotonic(values, won, line) if gain > error else line


def on_one_level(margin: Floats, won: NDArray[np.bool_], fold: _Rows) -> Floats:
    """Shift each fold's margins so that one line of log-odds serves them all.

    The line has one slope and, per fold, an intercept of its own; the last fold stays as it is.
    Folds of one label only, which show no level, stay too.

    Parameters
    ----------
    margin, won : array of shape (n,)
    fold : array of int, shape (n,)
        Numbered in time.
    """
    parts = [np.flatnonzero(fold == at) for at in np.unique(fold)]
    parts = [rows for rows in parts if _scarcest(won[rows]) > 0]
    if len(parts) < 2:
        return margin

    def levels(slope: float) -> list[float]:
        return [_level(slope * margin[rows], won[rows]) for rows in parts]

    def loss(log_slope: float) -> float:
        slope = math.exp(log_slope)
        return sum(
            float(np.sum(row_losses(slope * margin[rows] + level, won[rows])))
            for rows, level in zip(parts, levels(slope), strict=True)
        )

    reach = (math.log(SMALLEST_SLOPE), math.log(_LARGEST_SLOPE))
    found = minimize_scalar(loss, bounds=reach, method="bounded", options={"xatol": 1e-4})
    slope = math.exp(float(found.x))
    level = levels(slope)
    shifted = margin.copy()
    for rows, own in zip(parts, level, strict=True):
        shifted[rows] += (own - level[-1]) / slope
    return shifted


def _losses(shape: Calibration, margin: Floats, won: NDArray[np.bool_]) -> Floats:
    log_odds = shape.log_odds(margin)
    return row_losses(log_odds + _level(log_odds, won), won)


def _level(log_odds: Floats, won: NDArray[np.bool_]) -> float:
    return level_shift(log_odds, won.astype(np.float64), np.ones(len(won)))


def _scarcest(won: NDArray[np.bool_]) -> int:
    return min(int(won.sum()), int((~won).sum()))


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
