"""Calibration: an honest, strictly increasing map from margin to probability."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.calibration import _SigmoidCalibration
from sklearn.linear_model import LogisticRegression

from leadlight.features.errors import NotEnoughDataError
from leadlight.models.calibration import (
    SMALLEST_SLOPE,
    Calibration,
    calibrate,
)
from leadlight.models.log_odds import fit_logistic_line, level_shift


def drawn(seed: int = 0, rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    margin = rng.normal(-2.0, 1.5, rows)
    return margin, rng.random(rows) < expit(0.6 * margin + 0.4)


def test_the_true_slope_and_intercept_are_found() -> None:
    margin, label = drawn(rows=200_000)
    found = calibrate(margin, label)
    assert found.slope == pytest.approx(0.6, abs=0.02)
    assert found.intercept == pytest.approx(0.4, abs=0.03)


def test_it_is_platts_sigmoid_as_scikit_learn_fits_it() -> None:
    margin, label = drawn(rows=300)
    peer = _SigmoidCalibration().fit(margin, label.astype(float))
    np.testing.assert_allclose(
        calibrate(margin, label).probability(margin), peer.predict(margin), atol=1e-4
    )


def test_the_line_is_an_unpenalised_logistic_regression() -> None:
    margin, label = drawn()
    line = fit_logistic_line(margin, label)
    peer = LogisticRegression(C=np.inf, tol=1e-10).fit(margin[:, None], label)
    assert line.converged
    assert (line.slope, line.intercept) == pytest.approx(
        (peer.coef_[0, 0], peer.intercept_[0]), abs=1e-5
    )


@given(
    rows=st.lists(st.tuples(st.floats(-30, 30), st.booleans()), min_size=2, max_size=60),
    scale=st.sampled_from([1e-6, 1.0, 1e4]),
)
@settings(max_examples=200, deadline=None)
def test_any_window_with_both_labels_gives_a_finite_increasing_map(
    rows: list[tuple[float, bool]], scale: float
) -> None:
    margin = np.array([margin for margin, _ in rows]) * scale
    label = np.array([label for _, label in rows])
    if label.all() or not label.any():
        return
    found = calibrate(margin, label)
    assert found.slope > 0.0
    assert np.isfinite([found.slope, found.intercept]).all()
    assert (np.diff(found.probability(np.sort(margin))) >= 0.0).all()


def test_the_mean_probability_is_the_base_rate() -> None:
    margin, label = drawn()
    assert calibrate(margin, label).probability(margin).mean() == pytest.approx(
        label.mean(), abs=1e-3
    )


def test_a_window_that_contradicts_the_model_keeps_the_order_and_the_level() -> None:
    margin, label = drawn()
    found = calibrate(margin, ~label)
    assert found.slope == SMALLEST_SLOPE
    assert found.probability(margin).mean() == pytest.approx(1.0 - label.mean(), abs=1e-3)


@pytest.mark.parametrize("spread", [0.0, 1e-300, 1e-12])
def test_constant_margins_give_the_base_rate(spread: float) -> None:
    label = np.arange(1000) < 100
    found = calibrate(3.0 + spread * np.arange(1000), label)
    assert found.probability(np.array([3.0]))[0] == pytest.approx(0.1, abs=2e-3)


@pytest.mark.parametrize("label", [[True, True], [False, False], []])
def test_a_window_of_one_label_is_refused_with_its_counts(label: list[bool]) -> None:
    with pytest.raises(NotEnoughDataError, match=f"{sum(label)} won of {len(label)}"):
        calibrate(np.zeros(len(label)), np.array(label, dtype=bool))


def test_separated_labels_have_no_finite_line() -> None:
    assert not fit_logistic_line([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 1]).converged
    assert not fit_logistic_line([0.0, 1.0, 1.0, 3.0], [1, 1, 0, 0]).converged
    assert fit_logistic_line([0.0, 1.0, 2.0, 3.0], [0, 1, 0, 1]).converged


def test_the_line_of_a_million_rows_takes_no_more_steps_than_that_of_a_thousand() -> None:
    margin, label = drawn(rows=1000)
    few = fit_logistic_line(margin, label)
    many = fit_logistic_line(np.tile(margin, 300), np.tile(label, 300))
    assert (many.slope, many.intercept) == pytest.approx((few.slope, few.intercept), abs=1e-9)


@given(shift=st.floats(-6.0, 6.0), rows=st.integers(2, 200), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_level_shift_makes_the_mean_probability_the_wanted_share(
    shift: float, rows: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    log_odds, weight = rng.normal(0.0, 2.0, rows), rng.random(rows) + 0.01
    target = expit(log_odds + shift)
    assert level_shift(log_odds, target, weight) == pytest.approx(shift, abs=1e-8)


BENT = Calibration(slope=0.5, intercept=0.25, knots=((-2.0, -3.0), (0.0, -2.5), (1.0, 1.0)))


def test_knots_are_met_joined_by_straight_lines_and_left_along_the_slope() -> None:
    found = BENT.log_odds([-4.0, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0])
    assert found - BENT.intercept == pytest.approx([-4.0, -3.0, -2.75, -2.5, -0.75, 1.0, 2.0])


@given(
    slope=st.floats(SMALLEST_SLOPE, 10.0),
    steps=st.lists(st.tuples(st.floats(1e-3, 5.0), st.floats(1e-3, 5.0)), min_size=2, max_size=8),
    margin=st.lists(st.floats(-50.0, 50.0), min_size=2, max_size=40),
    by=st.floats(-5.0, 5.0),
)
@settings(max_examples=200, deadline=None)
def test_any_calibration_keeps_the_order_of_the_margins_on_any_level(
    slope: float, steps: list[tuple[float, float]], margin: list[float], by: float
) -> None:
    at, wanted = np.cumsum(np.array(steps), axis=0).T - 5.0
    knots = tuple(zip(at.tolist(), wanted.tolist(), strict=True))
    bent = Calibration(slope, 0.0, knots).shifted(by)
    distinct = np.unique(np.round(margin, 6))
    assert (np.diff(bent.log_odds(distinct)) > 0.0).all()
    assert (np.diff(bent.probability(distinct)) >= 0.0).all()


@pytest.mark.parametrize(
    ("slope", "knots"),
    [
        (0.0, ()),
        (-1.0, ()),
        (float("nan"), ()),
        (1.0, ((0.0, 0.0), (1.0, 0.0))),
        (1.0, ((0.0, 0.0), (0.0, 1.0))),
        (1.0, ((0.0, 0.0), (1.0, float("nan")))),
    ],
)
def test_a_map_that_does_not_rise_is_no_calibration(
    slope: float, knots: tuple[tuple[float, float], ...]
) -> None:
    with pytest.raises(ValueError, match="strictly increasing"):
        Calibration(slope, 0.0, knots)


def test_a_shift_moves_all_log_odds_alike() -> None:
    margin = np.linspace(-5.0, 5.0, 101)
    for calibration in (BENT, Calibration(0.7, -1.25)):
        moved = calibration.shifted(0.4).log_odds(margin) - calibration.log_odds(margin)
        assert moved == pytest.approx(np.full(101, 0.4))


@pytest.mark.parametrize("calibration", [Calibration(slope=0.7, intercept=-1.25), BENT])
def test_a_calibration_survives_json(calibration: Calibration) -> None:
    assert Calibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration


def test_a_line_of_an_older_leadlight_is_read() -> None:
    assert Calibration.from_dict({"slope": 0.7, "intercept": -1.25}) == Calibration(0.7, -1.25)


def test_a_level_that_may_move_gives_the_mean_over_where_it_may_be() -> None:
    calibration = Calibration(1.3, -1.0, ((-1.0, -2.0), (1.0, 1.0)))
    margin = np.linspace(-2.0, 3.0, 41)
    level = np.random.default_rng(0).normal(0.0, 0.8, 20_000)
    mean = expit(calibration.log_odds(margin)[:, None] + level).mean(axis=1)
    assert calibration.unsure(0.8).probability(margin) == pytest.approx(mean, abs=0.02)
    assert calibration.unsure(0.0) == calibration
