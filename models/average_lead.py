"""The average lead of a segment: what a lead is compared with when all of its kind are alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.feature import Feature

from .segments import LEAST_ROWS, segment_features

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SegmentAverages:
    """Mean parts of the margin in each segment of enough held-out leads.

    Attributes
    ----------
    feature : str
        Column of the feature table that parts leads into segments.
    values : tuple of str
        The segments; leads of any other value are compared with all.
    mean_parts : array of shape (s, k)
        Log-odds.
    """

    feature: str
    values: tuple[str, ...]
    mean_parts: Floats

    def parts(self, frame: pd.DataFrame, of_all: Floats) -> Floats:
        """Return the parts of the average lead of each lead's segment, shape (n, k).

        Parameters
        ----------
        frame : DataFrame of n rows
        of_all : array of shape (k,)
            Those of the average of all leads, for leads of a segment of few.
        """
        codes, values = pd.factorize(frame[self.feature])
        known = {value: at for at, value in enumerate(self.values)}
        rest = len(self.values)
        place = np.array([*(known.get(str(value), rest) for value in values), rest])
        averages: Floats = np.vstack([self.mean_parts, of_all])[place[codes]]
        return averages

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays for an ``npz`` file."""
        return {
            "segment_feature": np.array([self.feature]),
            "segment_values": np.array(self.values, dtype=np.str_),
            "segment_mean_parts": self.mean_parts,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "SegmentAverages | None":
        """Read what ``to_arrays`` gave; None where there are no segments."""
        if "segment_feature" not in arrays:
            return None
        (feature,) = arrays["segment_feature"].tolist()
        values = tuple(arrays["segment_values"].tolist())
        return cls(feature, values, arrays["segment_mean_parts"])


def segment_averages(
    frame: pd.DataFrame, parts: Floats, features: Sequence[Feature], by: str
) -> SegmentAverages | None:
    """Return the average lead of each segment; None where leads cannot be parted so.

    Parameters
    ----------
    frame : DataFrame of n rows
        Held-out leads, the features' values.
    parts : array of shape (n, k)
        The compiled model's contributions to the margin, in log-odds.
    features : sequence of Feature
        Of the catalog.
    by : str
        ``source``, ``country``, ``region``, ``employees`` or ``revenue``.
    """
    for feature in segment_features(features):
        if by in {feature.statistic, feature.subject}:
            codes, values = pd.factorize(frame[feature.name])
            rows = np.bincount(codes[codes >= 0], minlength=len(values))
            kept = np.flatnonzero(rows >= LEAST_ROWS).tolist()
            if kept:
                means = [parts[codes == at].mean(axis=0) for at in kept]
                names = tuple(str(values[at]) for at in kept)
                return SegmentAverages(feature.name, names, np.array(means))
    return None
