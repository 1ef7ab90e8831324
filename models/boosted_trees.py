"""Boosted trees: sums of small trees on single features, on pairs of them, or without limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.base import BaseEstimator
from sklearn.ensemble._hist_gradient_boosting.grower import TreeGrower

from .bins import MISSING, Bins, Bytes
from .encoding import FloatArray

Pair = tuple[int, int]

_LEARNING_RATE = 0.1
_RIDGE = 1.0


@dataclass(frozen=True)
class Growth:
    """How trees grow.

    Attributes
    ----------
    trees : int
    leaves, depth : int
        At most; no depth: as deep as its leaves let it.
    tried : float
        Share of the columns that each tree may split, drawn anew for each.
    least_leaf : int
        Rows in a leaf, at least.
    pairs : tuple of (int, int), or None
        Columns that may be split in the same tree; None: all of them.
    directions : tuple of int
        1, -1, or 0 for each column: whether more of it may only raise or lower the margin.
    """

    trees: int
    leaves: int
    tried: float
    least_leaf: int
    pairs: tuple[Pair, ...] | None
    directions: tuple[int, ...]
    depth: int | None = None


def grown_trees(
    codes: Bytes,
    bins: Bins,
    won: npt.NDArray[np.bool_],
    weight: FloatArray,
    margin: FloatArray,
    growth: Growth,
    *,
    seed: int,
) -> tuple[list[Any], FloatArray]:
    """Grow trees that lower the log loss, each on what the ones before left.

    The trees are scikit-learn's. Its estimators sum the histograms of all columns for each tree,
    also of those that it may not split: where a tree tries a third of them, three times the work.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n, k)
    bins : Bins
    won : ndarray of bool, shape (n,)
    weight : ndarray of float64, shape (n,)
    margin : ndarray of float64, shape (n,)
        Log-odds to begin with.
    growth : Growth
    seed : int
        Of the columns drawn.

    Returns
    -------
    trees : list of TreePredictor
    margin : ndarray of float64, shape (n,)
        With the trees.

    References
    ----------
    Friedman (2001), Greedy function approximation: a gradient boosting machine, Ann. Stat. 29; Ke
    et al. (2017), LightGBM, NeurIPS 30, on histograms.
    """
    generator = np.random.default_rng(seed)
    missing = (codes == MISSING).any(axis=0)
    splittable = np.flatnonzero(bins.counts + missing > 1)
    margin, trees = margin.copy(), []
    for _ in range(growth.trees if len(splittable) else 0):
        chance = expit(margin)
        grower = TreeGrower(
            codes,
            gradients=(weight * (chance - won)).astype(np.float32),
            hessians=(weight * chance * (1.0 - chance)).astype(np.float32),
            max_leaf_nodes=growth.leaves,
            max_depth=growth.depth,
            min_samples_leaf=growth.least_leaf,
            n_bins_non_missing=bins.counts,
            has_missing_values=missing,
            is_categorical=bins.category,
            monotonic_cst=growth.directions,
            interaction_cst=_together(splittable, growth, generator),
            l2_regularization=_RIDGE,
            shrinkage=_LEARNING_RATE,
            n_threads=1,
        )
        grower.grow()
        for leaf in grower.finalized_leaves:
            margin[leaf.sample_indices] += leaf.value
        trees.append(grower.make_predictor(_thresholds(bins)))
    return trees, margin


class BoostedTrees(BaseEstimator):  # type: ignore[misc]
    """Boosted trees of the log-odds of a win.

    Parameters
    ----------
    category : tuple of int
        Columns that hold positions of levels.
    pairs : tuple of (int, int), or None
        Columns that may be split in the same tree; none: one feature to a tree; None: no limits.
    directions : tuple of int
        As for ``Growth``.
    max_iter, max_leaf_nodes : int
    max_features : float
        Share of the columns that each tree may split.
    min_samples_leaf : int
    random_state : int

    Attributes
    ----------
    bins_ : Bins
    baseline_ : float
        Log-odds of the share of wins.
    trees_ : list of TreePredictor
    """

    def __init__(
        self,
        category: tuple[int, ...],
        pairs: tuple[Pair, ...] | None,
        directions: tuple[int, ...],
        max_iter: int,
        max_leaf_nodes: int,
        max_features: float,
        min_samples_leaf: int,
        random_state: int,
    ) -> None:
        self.category = category
        self.pairs = pairs
        self.directions = directions
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.random_state = random_state

    def fit(
        self,
        X: FloatArray,  # noqa: N803
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Grow the trees.

        Parameters
        ----------
        X : ndarray of float64, shape (n, k)
        y : array of bool, shape (n,)
            Both labels occur.
        sample_weight : array of float64, shape (n,), optional
        """
        won = np.asarray(y, dtype=bool)
        weight = np.ones(len(won)) if sample_weight is None else np.asarray(sample_weight, float)
        self.bins_ = Bins.of(X, self.category)
        self.baseline_ = float(logit(np.average(won, weights=weight)))
        self.trees_, _ = grown_trees(
            self.bins_.codes(X),
            self.bins_,
            won,
            weight,
            np.full(len(won), self.baseline_),
            Growth(
                trees=self.max_iter,
                leaves=self.max_leaf_nodes,
                tried=self.max_features,
                least_leaf=self.min_samples_leaf,
                pairs=self.pairs,
                directions=self.directions,
            ),
            seed=self.random_state,
        )
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:  # noqa: N803
        """Return the log-odds of each row, shape (n,)."""
        return self.margins_after(X, (len(self.trees_),))[len(self.trees_)]

    def margins_after(self, matrix: FloatArray, steps: Sequence[int]) -> dict[int, FloatArray]:
        """Return the log-odds of each row after some numbers of trees."""
        codes = self.bins_.codes(matrix)
        each = np.arange(MISSING + 1, dtype=np.uint8)[:, np.newaxis]
        every = np.asfortranarray(np.broadcast_to(each, (MISSING + 1, codes.shape[1])))
        margin = np.full(len(matrix), self.baseline_)
        found = {step: margin.copy() for step in steps if step == 0}
        for step, tree in enumerate(self.trees_, start=1):
            margin += _said(tree, codes, every)
            if step in steps:
                found[step] = margin.copy()
        return found


def _said(tree: Any, codes: Bytes, every: Bytes) -> FloatArray:
    """Return what a tree adds to each row; one on a single column is asked bin by bin instead."""
    nodes = tree.nodes
    split = nodes["feature_idx"][nodes["is_leaf"] == 0]
    if len(split) and (split == split[0]).all():
        said: FloatArray = tree.predict_binned(every, MISSING, 1).take(codes[:, split[0]])
    else:
        said = tree.predict_binned(codes, MISSING, 1)
    return said


def _together(
    splittable: npt.NDArray[np.intp], growth: Growth, generator: np.random.Generator
) -> list[set[int]]:
    """Draw the columns that a tree may split, and say which of them together."""
    count = max(1, round(growth.tried * len(splittable)))
    drawn = set(generator.choice(splittable, count, replace=False).tolist())
    if growth.pairs is None:
        return [drawn]
    pairs = [{*pair} for pair in growth.pairs if drawn.issuperset(pair)]
    return [*pairs, *({column} for column in sorted(drawn))]


def _thresholds(bins: Bins) -> list[FloatArray]:
    return [
        np.arange(len(cuts), dtype=np.float64) if is_category else cuts
        for cuts, is_category in zip(bins.cuts, bins.category, strict=True)
    ]
