"""Rows that teach: every win, and of many losses as many as add anything."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from leadlight.models.lesson import Lesson, enough_rows, stood_for


def _labels(wins: int, losses: int, seed: int = 0) -> np.ndarray:
    won = np.repeat([True, False], [wins, losses])
    return np.random.default_rng(seed).permutation(won)


@given(wins=st.integers(0, 3_000), losses=st.integers(0, 90_000), seed=st.integers(0, 9))
def test_every_win_teaches_and_the_losses_stand_for_all(wins: int, losses: int, seed: int) -> None:
    won = _labels(wins, losses)
    rows = enough_rows(won, seed=seed)
    weight = stood_for(won, rows)
    if wins <= losses:
        assert won[rows].sum() == wins
        assert (weight[won[rows]] == 1.0).all()
    assert weight.sum() == pytest.approx(len(won))
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(rows, enough_rows(won, seed=seed))


@pytest.mark.parametrize(("wins", "losses"), [(300, 19_700), (5_000, 60_000), (30_000, 30_000)])
def test_nothing_is_left_out_of_few_rows_or_where_wins_are_common(wins: int, losses: int) -> None:
    rows = enough_rows(_labels(wins, losses), seed=0)
    assert len(rows) == wins + losses


def test_twenty_losses_a_win_remain_of_very_many() -> None:
    won = _labels(2_000, 200_000)
    assert len(enough_rows(won, seed=0)) == 21 * 2_000


def test_a_leaner_lesson_teaches_the_same_odds_and_the_same_level() -> None:
    random = np.random.default_rng(3)
    matrix = random.normal(size=(200_000, 2))
    won = random.random(len(matrix)) < expit(logit(0.004) + matrix @ [1.0, -0.5])
    lesson = Lesson(matrix, won, np.ones(len(won)), np.arange(len(won)))
    rows = enough_rows(won, seed=0)
    leaner = replace(lesson.taken(rows), weight=stood_for(won, rows))
    assert len(leaner.won) < 0.2 * len(won)

    def odds(of: Lesson) -> np.ndarray:
        fitted = LogisticRegression(C=1e6).fit(of.matrix, of.won, of.weight)
        return np.array([*fitted.coef_[0], *fitted.intercept_])

    error = 1.0 / np.sqrt(won.sum())  # of a coefficient, about
    assert odds(leaner) == pytest.approx(odds(lesson), abs=error)
    promised = expit(matrix @ odds(leaner)[:2] + odds(leaner)[2])
    assert promised.mean() == pytest.approx(won.mean(), rel=0.02)
