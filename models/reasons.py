"""Reasons: the groups of features that move a lead's score most, as ids and whole points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.features.feature import Family, Feature

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PointScale:
    """Points of 100: the score as people read it, a straight line through the margin.

    The held-out lead of the lowest margin has 0 points, that of the highest 100; a lead beyond
    either has fewer or more. Since the line is straight, points add up as log-odds do: the points
    of the average lead and of all reasons together are those of the lead.

    Attributes
    ----------
    lowest, highest : float
        Margins (log-odds) of 0 and of 100 points.
    """

    lowest: float
    highest: float

    @property
    def per_log_odds(self) -> float:
        """Points of one unit of log-odds; 0 where all held-out leads scored alike."""
        span = self.highest - self.lowest
        return 100.0 / span if span > 0.0 else 0.0

    def points(self, margin: ArrayLike) -> Floats:
        """Return the points of each margin, shape (n,), not rounded."""
        return (np.asarray(margin, dtype=np.float64) - self.lowest) * self.per_log_odds


@dataclass(frozen=True)
class ReasonGroups:
    """Features by reason: near-duplicates (the same event over 7, 30 and 90 days) are one reason.

    Attributes
    ----------
    ids : tuple of str
        The reasons' ids: names of feature groups, the same in every language and every run.
    members : tuple of tuple of int
        Positions of each group's features.
    """

    ids: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, features: Sequence[Feature]) -> "ReasonGroups":
        """Group features in the order in which their groups first appear."""
        groups: dict[str, list[int]] = {}
        for at, feature in enumerate(features):
            groups.setdefault(feature.group, []).append(at)
        return cls(tuple(groups), tuple(tuple(members) for members in groups.values()))

    def sums(self, parts: Floats) -> Floats:
        """Sum each group's parts, shape (n, g).

        Feature by feature: a lead's sum must not depend on which leads it comes with.
        """
        sums = np.zeros((len(parts), len(self.ids)))
        for at, members in enumerate(self.members):
            for column in members:
                sums[:, at] += parts[:, column]
        return sums


@dataclass(frozen=True)
class ReasonPart:
    """What one reason adds to a lead's score, beyond what it adds to the average lead's.

    Attributes
    ----------
    id : str
        Of the reason.
    family : {"fit", "engagement", "timing"}
    log_odds : float
        Part of the margin.
    points : int
        Whole points of 100.
    feature : Feature
        The one that moves the margin most in the direction of the group.
    """

    id: str
    family: Family
    log_odds: float
    points: int
    feature: Feature


def reason_parts(
    parts: Floats, average: Floats, features: Sequence[Feature], scale: PointScale
) -> tuple[ReasonPart, ...]:
    """Part one lead's score into all its reasons, strongest first, in points that add up.

    The whole points are rounded together (largest remainders): they sum exactly to the points
    between the lead and the average lead, rounded.

    Parameters
    ----------
    parts, average : ndarray of float64, shapes (k,)
        The lead's parts of the margin, and those of the average lead, in log-odds.
    features : sequence of Feature, k of them
    scale : PointScale
    """
    groups = ReasonGroups.of(features)
    beyond = parts - average
    sums = groups.sums(beyond[None, :])[0]
    points = rounded_together(sums * scale.per_log_odds)
    told = []
    for at, members in enumerate(groups.members):
        leaning = (beyond if sums[at] >= 0.0 else -beyond).tolist()
        told.append(
            ReasonPart(
                id=groups.ids[at],
                family=features[members[0]].family,
                log_odds=float(sums[at]),
                points=int(points[at]),
                feature=features[max(members, key=leaning.__getitem__)],
            )
        )
    return tuple(sorted(told, key=lambda part: -abs(part.log_odds)))


def rounded_together(exact: Floats, total: int | None = None) -> NDArray[np.int64]:
    """Round so that the sum is the rounded sum: those with the largest remainders go up.

    Parameters
    ----------
    exact : array of shape (n,)
    total : int or None
        What they are to sum to instead: their sum rounded up or down.
    """
    whole = np.floor(exact).astype(np.int64)
    aim = math.floor(float(exact.sum()) + 0.5) if total is None else total
    up = aim - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:up]] += 1
    return whole
