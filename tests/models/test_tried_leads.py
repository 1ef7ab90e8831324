"""Where not everybody was tried, those who were judge for all: figures, thresholds, challengers."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadlight.models.bootstrap import Estimate, lead_clusters
from leadlight.models.challenge import compare_models
from leadlight.models.evaluation import Evaluation, evaluate
from leadlight.models.policies import (
    Floors,
    Policy,
    PrecisionPolicy,
    ProbabilityPolicy,
    RecallPolicy,
    TopSharePolicy,
)
from leadlight.models.threshold import choose_threshold


def _world(rows: int = 6000, seed: int = 0) -> pd.DataFrame:
    """Snapshots of one date with calibrated probabilities."""
    random = np.random.default_rng(seed)
    probability = expit(random.normal(-2.0, 1.2, rows)).round(3)
    return pd.DataFrame(
        {
            "lead_id": [f"L{at}" for at in range(rows)],
            "account_id": [f"A{at // 2}" for at in range(rows)],
            "as_of": pd.Timestamp("2025-01-01", tz="UTC"),
            "label": random.random(rows) < probability,
            "probability": probability,
            "fit_percentile": 0.5,
            "engagement_percentile": 0.5,
        }
    )


def _tried(frame: pd.DataFrame, share: float, least: float = 0.3, seed: int = 1) -> pd.DataFrame:
    """The same where sales worked what lay above a threshold, and a share of the rest."""
    above = frame["probability"].to_numpy() >= least
    passed = above | (np.random.default_rng(seed).random(len(frame)) < share)
    weight = np.where(passed, np.where(above, 1.0, 1.0 / share), 0.0)
    return frame.assign(stands_for=weight, label=frame["label"] & passed)


def _evaluated(frame: pd.DataFrame, weight: np.ndarray | None = None) -> Evaluation:
    label, codes = frame["label"].to_numpy(), lead_clusters(frame)
    return evaluate(frame["probability"], label, codes, seed=0, stands_for=weight)


def test_the_last_window_is_judged_as_if_everybody_had_been_tried() -> None:
    truth = _world()
    tried = _tried(truth, share=0.2)
    weight = tried["stands_for"].to_numpy()
    whole, judged, naive = _evaluated(truth), _evaluated(tried, weight), _evaluated(tried)
    assert judged.rows == (weight > 0).sum()
    for name in ("base_rate", "auc", "log_loss", "brier", "lift_at_10"):
        told: Estimate = getattr(judged, name)
        assert told.low <= getattr(whole, name).value <= told.high, name
    assert naive.base_rate.high < whole.base_rate.value
    assert judged.auc.high - judged.auc.low > whole.auc.high - whole.auc.low
    assert judged.ece.value < judged.ece_noise.high


@pytest.mark.parametrize("policy", [TopSharePolicy(0.4), RecallPolicy(0.9), ProbabilityPolicy(0.1)])
def test_what_converts_below_the_old_threshold_is_read_from_who_was_tried(policy: Policy) -> None:
    truth = _world()
    tried = _tried(truth, share=0.2)
    floors = Floors()
    whole = choose_threshold(policy, truth, floors, seed=0)
    choice = choose_threshold(policy, tried, floors, seed=0)
    naive = choose_threshold(policy, tried.drop(columns="stands_for"), floors, seed=0)
    assert choice.precision.low <= whole.precision.value <= choice.precision.high
    if policy.name != "recall":
        assert choice.threshold == whole.threshold
        assert choice.share == whole.share, "volumes are those of all leads"
        assert choice.recall.low <= whole.recall.value <= choice.recall.high
        assert naive.precision.value < choice.precision.low
    else:
        assert naive.threshold > choice.threshold, "wins that nobody tried for look like none"


def test_a_row_that_stands_for_three_counts_as_three_rows() -> None:
    frame = _world(500)
    weight = np.random.default_rng(3).integers(0, 4, len(frame)).astype(float)
    repeated = frame.loc[frame.index.repeat(weight.astype(int))].reset_index(drop=True)
    told, expected = _evaluated(frame, weight), _evaluated(repeated)
    for name in ("base_rate", "auc", "average_precision", "log_loss", "brier", "lift_at_10"):
        assert getattr(told, name).value == pytest.approx(getattr(expected, name).value), name
    weighted, policy = frame.assign(stands_for=weight), ProbabilityPolicy(0.2)
    choice = choose_threshold(policy, weighted, Floors(), seed=0)
    alike = choose_threshold(policy, repeated, Floors(), seed=0)
    for name in ("precision", "recall", "lift"):
        assert getattr(choice, name).value == pytest.approx(getattr(alike, name).value), name
    curve = [(p.precision, p.recall) for p in choice.curve if p.threshold == choice.threshold]
    assert curve == [(pytest.approx(alike.precision.value), pytest.approx(alike.recall.value))]


def test_a_precision_is_promised_by_those_who_were_tried() -> None:
    truth = _world(20_000)
    tried = _tried(truth, share=0.3)
    policy = PrecisionPolicy(0.3)
    choice = choose_threshold(policy, tried, Floors(), seed=0)
    naive = choose_threshold(policy, tried.drop(columns="stands_for"), Floors(), seed=0)
    assert choice.promise is not None
    qualifies = truth["probability"] >= choice.threshold
    assert choice.promise.promotions == (qualifies & (tried["stands_for"] > 0)).sum()
    assert truth["label"][qualifies].mean() >= 0.3
    assert choice.threshold < naive.threshold


def test_a_challenger_is_not_judged_by_leads_that_nobody_tried() -> None:
    truth = _world()
    tried = _tried(truth, share=0.2)
    weight, codes = tried["stands_for"].to_numpy(), lead_clusters(truth)
    timid = truth["probability"] * 0.5
    told = [
        compare_models(timid, truth["probability"], label, codes, seed=0, stands_for=weight)
        for label in (truth["label"], tried["label"])
    ]
    assert told[0] == told[1], "what became of the others changes nothing"
    assert told[0].differences["log_loss"].high < 0.0
    naive = compare_models(timid, truth["probability"], tried["label"], codes, seed=0)
    assert naive.differences["ece"].value > told[0].differences["ece"].value
