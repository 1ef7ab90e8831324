"""Unlimited trees on disk: arrays out, and in again only where they are trees."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .encoding import Encoding
from .unlimited_trees import LEAF, UnlimitedTrees

MOST_LEAVES = 32
"""Of a tree; a candidate's have 16."""

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


def trees_to_arrays(trees: UnlimitedTrees | None) -> dict[str, npt.NDArray[Any]]:
    """Return plain arrays for an ``npz`` file; none of no trees."""
    if trees is None:
        return {}
    return {f"tree_{name}": getattr(trees, name) for name in _TYPES}


def trees_from_arrays(arrays: Mapping[str, npt.NDArray[Any]], encoding: Encoding) -> UnlimitedTrees:
    """Read what ``trees_to_arrays`` gave.

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
    trees = UnlimitedTrees(**kept)
    _check_nodes(trees)
    _check_splits(trees, encoding)
    return trees


def _check_nodes(trees: UnlimitedTrees) -> None:
    """Refuse nodes that do not make trees: each but the roots has one parent, which comes first."""
    count = len(trees.feature)
    of_nodes = (trees.cut, trees.missing_left, trees.left, trees.right, trees.value, trees.cover)
    lengths = {len(array) for array in (*of_nodes, trees.level_counts)}
    if not count or lengths != {count} or not len(trees.roots) or trees.roots[0] != 0:
        raise ValueError("the compiled model's trees do not belong together")
    nodes = np.arange(count)
    split = trees.feature != LEAF
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
    split = trees.feature != LEAF
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
