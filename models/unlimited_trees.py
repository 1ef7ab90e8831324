"""Unlimited trees as plain arrays: a part of the compiled model where the user opts into them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from .bins import MISSING
from .encoding import Encoding, FloatArray
from .shapley import Leaf, TreeGame
from .steps import Steps, edges

MOST_LEAVES = 32
"""Of a tree; a candidate's have 16."""

_LEAF = -1
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
        return tuple(np.unique(self.feature[self.feature != _LEAF]).tolist())

    @cached_property
    def mean(self) -> float:
        """Log-odds that the trees add on average over their training rows."""
        leaf = self.feature == _LEAF
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

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return plain arrays for an ``npz`` file."""
        return {f"tree_{name}": array for name, array in vars(self).items() if name in _TYPES}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, npt.NDArray[Any]], encoding: Encoding
    ) -> "UnlimitedTrees":
        """Read what ``to_arrays`` gave.

        Raises
        ------
        ValueError
            The arrays do not belong together or to the features, or a node's children are not its
            own: nothing is followed before all of it is known to end.
        """
        kept = {}
        for name, kind in _TYPES.items():
            array = np.asarray(arrays[f"tree_{name}"])
            if array.ndim != 1 or array.dtype != kind:
                raise ValueError(f"the compiled model's trees have no usable {name}")
            kept[name] = array
        trees = cls(**kept)
        _check_nodes(trees)
        _check_splits(trees, encoding)
        return trees

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
            if at == _LEAF:
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


_TYPES: dict[str, npt.DTypeLike] = {
    "roots": np.int64,
    "feature": np.int64,
    "cut": np.float64,
    "missing_left": np.bool_,
    "left": np.int64,
    "right": np.int64,
    "value": np.float64,
    "cover": np.float64,
    "level_counts": np.int64,
    "levels": np.int64,
}


def read_trees(pipeline: Pipeline, encoding: Encoding) -> UnlimitedTrees:
    """Read the trees of a fitted pipeline, over encoded features.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted; its last step is ``BoostedTrees``, the ones between the encoding and it replace
        levels by shares.
    encoding : Encoding
    """
    bins = pipeline.named_steps["classify"].bins_
    codes: dict[int, npt.NDArray[np.uint8]] = {}
    for at, levels in enumerate(encoding.levels):
        if levels is None:
            continue
        shown = np.full((len(levels) + 2, len(encoding.levels)), np.nan, order="F")
        shown[:-1, at] = np.arange(len(levels) + 1)
        codes[at] = bins.codes(pipeline[1:-1].transform(shown))[:, at]
    return joined_trees([_read(tree, codes) for tree in pipeline.named_steps["classify"].trees_])


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
            left=np.where(each.left == _LEAF, _LEAF, each.left + begin),
            right=np.where(each.right == _LEAF, _LEAF, each.right + begin),
            value=each.value * scale,
        )
        for each, begin, scale in zip(forests, begins.tolist(), scales, strict=False)
    ]
    return UnlimitedTrees(
        **{name: np.concatenate([getattr(each, name) for each in moved]) for name in _TYPES}
    )


def _read(tree: Any, codes: Mapping[int, npt.NDArray[np.uint8]]) -> UnlimitedTrees:
    """Read one tree of scikit-learn's; of a category, ask each level for its side."""
    nodes = tree.nodes
    leaf = nodes["is_leaf"].astype(bool)
    feature = np.where(leaf, _LEAF, nodes["feature_idx"]).astype(np.int64)
    category = np.isin(feature, list(codes))
    missing_left = nodes["missing_go_to_left"].astype(bool) & ~leaf
    levels: list[_Ints] = []
    for node in range(len(nodes)):
        if not category[node]:
            levels.append(np.empty(0, dtype=np.int64))
            continue
        goes_left = _sides(tree, nodes[node], codes[int(feature[node])])
        levels.append(np.flatnonzero(goes_left[:-1]).astype(np.int64))
        missing_left[node] = goes_left[-1]
    return UnlimitedTrees(
        roots=np.zeros(1, dtype=np.int64),
        feature=feature,
        cut=np.where(leaf | category, np.nan, nodes["num_threshold"]),
        missing_left=missing_left,
        left=np.where(leaf, _LEAF, nodes["left"].astype(np.int64)),
        right=np.where(leaf, _LEAF, nodes["right"].astype(np.int64)),
        value=np.where(leaf, nodes["value"], 0.0),
        cover=nodes["count"].astype(np.float64),
        level_counts=np.array([len(each) for each in levels], dtype=np.int64),
        levels=np.concatenate(levels),
    )


