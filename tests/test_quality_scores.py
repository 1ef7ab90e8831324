"""Scores of bench-quality: who wins is a matter of intervals, and chance is no miscalibration."""

import numpy as np
import pytest
from quality_scores import RESAMPLES, log_loss_difference, score, verdict

from leadlight.models.bootstrap import Estimate


def world(rows=3_000, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.beta(1.0, 3.0, rows)
    return truth, rng.random(rows) < truth


def test_difference_and_interval_agree_with_a_loop_over_drawn_leads():
    truth, won = world(rows=60)
    codes = np.repeat(np.arange(20), 3)
    theirs = np.full(60, won.mean())
    found = log_loss_difference(truth, theirs, won, codes, seed=5)

    def loss(probability, row):
        return -np.log(probability[row] if won[row] else 1.0 - probability[row])

    drawn = []
    rng = np.random.default_rng(5)
    for _ in range(RESAMPLES):
        gaps = []
        for lead in rng.integers(0, 20, 20):
            gaps += [loss(truth, row) - loss(theirs, row) for row in np.flatnonzero(codes == lead)]
        drawn.append(np.mean(gaps))
    assert found.value == pytest.approx(
        np.mean([loss(truth, row) - loss(theirs, row) for row in range(60)])
    )
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


def test_repeated_rows_of_a_lead_add_no_certainty():
    truth, won = world(rows=400)
    theirs = np.full(400, won.mean())
    once = log_loss_difference(truth, theirs, won, np.arange(400), seed=1)
    copies = [np.repeat(each, 5) for each in (truth, theirs, won, np.arange(400))]
    five_times = log_loss_difference(*copies, seed=1)
    assert (five_times.low, five_times.high) == pytest.approx((once.low, once.high))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.2, -0.1, "win"),
        (0.1, 0.2, "loss"),
        (-0.1, 0.1, "tie"),
        (-0.1, 0.0, "tie"),
        (np.nan, np.nan, "tie"),
    ],
)
def test_only_an_interval_on_one_side_of_zero_decides(low, high, expected):
    assert verdict(Estimate((low + high) / 2, low, high)) == expected


def test_the_truth_wins_against_noise_and_loses_to_nobody():
    truth, won = world()
    noisy = np.clip(truth + np.random.default_rng(9).normal(0.0, 0.2, len(truth)), 0.01, 0.99)
    alone = np.arange(len(truth))
    assert verdict(log_loss_difference(truth, noisy, won, alone, seed=0)) == "win"
    assert verdict(log_loss_difference(noisy, truth, won, alone, seed=0)) == "loss"
    assert verdict(log_loss_difference(truth, truth, won, alone, seed=0)) == "tie"


def test_calibration_error_of_the_truth_is_chance_alone():
    excesses = [score(*world(seed=seed), seed=0).ece_excess for seed in range(10)]
    assert np.mean(excesses) < 0.004


def test_calibration_error_beyond_chance_finds_a_shifted_level():
    truth, won = world()
    shifted = score(np.clip(truth + 0.1, 0.0, 1.0), won, seed=0)
    assert shifted.ece_excess == pytest.approx(0.1, abs=0.02)


def test_a_contestant_that_is_sure_and_wrong_gets_a_finite_score():
    won = np.array([True, False] * 20)
    assert np.isfinite(score(np.where(won, 0.0, 0.5), won, seed=0).log_loss)
