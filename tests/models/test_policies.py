"""Recall, profit and capacities by segment; what every choice tells; and what no policy may be."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.features.errors import ConfigError, ImpossiblePolicyError, SchemaMismatchError
from leadlight.models.policies import (
    SEGMENT_COLUMN,
    CapacityPolicy,
    Floors,
    Policy,
    PrecisionPolicy,
    ProbabilityPolicy,
    ProfitPolicy,
    RecallPolicy,
    SegmentCapacityPolicy,
    TopSharePolicy,
    policy_from_dict,
    policy_to_dict,
)
from leadlight.models.score_grid import GridCell, score_grid
from leadlight.models.threshold import ThresholdChoice, choose_threshold

START = datetime(2024, 1, 1, tzinfo=UTC)
NO_FLOORS = Floors()
EVERY = (
    CapacityPolicy(3.0),
    TopSharePolicy(0.1),
    PrecisionPolicy(0.2, 0.8),
    ProfitPolicy(10.0, 60.0),
    RecallPolicy(0.6),
    ProbabilityPolicy(0.2),
)


def held_out(leads: int = 1500, dates: int = 4, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    walk = rng.normal(-2.5, 1.2, leads)[:, None] + rng.normal(0, 0.4, (leads, dates)).cumsum(1)
    probability = 1.0 / (1.0 + np.exp(-walk)).ravel()
    lead, date = np.divmod(np.arange(leads * dates), dates)
    won = rng.random(len(lead)) < probability
    return pd.DataFrame(
        {
            "lead_id": [f"L{i}" for i in lead],
            "account_id": None,
            "as_of": [START + timedelta(days=28 * int(d)) for d in date],
            "label": won,
            "probability": probability,
            "fit_percentile": rng.random(leads)[lead],
            "engagement_percentile": rng.random(len(lead)),
            "amount": np.where(won, rng.lognormal(4.0, 0.5, len(lead)), np.nan),
            SEGMENT_COLUMN: rng.choice(["emea", "amer", "apac"], leads, p=[0.6, 0.3, 0.1])[lead],
        }
    )


def choose(policy: Policy, frame: pd.DataFrame, floors: Floors = NO_FLOORS) -> ThresholdChoice:
    return choose_threshold(policy, frame, floors, seed=0)


@pytest.mark.parametrize("recall", [0.3, 0.6, 0.9])
def test_recall_is_kept_by_as_few_mqls_as_can_be(recall: float) -> None:
    frame = held_out()
    choice = choose(RecallPolicy(recall), frame)
    won = frame.loc[frame["label"], "probability"]
    assert (won >= choice.threshold).mean() >= recall
    next_higher = frame.loc[frame["probability"] > choice.threshold, "probability"].min()
    assert (won >= next_higher).mean() < recall


def test_a_recall_that_the_floors_do_not_leave_is_refused_with_what_they_leave() -> None:
    with pytest.raises(ImpossiblePolicyError, match="floors") as refused:
        choose(RecallPolicy(0.9), held_out(), Floors(fit=0.5))
    assert refused.value.best["recall"] == pytest.approx(0.5, abs=0.1)


def test_profit_works_leads_from_where_a_touch_pays() -> None:
    frame = held_out()
    choice = choose(ProfitPolicy(touch_cost=10.0, win_value=50.0), frame)
    mql = frame["probability"] >= 0.2
    assert choice.threshold == pytest.approx(0.2)
    assert choice.profit is not None
    assert choice.profit.per_mql.value == pytest.approx(50 * frame.loc[mql, "label"].mean() - 10)
    assert choice.profit.per_mql.low < choice.profit.per_mql.value < choice.profit.per_mql.high
    chosen = next(point for point in choice.curve if point.threshold == choice.threshold)
    assert chosen.profit_per_week == pytest.approx(choice.profit.per_week)
    # Labels are noisy, the calibrated rule is not: it comes close to the best in hindsight.
    hindsight = max(point.share * (50 * point.precision - 10) for point in choice.curve)
    assert choice.share * choice.profit.per_mql.value > 0.9 * hindsight


def test_without_a_value_a_win_brings_the_mean_amount_of_the_deals() -> None:
    frame = held_out()
    choice = choose(ProfitPolicy(touch_cost=10.0), frame)
    once = frame[frame["label"]].drop_duplicates("lead_id")["amount"].mean()
    assert choice.profit is not None
    assert choice.profit.win_value == pytest.approx(once, rel=0.1)
    assert choice.threshold == pytest.approx(10.0 / choice.profit.win_value)
    with pytest.raises(ConfigError, match="win_value"):
        choose(ProfitPolicy(touch_cost=10.0), frame.drop(columns="amount"))
    with pytest.raises(ImpossiblePolicyError, match="no lead pays"):
        choose(ProfitPolicy(touch_cost=10_000.0), frame)


def test_each_segment_keeps_to_its_own_capacity() -> None:
    frame = held_out()
    policy = SegmentCapacityPolicy("region", {"emea": 9.0, "amer": 2.0, "other": 1.0})
    choice = choose(policy, frame)
    assert {each.segment for each in choice.segments} == {"emea", "amer", "other"}
    for each in choice.segments:
        asked = policy.leads_per_week[each.segment]
        assert each.mqls_per_week.value == pytest.approx(asked, rel=0.1)
    emea = frame[frame[SEGMENT_COLUMN] == "emea"]
    alone = choose(CapacityPolicy(9.0), emea)
    assert choice.segments[0].threshold == alone.threshold
    assert choice.expected_mqls_per_week == pytest.approx(12.0, rel=0.1)
    least = choice.least(frame)
    assert set(np.unique(least)) == {each.threshold for each in choice.segments}
    assert choice.share == pytest.approx((frame["probability"] >= least).mean())
    assert ThresholdChoice.from_dict(choice.to_dict()).to_dict() == choice.to_dict()
    with pytest.raises(SchemaMismatchError, match="region"):
        choice.least(frame.drop(columns=SEGMENT_COLUMN))


def test_a_segment_that_nobody_named_and_leads_without_one_are_other() -> None:
    frame = held_out()
    frame.loc[frame["lead_id"].str.endswith("7"), SEGMENT_COLUMN] = None
    choice = choose(SegmentCapacityPolicy("region", {"emea": 5.0, "other": 3.0}), frame)
    other = frame[frame[SEGMENT_COLUMN] != "emea"]
    assert choice.segments[1].threshold == choose(CapacityPolicy(3.0), other).threshold


@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_every_choice_tells_volume_quality_lift_and_what_it_gives_up(policy: Policy) -> None:
    choice = choose(policy, held_out())
    for estimate in (choice.precision, choice.recall, choice.lift, choice.mqls_per_week):
        assert estimate is not None
        assert estimate.low <= estimate.value <= estimate.high
    said = " ".join(choice.gives_up)
    assert "conversions come from leads that are no MQLs" in said
    assert "MQLs do not convert" in said
    assert "floors" not in said


def test_what_the_floors_hold_back_is_told() -> None:
    frame = held_out()
    floors = Floors(fit=0.3, engagement=0.2)
    choice = choose(ProbabilityPolicy(0.2), frame, floors)
    held = (frame["probability"] >= 0.2) & (
        (frame["fit_percentile"] < 0.3) | (frame["engagement_percentile"] < 0.2)
    )
    assert any(f"hold back {held.mean():.1%}" in sentence for sentence in choice.gives_up)


@given(seed=st.integers(0, 10_000), leads=st.integers(20, 120))
@settings(max_examples=20, deadline=None)
def test_along_the_curve_fewer_leads_find_fewer_conversions(seed: int, leads: int) -> None:
    choice = choose(ProbabilityPolicy(0.2), held_out(leads, 2, seed=seed))
    for lower, higher in zip(choice.curve, choice.curve[1:], strict=False):
        assert lower.threshold < higher.threshold
        assert lower.share >= higher.share
        if not math.isnan(lower.recall):
            assert lower.recall >= higher.recall


@given(
    seed=st.integers(0, 10_000),
    asked=st.floats(0.05, 0.9),
    more=st.floats(0.01, 0.09),
)
@settings(max_examples=20, deadline=None)
def test_who_asks_for_more_leads_gets_no_higher_threshold(
    seed: int, asked: float, more: float
) -> None:
    frame = held_out(60, 3, seed=seed)
    for few, many in (
        (TopSharePolicy(asked), TopSharePolicy(asked + more)),
        (RecallPolicy(asked), RecallPolicy(asked + more)),
        (CapacityPolicy(asked), CapacityPolicy(asked + more)),
        (ProfitPolicy(asked + more, 1.0), ProfitPolicy(asked, 1.0)),
    ):
        assert choose(many, frame).threshold <= choose(few, frame).threshold


@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_a_policy_survives_plain_data(policy: Policy) -> None:
    assert policy_from_dict(policy_to_dict(policy)) == policy


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"policy": "precison", "precision": 0.3}, "Did you mean 'precision'"),
        ({"policy": "capacity", "share": 0.3}, "leads_per_week"),
        ({"policy": "capacity"}, "leads_per_week"),
        ({"policy": "capacity", "leads_per_week": 0.0}, "above 0"),
        ({"policy": "capacity", "by": "owner", "leads_per_week": {"a": 5.0}}, "other"),
        ({"policy": "capacity", "by": "owner", "leads_per_week": {"other": 0.0}}, "above 0"),
        ({"policy": "precision", "precision": 1.0}, "between 0 and 1"),
        ({"policy": "precision", "precision": 0.5, "confidence": 1.0}, "between 0 and 1"),
        ({"policy": "recall", "recall": 0.0}, "between 0 and 1"),
        ({"policy": "profit", "touch_cost": -1.0}, "above 0"),
        ({"policy": "profit", "touch_cost": 50.0, "win_value": 50.0}, "would not pay"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(data: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        policy_from_dict(data)
    assert said in str(refused.value)


def grid_by_loop(frame: pd.DataFrame, fit: str, engagement: str) -> pd.DataFrame:
    bands = {"A": (0.9, 2), "B": (0.7, 0.9), "C": (0.4, 0.7), "D": (0.0, 0.4)}
    low, high = bands[fit]
    least, most = bands["ABCD"[int(engagement) - 1]]
    return frame[
        (frame["fit_percentile"] >= low)
        & (frame["fit_percentile"] < high)
        & (frame["engagement_percentile"] >= least)
        & (frame["engagement_percentile"] < most)
    ]


def test_the_grid_counts_leads_mqls_and_conversions_of_each_cell() -> None:
    frame = held_out()
    frame.loc[:3, "fit_percentile"] = [0.9, 0.7, 0.4, 1.0]
    floors = Floors(fit=0.4)
    choice = choose(ProbabilityPolicy(0.2), frame, floors)
    grid = score_grid(frame, choice, floors)
    assert [f"{cell.fit}{cell.engagement}" for cell in grid] == [
        f"{fit}{level}" for fit in "ABCD" for level in "1234"
    ]
    for cell in grid:
        inside = grid_by_loop(frame, cell.fit, cell.engagement)
        assert cell.rows == len(inside)
        assert cell.won.value == pytest.approx(inside["label"].mean())
        assert cell.mqls == (0 if cell.fit == "D" else (inside["probability"] >= 0.2).sum())
        assert GridCell.from_dict(cell.to_dict()) == cell
    assert sum(cell.rows for cell in grid) == len(frame)


def test_without_a_family_there_is_no_grid() -> None:
    frame = held_out().assign(engagement_percentile=np.nan)
    choice = choose(ProbabilityPolicy(0.2), frame)
    assert score_grid(frame, choice, Floors()) == ()
