"""Tree cuts: where boosted trees split each feature, and which two of them act together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .boosted_trees import Pair
from .encoding import FloatArray


@dataclass(frozen=True)
class TreeCuts:
    """Thresholds of boosted trees.

    Attributes
    ----------
    single : tuple of ndarray of float64
        Per column, every finite threshold, ascending.
    pairs : mapping of (int, int) to (ndarray, ndarray)
        For each two columns that a leaf depends on, the thresholds on the way to such leaves.
    """

    single: tuple[FloatArray, ...]
    pairs: Mapping[Pair, tuple[FloatArray, FloatArray]]


def tree_cuts(estimator: Any, columns: int) -> TreeCuts:
    """Read the thresholds of fitted ``BoostedTrees``; other estimators have none.

    Parameters
    ----------
    estimator : classifier
    columns : int
        Number of columns that it was fitted on.

    Raises
    ------
    ValueError
        A leaf depends on more than two columns.
    """
    single: list[set[float]] = [set() for _ in range(columns)]
    pairs: dict[Pair, tuple[set[float], set[float]]] = {}
    for tree in getattr(estimator, "trees_", []):
        for splits in _ways_to_leaves(tree.nodes):
            for column, cuts in splits.items():
                single[column] |= cuts
            if len(splits) > 2:
                raise ValueError(
                    f"a tree joins {len(splits)} features: only sums of single features and pairs "
                    "can be compiled"
                )
            if len(splits) == 2:
                first, second = sorted(splits)
                held = pairs.setdefault((first, second), (set(), set()))
                held[0].update(splits[first])
                held[1].update(splits[second])
    return TreeCuts(
        tuple(_ascending(cuts) for cuts in single),
        {
            pair: (_ascending(first), _ascending(second))
            for pair, (first, second) in sorted(pairs.items())
        },
    )


def _ways_to_leaves(nodes: npt.NDArray[np.void]) -> Iterator[dict[int, set[float]]]:
    """Yield, for each leaf, the columns split on the way to it and their thresholds."""
    left, right = nodes["left"].tolist(), nodes["right"].tolist()
    column, threshold = nodes["feature_idx"].tolist(), nodes["num_threshold"].tolist()
    leaf, category = nodes["is_leaf"].tolist(), nodes["is_categorical"].tolist()
    open_ways: list[tuple[int, dict[int, set[float]]]] = [(0, {})]
    while open_ways:
        at, way = open_ways.pop()
        if leaf[at]:
            yield way
            continue
        split = column[at]
        cut = set() if category[at] else {threshold[at]}
        way = {**way, split: way.get(split, set()) | cut}
        open_ways += [(int(left[at]), way), (int(right[at]), way)]


def _ascending(cuts: set[float]) -> FloatArray:
    # A threshold of infinity parts missing values from all others.
    return np.array(sorted(cut for cut in cuts if np.isfinite(cut)), dtype=np.float64)
