"""Tree reading: fitted boosted trees without limits become plain arrays over encoded features."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from .bins import MISSING
from .encoding import Encoding
from .unlimited_trees import LEAF, UnlimitedTrees, joined_trees


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


def _read(tree: Any, codes: Mapping[int, npt.NDArray[np.uint8]]) -> UnlimitedTrees:
    """Read one tree of scikit-learn's; of a category, ask each level for its side."""
    nodes = tree.nodes
    leaf = nodes["is_leaf"].astype(bool)
    feature = np.where(leaf, LEAF, nodes["feature_idx"]).astype(np.int64)
    category = np.isin(feature, list(codes))
    missing_left = nodes["missing_go_to_left"].astype(bool) & ~leaf
    levels: list[npt.NDArray[np.int64]] = []
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
        left=np.where(leaf, LEAF, nodes["left"].astype(np.int64)),
        right=np.where(leaf, LEAF, nodes["right"].astype(np.int64)),
        value=np.where(leaf, nodes["value"], 0.0),
        cover=nodes["count"].astype(np.float64),
        level_counts=np.array([len(each) for each in levels], dtype=np.int64),
        levels=np.concatenate(levels),
    )


def _sides(tree: Any, node: Any, codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Whether each level's bin goes left."""
    if node["is_categorical"]:
        words = tree.binned_left_cat_bitsets[node["bitset_idx"]]
        left = (words[codes // 32] >> (codes % 32).astype(words.dtype) & 1).astype(bool)
    else:
        left = codes <= node["bin_threshold"]
    return np.where(codes == MISSING, bool(node["missing_go_to_left"]), left)
