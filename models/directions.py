"""Directions: what the catalog expects of a feature, where the data agree."""

from collections.abc import Sequence

import numpy as np

from leadlight.features.feature import Feature

from .lesson import Lesson
from .scales import signed_log

_SURE = 2.0
"""Standard errors by which a correlation must lie on the expected side."""


def agreeing_directions(features: Sequence[Feature], lesson: Lesson) -> tuple[int, ...]:
    """Return 1, -1 or 0 for each feature: whether more of it may only raise or lower the margin.

    The catalog's expected direction is held to only where the rows say the same: the correlation of
    the feature's logarithm with the label lies on the expected side by two standard errors.
    Elsewhere the shape is free, so that a wrong expectation does no harm.

    Parameters
    ----------
    features : sequence of Feature, k of them
    lesson : Lesson of shape (n, k)
    """
    return tuple(
        feature.direction if _agrees(feature, lesson, at) else 0
        for at, feature in enumerate(features)
    )


def _agrees(feature: Feature, lesson: Lesson, at: int) -> bool:
    if feature.kind == "category" or feature.direction == 0:
        return False
    values = signed_log(lesson.matrix[:, at])
    known = np.flatnonzero(np.isfinite(values) & (lesson.weight > 0))
    values, won, weight = values[known], lesson.won[known], lesson.weight[known]
    if len(values) < 3 or np.ptp(values) == 0 or won.all() or not won.any():
        return False
    x = values - np.average(values, weights=weight)
    y = won - np.average(won, weights=weight)
    together = float(np.sum(weight * x * y))
    spread = float(np.sqrt(np.sum(weight * x * x) * np.sum(weight * y * y)))
    rows = float(weight.sum() ** 2 / np.sum(weight**2))
    return feature.direction * together / spread * np.sqrt(rows) > _SURE if spread else False
