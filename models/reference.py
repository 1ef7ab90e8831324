"""Reference: how held-out leads are distributed, so that one lead can be placed among them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlight.features.feature import Family, Feature

from .average_lead import SegmentAverages
from .reasons import PointScale

Floats = NDArray[np.float64]

_KNOTS = 1001
# Margins are sums; the last digits depend on the order of summation, and must not split a tie.
_DECIMALS = 9
_HALF_A_DIGIT = 0.5 * 10**-_DECIMALS


@dataclass(frozen=True, eq=False)
class Distribution:
    """Share of held-out leads below any value.

    Attributes
    ----------
    knots : array of shape (k,)
        Values that occurred, ascending, at most 1001.
    below, up_to : array of shape (k,)
        Share of leads strictly below each knot, and at or below it.
    """

    knots: Floats
    below: Floats
    up_to: Floats

    @classmethod
    def of(cls, values: ArrayLike) -> "Distribution":
        """Summarise the values of held-out leads.

        Parameters
        ----------
        values : array of shape (n,), n > 0
        """
        ordered = np.sort(np.round(np.asarray(values, dtype=np.float64), _DECIMALS))
        levels = np.linspace(0.0, 1.0, _KNOTS)
        knots = np.unique(np.quantile(ordered, levels, method="inverted_cdf")).astype(np.float64)
        return cls(
            knots,
            np.searchsorted(ordered, knots, side="left") / len(ordered),
            np.searchsorted(ordered, knots, side="right") / len(ordered),
        )

    def percentile(self, values: ArrayLike) -> Floats:
        """Return the share of held-out leads strictly below each value, in [0, 1].

        Strictly: the many leads without any event all stand at 0, not in their middle, so that a
        floor on engagement holds each of them back.

        Parameters
        ----------
        values : array of shape (n,)
        """
        rounded = np.round(np.asarray(values, dtype=np.float64), _DECIMALS)
        after = np.searchsorted(self.knots, rounded, side="left")
        right = np.minimum(after, len(self.knots) - 1)
        left = np.maximum(after - 1, 0)
        gap = self.knots[right] - self.knots[left]
        part = (rounded - self.knots[left]) / np.where(gap > 0.0, gap, 1.0)
        between = self.up_to[left] + np.clip(part, 0.0, 1.0) * (
            self.below[right] - self.up_to[left]
        )
        return np.where(after == 0, 0.0, np.where(after == len(self.knots), 1.0, between))

    def least_reaching(self, share: float) -> float:
        """Return the least value whose percentile is at least ``share``, before it is rounded.

        Parameters
        ----------
        share : float
            Above 0, at most 1.
        """
        unit = 10**_DECIMALS
        low, high = (round(float(knot) * unit) for knot in self.knots[[0, -1]])
        high += 1  # above the highest knot every share is reached
        while low < high:
            middle = (low + high) // 2
            if self.percentile([middle / unit])[0] >= share:
                high = middle
            else:
                low = middle + 1
        return float(low / unit - _HALF_A_DIGIT)


@dataclass(frozen=True, eq=False)
class Reference:
    """The held-out leads that every scored lead is compared with.

    Attributes
    ----------
    margin : Distribution
    fit, engagement : Distribution or None
        Of the sum of the family's parts; None where the family has no feature that tells leads
        apart, and so no percentile and no floor.
    mean_parts : array of shape (k,)
        Mean part of the margin per feature of the compiled model: the average lead.
    segments : SegmentAverages or None
        The average lead of each segment, where reasons compare with that.
    """

    margin: Distribution
    fit: Distribution | None
    engagement: Distribution | None
    mean_parts: Floats
    segments: SegmentAverages | None = None

    @property
    def point_scale(self) -> PointScale:
        """Points of 100 between the lowest and the highest held-out lead."""
        return PointScale(float(self.margin.knots[0]), float(self.margin.knots[-1]))

    def average_parts(self, frame: pd.DataFrame) -> Floats:
        """Return the parts of the average lead that each lead is compared with.

        Parameters
        ----------
        frame : DataFrame of n rows
            The features' values.

        Returns
        -------
        array of shape (k,), or (n, k) where leads are compared within their segment
        """
        if self.segments is None:
            return self.mean_parts
        return self.segments.parts(frame, self.mean_parts)

    @classmethod
    def of(
        cls,
        margin: ArrayLike,
        parts: Floats,
        features: Sequence[Feature],
        segments: SegmentAverages | None = None,
    ) -> "Reference":
        """Build the reference from held-out rows.

        Parameters
        ----------
        margin : array of shape (n,)
        parts : array of shape (n, k)
            The compiled model's contributions to the margin.
        features : sequence of Feature, k of them
            In the order of ``parts``.
        segments : SegmentAverages, optional
            Of the same rows.
        """
        families: dict[Family, Distribution | None] = {}
        for family in _FAMILIES:
            sums = family_margin(parts, features, family)
            flat = sums is None or np.ptp(np.round(sums, _DECIMALS)) == 0.0
            families[family] = None if sums is None or flat else Distribution.of(sums)
        return cls(
            Distribution.of(margin),
            families["fit"],
            families["engagement"],
            parts.mean(axis=0),
            segments,
        )

    def family_percentile(
        self, parts: Floats, features: Sequence[Feature], family: Family
    ) -> Floats:
        """Return the percentile of each lead in one family, in [0, 1]; NaN without one.

        Parameters
        ----------
        parts : array of shape (n, k)
        features : sequence of Feature, k of them
        family : {"fit", "engagement"}
        """
        distribution = self.fit if family == "fit" else self.engagement
        sums = family_margin(parts, features, family)
        if distribution is None or sums is None:
            return np.full(len(parts), math.nan)
        return distribution.percentile(sums)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays for an ``npz`` file."""
        arrays: dict[str, NDArray[Any]] = {"mean_parts": self.mean_parts}
        if self.segments is not None:
            arrays |= self.segments.to_arrays()
        for name in ("margin", *_FAMILIES):
            distribution: Distribution | None = getattr(self, name)
            if distribution is not None:
                arrays[name] = np.stack(
                    [distribution.knots, distribution.below, distribution.up_to]
                )
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Reference":
        """Read what ``to_arrays`` gave."""
        fit, engagement = (
            Distribution(*arrays[family]) if family in arrays else None for family in _FAMILIES
        )
        return cls(
            Distribution(*arrays["margin"]),
            fit,
            engagement,
            arrays["mean_parts"],
            SegmentAverages.from_arrays(arrays),
        )


_FAMILIES: tuple[Family, Family] = ("fit", "engagement")


def family_margin(parts: Floats, features: Sequence[Feature], family: Family) -> Floats | None:
    """Sum the parts of a family's features: its share of the margin, or None without features.

    Feature by feature, so that a lead's sum does not depend on which leads it comes with.

    Parameters
    ----------
    parts : array of shape (n, k)
    features : sequence of Feature, k of them
    family : {"fit", "engagement"}
    """
    columns = [at for at, feature in enumerate(features) if feature.family == family]
    if not columns:
        return None
    sums = np.zeros(len(parts))
    for column in columns:
        sums += parts[:, column]
    return sums
