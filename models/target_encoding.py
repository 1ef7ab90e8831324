"""Target encoding: a category of many levels becomes a number, the share of wins at its level."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import TargetEncoder

from .encoding import FloatArray

OWN_LEVELS = 64
"""Levels up to which the models see a category as such; one of more is target-encoded.

A column of the scorecard for each of hundreds of levels, or a split of them into two sets, fits
the noise of the rare ones.
"""

_FOLDS = 5

_PRIOR_ROWS = 20.0
"""Rows that each level borrows from the mean of all.

A fixed number: scikit-learn's empirical estimate takes a level without a win at its word, however
few its rows, and where wins are rare most levels are like that.
"""


def high_cardinality(matrix: FloatArray, category: Sequence[int]) -> tuple[int, ...]:
    """Return the categories of more than ``OWN_LEVELS`` levels, to be target-encoded.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n, k)
        Encoded rows that the model will learn from.
    category : sequence of int
        Columns that hold positions of levels.
    """
    return tuple(at for at in category if _levels(matrix[:, at]) > OWN_LEVELS)


class TargetLevels(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace columns of levels by the share of wins at the level, drawn towards the mean [1]_.

    The rows that are learned from get shares that leave them out (cross-fitting), so that a level
    does not carry its own labels; later rows get the shares of all rows. A missing value is a
    level; one that was not there in training has the mean. Other columns stay as they are.

    Parameters
    ----------
    columns : tuple of int
        Columns of the encoded matrix; none leaves it as it is.

    Attributes
    ----------
    encoder_ : TargetEncoder or None

    References
    ----------
    .. [1] Micci-Barreca: A preprocessing scheme for high-cardinality categorical attributes in
       classification and prediction problems. SIGKDD Explorations 3, 1 (2001).
    """

    def __init__(self, columns: tuple[int, ...]) -> None:
        self.columns = columns

    def fit(self, X: FloatArray, y: npt.ArrayLike, groups: npt.ArrayLike) -> Self:  # noqa: N803
        """Learn the share of wins at each level; parameters as for ``fit_transform``."""
        self.fit_transform(X, y, groups)
        return self

    def fit_transform(
        self,
        X: FloatArray,  # noqa: N803
        y: npt.ArrayLike,
        groups: npt.ArrayLike,
    ) -> FloatArray:
        """Learn the shares; return the rows with shares that leave them out.

        Parameters
        ----------
        X : ndarray of float64, shape (n, k)
        y : array of bool, shape (n,)
        groups : array of int, shape (n,)
            Lead or account of each row: what is left out together. A lead recurs at every
            snapshot, and its other rows would give away its label.
        """
        self.encoder_ = None
        if not self.columns:
            return X
        splits = list(GroupKFold(_FOLDS, shuffle=True, random_state=0).split(X, groups=groups))
        self.encoder_ = TargetEncoder(target_type="binary", smooth=_PRIOR_ROWS, cv=splits)
        return self._replaced(X, self.encoder_.fit_transform(X[:, list(self.columns)], y))

    def transform(self, X: FloatArray) -> FloatArray:  # noqa: N803
        """Return the matrix, of the same shape, with the shares of all training rows."""
        if self.encoder_ is None:
            return X
        return self._replaced(X, self.encoder_.transform(X[:, list(self.columns)]))

    def _replaced(self, matrix: FloatArray, shares: FloatArray) -> FloatArray:
        replaced: FloatArray = np.array(matrix, dtype=np.float64, order="F")
        replaced[:, list(self.columns)] = shares
        return replaced


def _levels(column: FloatArray) -> int:
    return len(np.unique(column[~np.isnan(column)]))
