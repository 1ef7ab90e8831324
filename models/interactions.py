"""Interactions: which features act together, beyond what each does alone."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from leadlight.features.feature import Feature

from .lesson import Lesson
from .row_bins import BoostedClassifier, BoostedRegressor
from .target_encoding import TargetLevels, high_cardinality
from .tree_columns import Pair, interaction_groups, tree_columns

MOST_PAIRS = 32

_ROWS = 10_000
_TRIED = 30


def interacting_pairs(
    features: Sequence[Feature], lesson: Lesson, *, seed: int
) -> tuple[Pair, ...]:
    """Return at most 32 pairs of features, strongest first.

    What an additive model leaves unexplained (its Newton residuals) is fitted by trees of two
    splits; a pair is as strong as the gains of its second splits under a first one on the other
    feature.

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
    common = {
        "categorical_features": category or None,
        "early_stopping": False,
        "random_state": seed,
        "max_features": tried_share(len(features)),
        "min_samples_leaf": max(20, len(rows.won) // 200),
    }
    alone = BoostedClassifier(
        interaction_cst=interaction_groups(len(features), category, ()),
        max_iter=40,
        max_leaf_nodes=6,
        **common,
    ).fit(matrix, rows.won, sample_weight=rows.weight)
    chance = expit(alone.decision_function(matrix))
    spread = np.maximum(chance * (1.0 - chance), 1e-6)
    trees = BoostedRegressor(max_iter=80, max_leaf_nodes=4, max_depth=2, **common).fit(
        matrix, (rows.won - chance) / spread, sample_weight=rows.weight * spread
    )
    strength = _second_split_gains(trees, category, len(features))
    ranked = sorted(strength, key=lambda pair: (-strength[pair], pair))
    return tuple(ranked[:MOST_PAIRS])


def tried_share(features: int) -> float:
    """Return which random share of features trees try at each split: half of few, less of many."""
    return float(np.clip(_TRIED / features, 0.2, 0.5))


def _second_split_gains(
    trees: BoostedRegressor, category: Sequence[int], count: int
) -> dict[Pair, float]:
    order = tree_columns(count, category)
    strength: dict[Pair, float] = {}
    for (tree,) in trees._predictors:
        root = tree.nodes[0]
        if root["is_leaf"]:
            continue
        first = order[root["feature_idx"]]
        for child in (tree.nodes[root["left"]], tree.nodes[root["right"]]):
            second = order[child["feature_idx"]]
            if not child["is_leaf"] and second != first:
                pair = (min(first, second), max(first, second))
                strength[pair] = strength.get(pair, 0.0) + float(child["gain"])
    return strength
