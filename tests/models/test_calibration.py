"""Calibration: an honest, strictly increasing map from margin to probability."""

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
    fit_logistic_line,
)


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


def test_a_calibration_survives_json() -> None:
    calibration = Calibration(slope=0.7, intercept=-1.25)
    assert Calibration.from_dict(calibration.to_dict()) == calibration
