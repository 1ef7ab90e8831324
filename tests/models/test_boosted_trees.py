"""Boosted trees see bins of rows, heed weights, and grow only on what they may split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from leadlight.models.bins import MISSING, Bins
from leadlight.models.boosted_trees import BoostedTrees
from leadlight.models.tree_cuts import tree_cuts

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(3000, 4))
X[:, 3] = GENERATOR.integers(0, 5, 3000)
X[GENERATOR.random(3000) < 0.1, 1] = np.nan
WON = GENERATOR.random(3000) < 1.0 / (1.0 + np.exp(-2.0 * X[:, 0] - (X[:, 3] == 2)))


def _trees(**settings: object) -> BoostedTrees:
    usual = {
        "category": (3,),
        "pairs": (),
        "directions": (0, 0, 0, 0),
        "max_iter": 60,
        "max_leaf_nodes": 6,
        "max_features": 1.0,
        "min_samples_leaf": 20,
        "random_state": 0,
    }
    return BoostedTrees(**usual | settings)


def _columns_joined(model: BoostedTrees) -> set[tuple[int, int]]:
    return set(tree_cuts(model, X.shape[1]).pairs)


def test_margins_are_those_of_scikit_learns_own_boosting():
    few_values = np.round(X, 1)  # so that both cut between all of them
    ours = _trees(pairs=None, max_leaf_nodes=16).fit(few_values, WON)
    theirs = HistGradientBoostingClassifier(
        max_iter=60,
        max_leaf_nodes=16,
        l2_regularization=1.0,
        categorical_features=[3],
        early_stopping=False,
    ).fit(few_values, WON)
    np.testing.assert_allclose(
        ours.decision_function(few_values), theirs.decision_function(few_values), atol=1e-5
    )


def test_only_pairs_that_are_asked_for_are_joined():
    assert _columns_joined(_trees().fit(X, WON)) == set()
    assert _columns_joined(_trees(pairs=((0, 3),)).fit(X, WON)) == {(0, 3)}


def test_the_same_seed_grows_the_same_trees_and_another_seed_others():
    one, again, other = (
        _trees(max_features=0.5, random_state=seed).fit(X, WON).decision_function(X)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0


def test_the_probability_is_on_the_weighted_share_of_wins():
    weight = np.where(WON, 3.0, 1.0)
    margin = _trees().fit(X, WON, sample_weight=weight).decision_function(X)
    promised = np.average(1.0 / (1.0 + np.exp(-margin)), weights=weight)
    assert promised == pytest.approx(np.average(WON, weights=weight), abs=0.01)


def test_margins_on_the_way_are_those_of_shorter_fits():
    longest = _trees(max_features=0.5).fit(X, WON)
    for steps, margin in longest.margins_after(X, (10, 60)).items():
        shorter = _trees(max_features=0.5, max_iter=steps).fit(X, WON)
        np.testing.assert_array_equal(margin, shorter.decision_function(X))


def test_where_nothing_can_be_split_each_lead_has_the_share_of_wins():
    alike = np.column_stack([np.ones(100), np.full(100, np.nan)])
    won = np.arange(100) < 20
    model = _trees(category=(), directions=(0, 0)).fit(alike, won)
    np.testing.assert_allclose(model.decision_function(alike), np.log(20 / 80))


def test_a_level_that_was_not_there_counts_as_missing():
    bins = Bins.of(np.array([[0.0], [7.0], [np.nan]]), (0,))
    new = np.array([[7.0], [3.0], [np.nan], [1999.0]])
    assert bins.codes(new)[:, 0].tolist() == [1, MISSING, MISSING, MISSING]


@given(
    st.lists(st.floats(-1e100, 1e100) | st.sampled_from([0.0, -0.0, 1.0, np.nan]), min_size=1),
    st.integers(1, 60),
)
def test_a_value_lies_in_the_bin_between_its_cuts(values: list[float], times: int):
    column = np.repeat(values, times)[:, None]
    bins = Bins.of(column, ())
    (cuts,) = bins.cuts
    codes = bins.codes(column)[:, 0]
    assert len(cuts) < MISSING
    for value, code in zip(column[:, 0], codes.tolist(), strict=True):
        if np.isnan(value):
            assert code == MISSING
        else:
            assert code == int((cuts < value).sum())


def test_bins_of_many_values_hold_about_equally_many_rows():
    column = GENERATOR.exponential(size=(50_000, 1))
    counts = np.bincount(Bins.of(column, ()).codes(column)[:, 0], minlength=255)[:255]
    assert counts.min() > 0.5 * 50_000 / 255
    assert counts.max() < 2.0 * 50_000 / 255
