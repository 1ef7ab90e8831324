"""Interactions: which features act together, beyond what each does alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import logit

from leadlight.features.feature import Feature

from .bins import Bins
from .boosted_trees import Growth, Pair, grown_trees
from .lesson import Lesson
from .target_encoding import TargetLevels, high_cardinality

MOST_PAIRS = 32

_ROWS = 10_000
_TRIED = 30


def interacting_pairs(
    features: Sequence[Feature], lesson: Lesson, *, seed: int
) -> tuple[Pair, ...]:
    """Return at most 32 pairs of features, strongest first.

    What an additive model leaves unexplained is learned by trees of two splits; a pair is as strong
    as the gains of its second splits under a first one on the other feature.

    Parameters
    ----------
    features : sequence of Feature, k of them
    lesson : Lesson of shape (n, k)
        Some 10,000 rows, evenly spread, are looked at.
    seed : int

    References
    ----------
    Friedman & Popescu (2008), Predictive learning via rule ensembles, section 8.1, on what an
    interaction is; Lou et al. (KDD 2013) on choosing pairs from an additive model's residuals.
    """
    rows = lesson.thinned(_ROWS)
    category = [at for at, feature in enumerate(features) if feature.kind == "category"]
    many = high_cardinality(rows.matrix, category)
    category = [at for at in category if at not in many]
    matrix = TargetLevels(many).fit_transform(rows.matrix, rows.won, groups=rows.cluster)
    bins = Bins.of(matrix, category)
    codes = bins.codes(matrix)
    alone = Growth(
        trees=40,
        leaves=6,
        tried=tried_share(len(features)),
        least_leaf=max(20, len(rows.won) // 200),
        pairs=(),
        directions=(0,) * len(features),
    )
    together = replace(alone, trees=80, leaves=4, depth=2, pairs=None)
    margin = np.full(len(rows.won), logit(np.average(rows.won, weights=rows.weight)))
    for growth in (alone, together):
        trees, margin = grown_trees(codes, bins, rows.won, rows.weight, margin, growth, seed=seed)
    strength = _second_split_gains(trees)
    ranked = sorted(strength, key=lambda pair: (-strength[pair], pair))
    return tuple(ranked[:MOST_PAIRS])


def tried_share(features: int) -> float:
    """Return which random share of features trees try at each split: half of few, less of many."""
    return float(np.clip(_TRIED / features, 0.1, 0.5))


def _second_split_gains(trees: Sequence[Any]) -> dict[Pair, float]:
    strength: dict[Pair, float] = {}
    for tree in trees:
        root = tree.nodes[0]
        if root["is_leaf"]:
            continue
        first = int(root["feature_idx"])
        for child in (tree.nodes[root["left"]], tree.nodes[root["right"]]):
            second = int(child["feature_idx"])
            if not child["is_leaf"] and second != first:
                pair = (min(first, second), max(first, second))
                strength[pair] = strength.get(pair, 0.0) + float(child["gain"])
    return strength
