"""Evaluation against scikit-learn's weighted metrics, and against what an interval must hold."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from leadlight.features.errors import NotEnoughDataError
from leadlight.models.bootstrap import resampled_weights
from leadlight.models.evaluation import evaluate
from leadlight.models.ranking import FIGURES, rank_leads


def world(rows: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probability = rng.beta(1.0, 8.0, rows)
    return probability, rng.random(rows) < probability, rng.integers(0, rows // 3, rows)


def weighted_figures(
    probability: np.ndarray, label: np.ndarray, weights: np.ndarray
) -> dict[str, float]:
    ranked = rank_leads(probability, label, np.arange(len(label)))
    order = np.argsort(-probability, kind="stable")
    return dict(zip(FIGURES, ranked.figures(weights[None, order])[:, 0], strict=True))


@given(seed=st.integers(0, 10_000), decimals=st.integers(1, 6), rows=st.integers(30, 300))
@settings(max_examples=60, deadline=None)
def test_weighted_figures_are_those_of_scikit_learn_with_and_without_ties(
    seed: int, decimals: int, rows: int
) -> None:
    rng = np.random.default_rng(seed)
    probability = np.clip(np.round(rng.beta(1.0, 3.0, rows), decimals), 1e-6, 1 - 1e-6)
    label = rng.random(rows) < probability
    label[:2] = [True, False]
    weights = rng.integers(0, 4, rows).astype(float)
    weights[:2] = 1.0
    found = weighted_figures(probability, label, weights)
    assert found["auc"] == pytest.approx(roc_auc_score(label, probability, sample_weight=weights))
    assert found["average_precision"] == pytest.approx(
        average_precision_score(label, probability, sample_weight=weights)
    )
    assert found["log_loss"] == pytest.approx(log_loss(label, probability, sample_weight=weights))
    assert found["brier"] == pytest.approx(
        brier_score_loss(label, probability, sample_weight=weights)
    )


def test_weights_are_repeated_rows() -> None:
    probability, label, _ = world(400)
    weights = np.random.default_rng(1).integers(0, 3, 400)
    weighted = weighted_figures(probability, label, weights.astype(float))
    repeated = evaluate(
        np.repeat(probability, weights), np.repeat(label, weights), None, seed=0, resamples=0
    )
    for name in ("auc", "average_precision", "log_loss", "brier", "lift_at_10", "base_rate"):
        assert weighted[name] == pytest.approx(getattr(repeated, name).value), name


def test_the_calibration_line_of_a_resample_is_a_weighted_logistic_regression() -> None:
    rng = np.random.default_rng(3)
    probability = rng.beta(1.0, 4.0, 2000)
    label = rng.random(2000) < expit(0.8 * logit(probability) - 0.3)
    for seed in range(5):
        weights = np.random.default_rng(seed).multinomial(2000, np.full(2000, 1 / 2000))
        found = weighted_figures(probability, label, weights.astype(float))
        peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=500).fit(
            logit(probability)[:, None], label, sample_weight=weights
        )
        assert found["calibration_slope"] == pytest.approx(peer.coef_[0, 0], abs=1e-4)
        assert found["calibration_intercept"] == pytest.approx(peer.intercept_[0], abs=1e-4)


def test_lift_shares_out_a_tie_at_the_cut() -> None:
    probability = np.array([0.9] + [0.5] * 18 + [0.1])
    label = np.array([True] + [True, False] * 9 + [False])
    # the top tenth is two leads: the first, and one of the tie, half of which is won
    assert evaluate(probability, label, None, seed=0).lift_at_10.value == pytest.approx(
        (1 + 0.5) / 2 / 0.5
    )


def test_calibration_error_is_the_mean_gap_of_the_bins_that_the_curve_shows() -> None:
    probability, label, cluster = world()
    found = evaluate(probability * 0.5, label, cluster, seed=0)
    assert sum(b.rows for b in found.reliability) == 3000
    assert {b.rows for b in found.reliability} == {300}
    assert found.ece.value == pytest.approx(
        sum(b.rows * abs(b.predicted - b.observed) for b in found.reliability) / 3000
    )
    predicted = [b.predicted for b in found.reliability]
    assert predicted == sorted(predicted)
    assert all(b.low <= b.observed <= b.high for b in found.reliability)


def test_noise_of_calibration_tells_honest_from_dishonest_probabilities() -> None:
    probability, label, cluster = world(20_000)
    honest = evaluate(probability, label, cluster, seed=0)
    bold = evaluate(np.minimum(1.5 * probability, 1.0), label, cluster, seed=0)
    assert honest.ece_noise.low <= honest.ece.value <= honest.ece_noise.high
    assert bold.ece.value > bold.ece_noise.high
    assert honest.calibration_slope.low <= 1.0 <= honest.calibration_slope.high
    assert honest.calibration_intercept.low <= 0.0 <= honest.calibration_intercept.high


def test_intervals_hold_the_true_auc_in_nineteen_of_twenty_worlds() -> None:
    truth_p, truth_y, _ = world(400_000, seed=99)
    truth = roc_auc_score(truth_y, truth_p)
    held = 0
    for seed in range(100):
        probability, label, cluster = world(600, seed)
        auc = evaluate(probability, label, cluster, seed=seed, resamples=100).auc
        held += auc.low <= truth <= auc.high
    assert 88 <= held <= 100


def test_repeated_snapshots_of_a_lead_widen_the_interval_instead_of_narrowing_it() -> None:
    probability, label, _ = world(500)
    once = evaluate(probability, label, np.arange(500), seed=0)
    tenfold = (np.repeat(x, 10) for x in (probability, label, np.arange(500)))
    clustered = evaluate(*tenfold, seed=0)
    naive = evaluate(np.repeat(probability, 10), np.repeat(label, 10), None, seed=0)
    width = lambda e: e.auc.high - e.auc.low  # noqa: E731
    assert width(clustered) == pytest.approx(width(once), rel=1e-9)
    assert width(naive) < 0.5 * width(once)
    assert clustered.leads == 500


def test_missing_cluster_ids_stand_for_themselves() -> None:
    probability, label, _ = world(60)
    cluster = np.array(["a"] * 30 + [None] * 30, dtype=object)
    assert evaluate(probability, label, cluster, seed=0).leads == 31


def test_the_same_seed_gives_the_same_evaluation_and_another_seed_another() -> None:
    probability, label, cluster = world(500)
    assert evaluate(probability, label, cluster, seed=1) == evaluate(
        probability, label, cluster, seed=1
    )
    assert (
        evaluate(probability, label, cluster, seed=1).auc
        != evaluate(probability, label, cluster, seed=2).auc
    )


def test_the_draws_do_not_depend_on_the_blocks_they_come_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes = np.repeat(np.arange(40), 2)
    whole = np.concatenate(list(resampled_weights(codes, resamples=7, seed=0)))
    monkeypatch.setattr("leadlight.models.bootstrap._BLOCK_WEIGHTS", 200)
    blocks = list(resampled_weights(codes, resamples=7, seed=0))
    assert [len(block) for block in blocks] == [2, 2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    assert (whole.sum(axis=1) == 80).all()


def test_the_order_of_the_rows_does_not_matter_without_ties() -> None:
    probability, label, _ = world(300)
    order = np.random.default_rng(5).permutation(300)
    ids = np.array([f"lead {i}" for i in range(300)])
    one = evaluate(probability, label, ids, seed=0, resamples=0)
    other = evaluate(probability[order], label[order], ids[order], seed=0, resamples=0)
    assert one.auc.value == pytest.approx(other.auc.value, abs=1e-12)
    assert one.lift_curve == other.lift_curve


def test_constant_predictions_rank_nothing_and_can_still_be_calibrated() -> None:
    label = np.arange(200) < 40
    found = evaluate(np.full(200, 0.2), label, None, seed=0)
    assert found.auc.value == 0.5
    assert found.lift_at_10.value == pytest.approx(1.0)
    assert found.ece.value == pytest.approx(0.0, abs=1e-12)
    assert len(found.reliability) == 1
    assert math.isnan(found.calibration_slope.value)


@pytest.mark.parametrize("label", [np.zeros(50, dtype=bool), np.ones(50, dtype=bool)])
def test_one_label_leaves_ranking_unknown_as_null_and_never_as_nan(label: np.ndarray) -> None:
    found = evaluate(np.linspace(0.1, 0.9, 50), label, None, seed=0).to_dict()
    json.dumps(found, allow_nan=False)
    assert found["auc"] == {"value": None, "low": None, "high": None}
    assert found["brier"]["value"] is not None
    assert found["calibration_slope"]["value"] is None


def test_separated_labels_have_a_ranking_but_no_calibration_slope() -> None:
    probability = np.concatenate([np.linspace(0.1, 0.4, 30), np.linspace(0.6, 0.9, 30)])
    found = evaluate(probability, probability > 0.5, None, seed=0)
    assert found.auc.value == 1.0
    assert found.to_dict()["calibration_slope"]["value"] is None


def test_a_single_win_survives_the_resamples_without_it() -> None:
    label = np.zeros(100, dtype=bool)
    label[3] = True
    found = evaluate(np.linspace(0.9, 0.01, 100), label, None, seed=0)
    assert 0.0 <= found.auc.low <= found.auc.value <= found.auc.high <= 1.0
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_single_cluster_gives_figures_without_intervals() -> None:
    probability, label, _ = world(100)
    found = evaluate(probability, label, np.zeros(100), seed=0)
    assert math.isfinite(found.auc.value)
    assert math.isnan(found.auc.low)


def test_probabilities_of_nought_and_one_stay_finite() -> None:
    found = evaluate([0.0, 1.0, 0.0, 1.0, 0.5], [0, 1, 1, 0, 1], None, seed=0)
    assert math.isfinite(found.log_loss.value)
    assert math.isfinite(found.calibration_slope.value)


def test_the_lift_curve_ends_with_all_leads_and_all_wins() -> None:
    probability, label, cluster = world()
    curve = evaluate(probability, label, cluster, seed=0).lift_curve
    assert (curve[-1].share, curve[-1].lift, curve[-1].gain) == pytest.approx((1.0, 1.0, 1.0))
    assert all(a.gain <= b.gain for a, b in pairwise(curve))


def test_no_rows_are_refused() -> None:
    with pytest.raises(NotEnoughDataError):
        evaluate([], [], None, seed=0)
