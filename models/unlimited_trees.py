"""Unlimited trees as plain arrays: a part of the compiled model where the user opts into them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .encoding import FloatArray
from .shapley import Leaf, TreeGame
from .steps import Steps, edges

LEAF = -1
"""In place of a leaf's feature and children."""

_Ints = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class UnlimitedTrees:
    """Trees that join any number of features, end to end in flat arrays; m nodes.

    Children come after their node. A number goes left where ``x <= cut``; a category where the
    position of its level is among the node's.

    Attributes
    ----------
    roots : ndarray of int64, shape (t,)
        Node with which each tree begins.
    feature, left, right : ndarray of int64, shape (m,)
        Position of the feature that is split, and both children; -1 at a leaf.
    cut : ndarray of float64, shape (m,)
        NaN for a category and at a leaf; infinity parts missing values from all others.
    missing_left : ndarray of bool, shape (m,)
    value : ndarray of float64, shape (m,)
        Log-odds of a leaf.
    cover : ndarray of float64, shape (m,)
        Training rows that came by.
    level_counts : ndarray of int64, shape (m,)
        How many levels of a category go left.
    levels : ndarray of int64
        Their positions, end to end; the position after the last level is that of all others.
    """

    roots: _Ints
    feature: _Ints
    cut: FloatArray
    missing_left: _Flags
    left: _Ints
    right: _Ints
    value: FloatArray
    cover: FloatArray
    level_counts: _Ints
    levels: _Ints

    @property
    def features(self) -> tuple[int, ...]:
        """Positions of the features that any tree splits."""
        return tuple(np.unique(self.feature[self.feature != LEAF]).tolist())

    @cached_property
    def mean(self) -> float:
        """Log-odds that the trees add on average over their training rows."""
        leaf = self.feature == LEAF
        trees = np.repeat(self.cover[self.roots], np.diff(self.roots, append=len(self.feature)))
        return float((self.value[leaf] * self.cover[leaf] / trees[leaf]).sum())

    def parts(self, matrix: FloatArray) -> FloatArray:
        """Return each feature's Shapley value, which sum to the trees' log-odds less the mean.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n, k)
            Encoded rows.

        Returns
        -------
        ndarray of float64, shape (n, k), column-major
        """
        found = {at: steps.find(matrix[:, at]) for at, steps in self._steps.items()}
        parts = np.zeros(matrix.shape, order="F")
        for game in self._games:
            for at, values in zip(game.features, game.values(found), strict=True):
                parts[:, at] += values
        return parts

    @cached_property
    def _left_levels(self) -> tuple[_Ints, ...]:
        return tuple(np.split(self.levels, np.cumsum(self.level_counts)[:-1]))

    @cached_property
    def _steps(self) -> dict[int, Steps]:
        """Per feature, where any tree tells its values apart."""
        steps = {}
        for at in self.features:
            nodes = np.flatnonzero(self.feature == at)
            cuts = np.unique(self.cut[nodes])
            if np.isnan(cuts).any():
                most = max(self._left_levels[node].max(initial=0) for node in nodes.tolist())
                cuts = np.arange(most + 1, dtype=np.float64)
            steps[at] = Steps(cuts[np.isfinite(cuts)])
        return steps

    @cached_property
    def _games(self) -> tuple[TreeGame, ...]:
        games = (TreeGame(tuple(self._leaves(root))) for root in self.roots.tolist())
        return tuple(game for game in games if game.features)

    def _leaves(self, root: int) -> Iterator[Leaf]:
        """Yield each leaf with the steps, and the share of rows, that lead to it."""
        ways: list[tuple[int, dict[int, _Flags], dict[int, float]]] = [(root, {}, {})]
        while ways:
            node, held, share = ways.pop()
            at = int(self.feature[node])
            if at == LEAF:
                yield Leaf(float(self.value[node]), held, share)
                continue
            goes_left = self._goes_left(node, at)
            for child, goes in (
                (int(self.right[node]), ~goes_left),
                (int(self.left[node]), goes_left),
            ):
                passed = share.get(at, 1.0) * float(self.cover[child] / self.cover[node])
                ways.append((child, held | {at: held.get(at, True) & goes}, share | {at: passed}))

    def _goes_left(self, node: int, at: int) -> _Flags:
        """Whether each step of the node's feature goes left, the missing value last."""
        upper = edges(self._steps[at].cuts)[:-1]
        if np.isnan(self.cut[node]):
            left = np.isin(np.arange(len(upper)), self._left_levels[node])
        else:
            left = upper <= self.cut[node]
        return np.append(left, self.missing_left[node])


def joined_trees(
    forests: Sequence[UnlimitedTrees], weights: Sequence[float] | None = None
) -> UnlimitedTrees:
    """Return the weighted sum of trees as trees.

    Parameters
    ----------
    forests : sequence of UnlimitedTrees, at least one
    weights : sequence of float, optional
        One for each; default: all weigh 1.
    """
    begins = np.cumsum([0, *(len(each.feature) for each in forests)])
    scales = [1.0] * len(forests) if weights is None else weights
    moved = [
        replace(
            each,
            roots=each.roots + begin,
            left=np.where(each.left == LEAF, LEAF, each.left + begin),
            right=np.where(each.right == LEAF, LEAF, each.right + begin),
            value=each.value * scale,
        )
        for each, begin, scale in zip(forests, begins.tolist(), scales, strict=False)
    ]
    return UnlimitedTrees(
        **{
            field.name: np.concatenate([getattr(each, field.name) for each in moved])
            for field in fields(UnlimitedTrees)
        }
    )
