"""Feature shapes: what each value of the strongest signals adds to the score, and for how many.

A signal is a group of near-duplicate features, told by the values of its strongest one. Its points
are averages over the leads that have the value, with the range that most of them lie in: what the
other features of the group and the pairs add differs from lead to lead. Beside them stands what
became of those leads, so that a reader sees whether the shape is earned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.feature import Family, Feature
from leadlight.features.wording import (
    ENGLISH,
    Wording,
    as_spoken,
    range_words,
    sentence,
    value_words,
)

from .bootstrap import Codes, Floats, clustered_share, finite, lead_clusters
from .compiled import CompiledModel
from .exploration import stands_for
from .reasons import ReasonGroups
from .reference import Reference

MOST_SHAPES = 6
"""Signals whose shape is told, the strongest first."""

MOST_STEPS = 10
"""Values, or ranges of them, that are told apart, besides the missing one."""

_RANGE = (0.05, 0.95)


@dataclass(frozen=True)
class ShapeStep:
    """The held-out leads of one value of a signal, or of a range of values.

    Attributes
    ----------
    value : str
        In words: "3 to 5", "director", "Never visited the pricing page".
    rows : int
    points : float
        Mean points of 100 that the signal adds, beyond what it adds to the average lead.
    low_points, high_points : float
        Range of nine in ten of these leads.
    won, low, high : float
        Share won, and its 95 % interval, clustered; NaN where no row's outcome counts.
    """

    value: str
    rows: int
    points: float
    low_points: float
    high_points: float
    won: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {
            key: finite(value) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class FeatureShape:
    """How the score moves with one signal.

    Attributes
    ----------
    group, label : str
        Of the near-duplicates, and the plain-language name of the strongest of them.
    family : {"fit", "engagement", "timing"}
    steps : tuple of ShapeStep
        A number's in ascending order, a category's by points, the missing value last.
    """

    group: str
    label: str
    family: Family
    steps: tuple[ShapeStep, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        told = {"group": self.group, "label": self.label, "family": self.family}
        return told | {"steps": [step.to_dict() for step in self.steps]}


def feature_shapes(
    compiled: CompiledModel,
    features: Sequence[Feature],
    window: pd.DataFrame,
    importance: Mapping[str, float],
    wording: Wording = ENGLISH,
) -> tuple[FeatureShape, ...]:
    """Tell the shapes of the strongest signals on leads that the model had not learned from.

    Parameters
    ----------
    compiled : CompiledModel
    features : sequence of Feature
        Of the compiled model, in its order.
    window : DataFrame of n rows, n > 0
        Held-out snapshots: keys, label, the features' columns.
    importance : mapping of str to float
        Per feature the mean distance of its part from its mean, log-odds.
    wording : Wording
        The language, and the user's own names.
    """
    parts = compiled.contributions(window)
    reference = Reference.of(compiled.total(parts), parts, features)
    groups = ReasonGroups.of(features)
    beyond = groups.sums(parts - reference.mean_parts) * reference.point_scale.per_log_odds
    outcome = _Outcome(
        window["label"].to_numpy(dtype=bool), lead_clusters(window), stands_for(window)
    )
    strength = [sum(importance[features[at].name] for at in group) for group in groups.members]
    strongest = sorted(range(len(strength)), key=lambda group: -strength[group])[:MOST_SHAPES]
    return tuple(
        _shape(
            max((features[at] for at in groups.members[group]), key=lambda f: importance[f.name]),
            window,
            beyond[:, group],
            outcome,
            wording,
        )
        for group in strongest
        if strength[group] > 0.0
    )


@dataclass(frozen=True, eq=False)
class _Outcome:
    won: NDArray[np.bool_]
    codes: Codes
    weight: Floats


_Rows = NDArray[np.intp]


def _shape(
    feature: Feature, window: pd.DataFrame, points: Floats, outcome: _Outcome, wording: Wording
) -> FeatureShape:
    values = _values(feature, window[feature.name], points, wording)
    steps = tuple(_step(value, rows, points, outcome) for value, rows in values)
    return FeatureShape(feature.group, feature.label, feature.family, steps)


def _step(value: str, rows: _Rows, points: Floats, outcome: _Outcome) -> ShapeStep:
    share = clustered_share(outcome.won[rows], outcome.codes[rows], outcome.weight[rows])
    low, high = np.quantile(points[rows], _RANGE)
    return ShapeStep(
        value=value,
        rows=len(rows),
        points=float(points[rows].mean()),
        low_points=float(low),
        high_points=float(high),
        won=share.value,
        low=share.low,
        high=share.high,
    )


def _values(
    feature: Feature, column: "pd.Series[Any]", points: Floats, wording: Wording
) -> list[tuple[str, _Rows]]:
    """Part rows by the feature's value, in the order in which they are told."""
    missing = np.flatnonzero(column.isna())
    known = np.flatnonzero(column.notna())
    if feature.kind == "category":
        told = _levels(feature, column.iloc[known].astype("str"), known, points, wording)
    else:
        numbers = as_spoken(feature, column.iloc[known].to_numpy(dtype=np.float64))
        told = _ranges(feature, numbers.astype(np.float64), known, wording)
    return [*told, *([(sentence(feature, None, wording), missing)] if len(missing) else [])]


def _levels(
    feature: Feature,
    values: "pd.Series[Any]",
    rows: _Rows,
    points: Floats,
    wording: Wording,
) -> list[tuple[str, _Rows]]:
    codes, levels = pd.factorize(values)
    frequent = np.argsort(-np.bincount(codes, minlength=len(levels)), kind="stable")
    alone = frequent if len(levels) <= MOST_STEPS else frequent[: MOST_STEPS - 1]
    told = [
        (value_words(feature, str(levels[at]), wording), rows[codes == at]) for at in alone.tolist()
    ]
    told.sort(key=lambda step: -float(points[step[1]].mean()))
    others = rows[~np.isin(codes, alone)]
    return [*told, *([(wording.say("range.others"), others)] if len(others) else [])]


def _ranges(
    feature: Feature, values: Floats, rows: _Rows, wording: Wording
) -> list[tuple[str, _Rows]]:
    """Tell few values each by itself, many in ranges of about as many leads, but nothing alone."""
    distinct, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    place = np.arange(len(distinct))
    if len(distinct) > MOST_STEPS:
        # Or the many leads of one value would leave the others a single range.
        size = np.minimum(counts, -(-len(values) // MOST_STEPS)) * (distinct != 0.0)
        begins = np.diff((np.cumsum(size) - size) * (MOST_STEPS - 2) // size.sum(), prepend=-1) != 0
        begins |= np.diff(distinct == 0.0, prepend=False)
        place = np.cumsum(begins)
    told = []
    for at in np.unique(place):
        low, high = distinct[place == at][[0, -1]]
        open_ended = at == place[-1] and low < high
        words = range_words(feature, float(low), None if open_ended else float(high), wording)
        told.append((words, rows[place[codes] == at]))
    return told
