"""Steadiness: features that move with time more than they differ between leads."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import ks_2samp

from .encoding import FloatArray
from .selection import Fold

_FAR = 0.4
"""Kolmogorov-Smirnov distance beyond which a later window is another population."""

_ROWS = 2_000


def drifting_features(matrix: FloatArray, folds: Sequence[Fold]) -> tuple[int, ...]:
    """Return the columns whose later values are, fold after fold, unlike those that taught.

    Such a column (an interest rate, the month, a tracker's counter) tells mostly when a row is
    from; what was learned of its old values need not hold for new ones. Whether a model is better
    off without them is judged by later windows (see ``steady_rows``).

    Parameters
    ----------
    matrix : ndarray of float64, shape (n, k)
        Encoded features; missing values are left out.
    folds : sequence of Fold
        Rolling.
    """
    return tuple(
        at
        for at in range(matrix.shape[1])
        if np.mean([_distance(matrix[:, at], fold) for fold in folds]) > _FAR
    )


def _distance(values: FloatArray, fold: Fold) -> float:
    earlier, later = (_known(values[rows]) for rows in (fold.fit, fold.judge))
    if not len(earlier) or not len(later):
        return 0.0
    return float(ks_2samp(earlier, later, method="asymp").statistic)


def _known(values: FloatArray) -> FloatArray:
    some = values[:: max(1, len(values) // _ROWS)]
    return some[~np.isnan(some)]