def _sides(tree: Any, node: Any, codes: npt.NDArray[np.uint8]) -> _Flags:
    """Whether each level's bin goes left."""
    if node["is_categorical"]:
        words = tree.binned_left_cat_bitsets[node["bitset_idx"]]
        left = (words[codes // 32] >> (codes % 32).astype(words.dtype) & 1).astype(bool)
    else:
        left = codes <= node["bin_threshold"]
    return np.where(codes == MISSING, bool(node["missing_go_to_left"]), left)


def _check_nodes(trees: UnlimitedTrees) -> None:
    """Refuse nodes that do not make trees: each but the roots has one parent, which comes first."""
    count = len(trees.feature)
    of_nodes = (trees.cut, trees.missing_left, trees.left, trees.right, trees.value, trees.cover)
    lengths = {len(array) for array in (*of_nodes, trees.level_counts)}
    if not count or lengths != {count} or not len(trees.roots) or trees.roots[0] != 0:
        raise ValueError("the compiled model's trees do not belong together")
    nodes = np.arange(count)
    split = trees.feature != _LEAF
    root_of = np.searchsorted(trees.roots, nodes, side="right") - 1
    children = np.concatenate([trees.left[split], trees.right[split]])
    parents = np.tile(nodes[split], 2)
    all_nodes = np.sort(np.concatenate([trees.roots, children]))
    if not np.array_equal(all_nodes, nodes) or (children <= parents).any():
        raise ValueError("the compiled model's trees have nodes of no tree, or of two")
    if (root_of[children] != root_of[parents]).any():
        raise ValueError("the compiled model's trees run into each other")
    if np.bincount(root_of, weights=~split).max() > MOST_LEAVES:
        raise ValueError(f"a tree of the compiled model has more than {MOST_LEAVES} leaves")
    whole = trees.cover[trees.left[split]] + trees.cover[trees.right[split]]
    if not (np.isfinite(trees.cover) & (trees.cover > 0.0)).all() or not np.array_equal(
        whole, trees.cover[split]
    ):
        raise ValueError("the compiled model's trees count other rows in children than in nodes")
    if not np.isfinite(trees.value).all():
        raise ValueError("the compiled model's trees have a leaf without a value")


def _check_splits(trees: UnlimitedTrees, encoding: Encoding) -> None:
    """Refuse splits of features that are not there, or that are not of their kind."""
    split = trees.feature != _LEAF
    features = trees.feature[split]
    if len(features) and not (0 <= features.min() <= features.max() < len(encoding.levels)):
        raise ValueError("the compiled model's trees split features that it does not have")
    places = [-1 if levels is None else len(levels) for levels in encoding.levels]
    most = np.full(len(trees.feature), -1)
    most[split] = np.array(places)[features]
    if (np.isnan(trees.cut) != (~split | (most >= 0))).any():
        raise ValueError("the compiled model's trees split a number by levels, or the reverse")
    if (trees.level_counts < 0).any() or trees.level_counts.sum() != len(trees.levels):
        raise ValueError("the compiled model's trees have levels of no node")
    if ((trees.levels < 0) | (trees.levels > np.repeat(most, trees.level_counts))).any():
        raise ValueError("the compiled model's trees name levels that there are not")
