"""Segments: whether probabilities come true for each source, country and size of company."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlight.features.feature import Feature
from leadlight.features.wording import sentence

from .bootstrap import Codes, cluster_codes, clustered_share, finite
from .ranking import FIGURES, rank_leads
from .selection import LEAST_WINS

LEAST_ROWS = 100
"""Rows below which the values of a segment are told together, as "other"."""

MOST_VALUES = 12
"""Values of a segment that are told apart, the most frequent first."""

OTHER, UNKNOWN = "other", "unknown"

_SUBJECTS = {"source"}
_READINGS = {"country", "region", "employees", "revenue"}


@dataclass(frozen=True)
class SegmentCalibration:
    """What was promised to the leads of one segment, and what came.

    Attributes
    ----------
    feature, label : str
        Column of the feature table, and its plain-language name.
    value : str
        Of the segment: a source, a country, a band of company sizes in words; ``unknown`` where
        it is missing, ``other`` for values of few rows.
    rows, wins : int
    predicted, observed : float
        Mean probability, and share won.
    low, high : float
        95 % interval of the share won, clustered.
    ece, calibration_slope, calibration_intercept : float
        As in ``Evaluation``, of these rows; NaN with fewer than 20 wins or losses.
    """

    feature: str
    label: str
    value: str
    rows: int
    wins: int
    predicted: float
    observed: float
    low: float
    high: float
    ece: float
    calibration_slope: float
    calibration_intercept: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {
            key: finite(value) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }


def segment_features(features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return the features that part leads into segments: source, country, region, company size.

    Parameters
    ----------
    features : sequence of Feature
        Of the catalog.
    """
    return tuple(
        feature
        for feature in features
        if feature.statistic in _READINGS
        or (feature.statistic == "profile" and feature.subject in _SUBJECTS)
    )


def calibration_by_segment(
    frame: pd.DataFrame,
    probability: ArrayLike,
    label: ArrayLike,
    features: Sequence[Feature],
    cluster: ArrayLike,
) -> tuple[SegmentCalibration, ...]:
    """Compare promise and outcome per value of each segment.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Has the columns of ``segment_features(features)``; others do not matter.
    probability : array of shape (n,)
        Calibrated probability of a win within the horizon.
    label : array of shape (n,)
        Whether it came.
    features : sequence of Feature
        Of the catalog; those that are no segments are passed over.
    cluster : array of shape (n,)
        Lead or account of each row.

    Returns
    -------
    tuple of SegmentCalibration
        Feature by feature, values of most rows first, ``other`` last; a feature with one value
        only is left out.
    """
    promised = np.asarray(probability, dtype=np.float64)
    won = np.asarray(label, dtype=bool)
    codes = cluster_codes(cluster, len(won))
    return tuple(
        segment
        for feature in segment_features(features)
        for segment in _segments(feature, frame[feature.name], promised, won, codes)
    )


def _segments(
    feature: Feature,
    column: "pd.Series[Any]",
    promised: NDArray[np.float64],
    won: NDArray[np.bool_],
    codes: Codes,
) -> list[SegmentCalibration]:
    known, values = pd.factorize(column)
    counts = np.bincount(known + 1, minlength=len(values) + 1)  # missing ones first
    order = np.argsort(-counts, kind="stable")
    told = [at for at in order[:MOST_VALUES] if counts[at] >= LEAST_ROWS]
    names = [UNKNOWN, *(_spoken(feature, value) for value in values)]
    groups = [(names[at], known + 1 == at) for at in told]
    rest = ~np.isin(known + 1, told)
    if rest.any():
        groups.append((OTHER, rest))
    if len(groups) < 2:
        return []
    return [_segment(feature, name, promised[at], won[at], codes[at]) for name, at in groups]


def _segment(
    feature: Feature,
    value: str,
    promised: NDArray[np.float64],
    won: NDArray[np.bool_],
    codes: Codes,
) -> SegmentCalibration:
    share = clustered_share(won, codes)
    figures = np.full(len(FIGURES), math.nan)
    if min(int(won.sum()), int((~won).sum())) >= LEAST_WINS:
        figures = rank_leads(promised, won, codes).figures(np.ones((1, len(won))))[:, 0]
    of = dict(zip(FIGURES, figures.tolist(), strict=True))
    return SegmentCalibration(
        feature=feature.name,
        label=feature.label,
        value=value,
        rows=len(won),
        wins=int(won.sum()),
        predicted=float(promised.mean()),
        observed=share.value,
        low=share.low,
        high=share.high,
        ece=of["ece"],
        calibration_slope=of["calibration_slope"],
        calibration_intercept=of["calibration_intercept"],
    )


def _spoken(feature: Feature, value: object) -> str:
    return str(value) if feature.kind == "category" else sentence(feature, value)
