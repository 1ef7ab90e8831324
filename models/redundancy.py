"""Features that say the same: of several that rise and fall together, one is enough."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leadlight.features.feature import Feature

from .encoding import FloatArray
from .scales import signed_log

SAME = 0.95
"""Two numbers correlated beyond this, on the scale of logarithms, count as one feature."""

_ROWS = 10_000
_MISSING = -3.0
"""Where a missing value lies on the scale of standard deviations: apart from all known ones."""


def distinct_features(frame: pd.DataFrame, features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return the features without those that repeat an earlier one.

    A repeated feature adds nothing to a sum of shapes of single features but time, and divides
    the weight that one of them deserves. Categories are all kept.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Training rows; some 10,000, evenly spread, are looked at.
    features : sequence of Feature
        In catalog order, which puts the plainer ones first.
    """
    numeric = [feature for feature in features if feature.kind == "numeric"]
    if not numeric:
        return tuple(features)
    rows = frame.iloc[:: max(1, len(frame) // _ROWS)]
    scaled = np.column_stack([_scaled(rows[feature.name]) for feature in numeric])
    likeness = np.abs(scaled.T @ scaled) / len(scaled)
    kept: list[int] = []
    for at in range(len(numeric)):
        if not (likeness[at, kept] > SAME).any():
            kept.append(at)
    repeated = {feature.name for feature in numeric} - {numeric[at].name for at in kept}
    return tuple(feature for feature in features if feature.name not in repeated)


def _scaled(column: "pd.Series[float]") -> FloatArray:
    """Standardise the logarithm; a constant column is all zeros and like no other."""
    values: FloatArray = signed_log(np.asarray(column, dtype=np.float64))
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    values = np.clip(values, values[known].min(), values[known].max())
    known = ~np.isnan(values)
    mean, spread = values[known].mean(), values[known].std()
    filled = np.where(known, values, mean + _MISSING * spread)
    centred: FloatArray = filled - filled.mean()
    spread = centred.std()
    return centred / spread if spread > 0 else centred
