"""Categories of many levels become the share of wins at the level, without their own labels."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from leadlight.models.target_encoding import OWN_LEVELS, TargetLevels, high_cardinality


def matrix_of(levels, rows=6000, seed=0):
    generator = np.random.default_rng(seed)
    city = generator.integers(0, levels, rows).astype(float)
    return np.column_stack([generator.normal(size=rows), city, generator.integers(0, 3, rows)])


def test_only_categories_of_many_levels_are_target_encoded():
    row = np.arange(500.0)
    matrix = np.column_stack([row % (OWN_LEVELS + 1), row % OWN_LEVELS])
    matrix[::7] = np.nan
    assert high_cardinality(matrix, [0, 1]) == (0,)
    assert high_cardinality(matrix, [1]) == ()


def test_other_columns_and_the_order_stay():
    matrix = matrix_of(100)
    won = np.arange(len(matrix)) % 5 == 0
    levels = TargetLevels((1,))
    shown = levels.fit_transform(matrix, won, np.arange(len(won)))
    later = levels.transform(matrix)
    for encoded in (shown, later):
        np.testing.assert_array_equal(encoded[:, [0, 2]], matrix[:, [0, 2]])
        assert not np.array_equal(encoded[:, 1], matrix[:, 1])


def test_no_columns_leave_the_matrix_as_it_is():
    matrix = matrix_of(10)
    levels = TargetLevels(())
    assert levels.fit_transform(matrix, matrix[:, 0] > 0, np.arange(len(matrix))) is matrix
    assert levels.transform(matrix) is matrix


def test_a_level_is_the_share_of_its_wins_drawn_towards_the_mean():
    matrix = np.repeat([0.0, 1.0, np.nan], [100, 20, 80])[:, None]
    won = np.concatenate([np.arange(100) < 10, np.arange(20) < 20, np.arange(80) < 20])
    levels = TargetLevels((0,)).fit(matrix, won, np.arange(len(won)))
    mean = 50 / 200
    shares = levels.transform(np.array([[0.0], [1.0], [np.nan], [7.0]]))[:, 0]
    expected = [(10 + 20 * mean) / 120, (20 + 20 * mean) / 40, (20 + 20 * mean) / 100, mean]
    np.testing.assert_allclose(shares, expected)


def test_training_rows_do_not_see_their_own_labels():
    matrix, won = matrix_of(1500), np.random.default_rng(1).random(6000) < 0.2
    levels = TargetLevels((1,))
    honest = levels.fit_transform(matrix, won, np.arange(len(won)))[:, 1]
    assert roc_auc_score(won, levels.transform(matrix)[:, 1]) > 0.7
    assert abs(roc_auc_score(won, honest) - 0.5) < 0.04


def test_a_lead_that_recurs_does_not_see_its_label_at_its_other_snapshots():
    generator = np.random.default_rng(0)
    lead = np.repeat(np.arange(1000), 6)
    city = (lead // 2).astype(float)
    won = (generator.random(1000) < 0.3)[lead]
    levels = TargetLevels((0,))
    told = levels.fit_transform(city[:, None], won, np.arange(len(won)))[:, 0]
    honest = levels.fit_transform(city[:, None], won, groups=lead)[:, 0]
    assert roc_auc_score(won, told) > 0.8
    assert roc_auc_score(won, honest) < 0.55


def test_the_same_rows_give_the_same_shares():
    matrix, won = matrix_of(300), np.random.default_rng(1).random(6000) < 0.2
    first, again = (
        TargetLevels((1,)).fit_transform(matrix, won, np.arange(len(won))) for _ in range(2)
    )
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("wins", [2, 3])
def test_a_handful_of_wins_is_enough(wins):
    matrix = matrix_of(100, rows=400)
    won = np.arange(400) < wins
    shares = TargetLevels((1,)).fit_transform(matrix, won, np.arange(len(won)))[:, 1]
    assert ((shares > 0.0) & (shares < 1.0)).all()
