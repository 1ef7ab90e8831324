"""Smoothed isotonic calibration, against worlds whose true link is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadlight.models.calibration import Calibration, calibrate
from leadlight.models.isotonic import LEAST_WINS_PER_KNOT, smoothed_isotonic


def saturating(margin: np.ndarray) -> np.ndarray:
    """Wins stop rising where sales cannot serve more leads."""
    return 0.02 + 0.4 * expit(2.5 * (margin + 1.0))


def world(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    margin = rng.normal(-1.0, 1.5, rows)
    return margin, rng.random(rows) < saturating(margin)


def log_loss_beyond_truth(calibration: Calibration) -> float:
    margin = np.random.default_rng(99).normal(-1.0, 1.5, 50_000)
    truth, promised = saturating(margin), calibration.probability(margin)
    return float(
        np.mean(
            truth * np.log(truth / promised) + (1 - truth) * np.log((1 - truth) / (1 - promised))
        )
    )


def test_a_link_that_is_no_sigmoid_is_found_and_the_better_the_more_rows() -> None:
    far = []
    for rows in (2000, 20_000, 200_000):
        margin, label = world(rows)
        line = calibrate(margin, label)
        bent = smoothed_isotonic(margin, label, line)
        far.append(log_loss_beyond_truth(bent))
        assert far[-1] < 0.5 * log_loss_beyond_truth(line)
    assert far[2] < 0.3 * min(far[:2])
    assert far[2] < 1e-4


@given(
    rows=st.integers(2, 400),
    seed=st.integers(0, 1000),
    decimals=st.integers(0, 8),
    spread=st.sampled_from([0.01, 1.0, 20.0]),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_rows_the_map_rises_strictly(
    rows: int, seed: int, decimals: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    margin = np.round(rng.normal(0.0, spread, rows), decimals)
    label = rng.random(rows) < rng.random(rows)
    label[:2] = [True, False]
    bent = smoothed_isotonic(margin, label, calibrate(margin, label))
    distinct = np.unique(margin)
    if len(distinct) > 1 and np.diff(distinct).min() > 1e-9:
        assert (np.diff(bent.log_odds(distinct)) > 0.0).all()


def test_each_knot_rests_on_enough_wins_and_losses() -> None:
    margin, label = world(3000)
    bent = smoothed_isotonic(margin, label, calibrate(margin, label))
    assert 2 <= len(bent.knots) <= min(label.sum(), (~label).sum()) / LEAST_WINS_PER_KNOT


def test_the_mean_probability_is_the_base_rate() -> None:
    margin, label = world(5000)
    bent = smoothed_isotonic(margin, label, calibrate(margin, label))
    assert bent.probability(margin).mean() == pytest.approx(label.mean(), abs=1e-9)


def test_a_plateau_continues_beyond_the_outermost_pools() -> None:
    margin, label = world(20_000)
    line = calibrate(margin, label)
    bent = smoothed_isotonic(margin, label, line)
    highest = float(margin.max())
    assert bent.knots[0][0] == margin.min()
    assert bent.knots[-1][0] == highest
    truth = float(saturating(np.array(highest)))
    assert line.probability(highest) > truth + 0.4
    assert truth - 0.15 < bent.probability(highest) < truth + 0.15


def test_too_few_wins_leave_the_line_as_it_is() -> None:
    margin, label = world(60)
    line = calibrate(margin, label)
    assert smoothed_isotonic(margin, label, line) == line


def test_leads_of_one_margin_are_one_pool() -> None:
    margin, label = np.zeros(1000), np.arange(1000) < 300
    line = calibrate(margin, label)
    assert smoothed_isotonic(margin, label, line) == line


def test_margins_that_contradict_the_labels_leave_one_pool_and_so_the_line() -> None:
    margin = np.linspace(-3.0, 3.0, 4000)
    label = np.random.default_rng(0).random(4000) < expit(-2.0 * margin)
    line = calibrate(margin, label)
    assert smoothed_isotonic(margin, label, line) == line


def test_the_order_of_the_rows_does_not_matter() -> None:
    margin, label = world(2000)
    line = calibrate(margin, label)
    order = np.random.default_rng(2).permutation(2000)
    at = np.linspace(-6.0, 4.0, 200)
    np.testing.assert_allclose(
        smoothed_isotonic(margin[order], label[order], line).log_odds(at),
        smoothed_isotonic(margin, label, line).log_odds(at),
        atol=1e-9,
    )
