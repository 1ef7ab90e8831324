"""Intervals of shares under clustering."""

import numpy as np
import pandas as pd
import pytest

from leadlight.models.bootstrap import (
    Estimate,
    cluster_codes,
    clustered_mean,
    clustered_share,
    lead_clusters,
    percentile_interval,
)


def test_independent_rows_give_the_textbook_wilson_interval() -> None:
    label = np.arange(20) < 5
    found = clustered_share(label, np.arange(20))
    assert (found.value, found.low, found.high) == pytest.approx((0.25, 0.1119, 0.4687), abs=1e-4)


def test_rows_that_repeat_a_lead_add_no_certainty() -> None:
    label = np.arange(50) < 20
    once = clustered_share(label, np.arange(50))
    tenfold = clustered_share(np.repeat(label, 10), np.repeat(np.arange(50), 10))
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high), abs=5e-3)


def test_nothing_won_of_twelve_is_not_certainty() -> None:
    found = clustered_share(np.zeros(12, dtype=bool), np.arange(12))
    assert found.low == 0.0
    assert found.high == pytest.approx(0.2425, abs=1e-3)


def test_the_interval_holds_the_true_share_under_clustering() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        lead_rate = rng.beta(0.5, 2.0, 80)
        codes = np.repeat(np.arange(80), rng.integers(1, 7, 80))
        label = rng.random(len(codes)) < lead_rate[codes]
        found = clustered_share(label, codes)
        held += found.low <= 0.2 <= found.high
    assert 0.91 <= held / 400 <= 0.99


def test_the_error_of_a_clustered_mean_is_the_spread_of_the_mean_over_many_worlds() -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(100), 5)
    means, errors = [], []
    for _ in range(400):
        values = rng.normal(0.0, 1.0, 100)[codes] + rng.normal(0.0, 1.0, 500)
        mean, error = clustered_mean(values, codes, np.ones(500))
        means.append(mean)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.1)


def test_weights_of_a_clustered_mean_are_repeated_rows() -> None:
    rng = np.random.default_rng(1)
    values, codes = rng.normal(0.0, 1.0, 60), np.arange(60) // 3
    times = rng.integers(1, 4, 60)
    repeated = np.repeat(values, times), np.repeat(codes, times), np.ones(times.sum())
    weighted = clustered_mean(values, codes, times.astype(float))
    assert weighted == pytest.approx(clustered_mean(*repeated))


def test_a_single_cluster_gives_a_mean_of_unknown_error() -> None:
    found = clustered_mean(np.array([1.0, 2.0]), np.array([7, 7]), np.ones(2))
    assert found == (1.5, np.inf)


def test_no_rows_have_no_share() -> None:
    assert clustered_share(np.zeros(0, dtype=bool), np.zeros(0, dtype=np.intp)).to_dict() == {
        "value": None,
        "low": None,
        "high": None,
    }


def test_leads_cluster_by_account_where_there_is_one() -> None:
    frame = pd.DataFrame(
        {
            "lead_id": ["a", "b", "c", "c", "acme"],
            "account_id": ["acme", "acme", None, None, None],
        }
    )
    assert lead_clusters(frame).tolist() == [0, 0, 1, 1, 2]
    assert lead_clusters(frame[["lead_id"]]).tolist() == [0, 1, 2, 2, 3]


def test_no_clusters_means_each_row_for_itself() -> None:
    assert cluster_codes(None, 3).tolist() == [0, 1, 2]


def test_an_interval_is_unknown_where_most_resamples_have_no_figure() -> None:
    mostly_nan = np.array([0.5, np.nan, np.nan])
    assert np.isnan(percentile_interval(0.5, mostly_nan).low)


def test_an_estimate_survives_json() -> None:
    assert Estimate.from_dict(Estimate(0.1, 0.0, 0.2).to_dict()) == Estimate(0.1, 0.0, 0.2)
    assert np.isnan(Estimate.from_dict({"value": None, "low": None, "high": None}).value)
