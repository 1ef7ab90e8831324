"""Policies against a naive loop over leads, and what each choice must say."""

import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.features.errors import ConfigError, NotEnoughDataError
from leadlight.models.policies import (
    CapacityPolicy,
    Floors,
    Policy,
    ProbabilityPolicy,
    TopSharePolicy,
)
from leadlight.models.threshold import ThresholdChoice, choose_threshold

START = datetime(2024, 1, 1, tzinfo=UTC)
NO_FLOORS = Floors()


def held_out(
    leads: int = 400, dates: int = 6, *, step_days: int = 28, decimals: int = 6, seed: int = 0
) -> pd.DataFrame:
    """A snapshot grid on which leads arrive over time and their probabilities wander."""
    rng = np.random.default_rng(seed)
    arrives = rng.integers(0, dates, leads) * (rng.random(leads) < 0.5)
    arrives[0] = 0
    walk = rng.normal(-2.0, 1.0, leads)[:, None] + rng.normal(0.0, 0.7, (leads, dates)).cumsum(1)
    probability = 1.0 / (1.0 + np.exp(-walk))
    lead, date = np.nonzero(np.arange(dates) >= arrives[:, None])
    frame = pd.DataFrame(
        {
            "lead_id": [f"lead {i}" for i in lead],
            "account_id": [f"account {i // 3}" if i % 2 else None for i in lead],
            "as_of": [START + timedelta(days=int(step_days * d)) for d in date],
            "label": rng.random(len(lead)) < probability[lead, date],
            "probability": np.round(probability[lead, date], decimals),
            "fit_percentile": rng.random(leads)[lead],
            "engagement_percentile": rng.random(len(lead)),
        }
    )
    return frame.sample(frac=1.0, random_state=seed).reset_index(drop=True)


def one_each(leads: int = 300, seed: int = 0) -> pd.DataFrame:
    """One snapshot per lead, a day after another."""
    frame = held_out(leads, 1, seed=seed)
    frame["as_of"] = [START + timedelta(days=i) for i in range(leads)]
    return frame


def undated(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(as_of=pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us, UTC]"))


def promotions_by_loop(frame: pd.DataFrame, threshold: float, floors: Floors) -> int:
    """The obvious count: walk each lead's snapshots; the first date only says where it stood."""
    first, count = frame["as_of"].min(), 0
    stood: dict[str, bool] = {}
    for row in frame.sort_values("as_of").itertuples():
        qualifies = (
            row.probability >= threshold
            and row.fit_percentile >= floors.fit
            and row.engagement_percentile >= floors.engagement
        )
        count += qualifies and not stood.get(row.lead_id, False) and row.as_of > first
        stood[row.lead_id] = qualifies
    return count


def capacity_by_loop(frame: pd.DataFrame, per_week: float, floors: Floors) -> float:
    """The obvious search: lower the threshold from the top until a week would bring too many."""
    weeks = (frame["as_of"].max() - frame["as_of"].min()) / timedelta(days=7)
    passing = frame[
        (frame["fit_percentile"] >= floors.fit)
        & (frame["engagement_percentile"] >= floors.engagement)
    ]
    candidates = sorted(set(passing["probability"]), reverse=True)
    flows = [promotions_by_loop(frame, t, floors) / weeks for t in candidates]
    for at, flow in enumerate(flows):
        if flow > per_week:
            return candidates[max(at - 1, 0)]
    return candidates[flows.index(max(flows))]


@given(
    seed=st.integers(0, 1000),
    leads=st.integers(5, 25),
    decimals=st.sampled_from([1, 2, 6]),
    capacity=st.sampled_from([0.3, 0.6, 1.0]),
    floors=st.sampled_from([NO_FLOORS, Floors(0.3, 0.0), Floors(0.0, 0.4), Floors(0.3, 0.4)]),
)
@settings(max_examples=25, deadline=None)
def test_capacity_is_found_as_a_loop_from_the_top_finds_it(
    seed: int, leads: int, decimals: int, capacity: float, floors: Floors
) -> None:
    frame = held_out(leads, 4, decimals=decimals, seed=seed)
    frame.loc[0, ["fit_percentile", "engagement_percentile"]] = 0.99
    choice = choose_threshold(CapacityPolicy(capacity), frame, floors, seed=0)
    assert choice.threshold == capacity_by_loop(frame, capacity, floors)
    assert choice.expected_mqls_per_week == pytest.approx(
        promotions_by_loop(frame, choice.threshold, floors) / 12.0
    )


def test_a_lead_that_stays_above_the_threshold_is_promoted_once() -> None:
    frame = pd.DataFrame(
        {
            "lead_id": ["stays"] * 5 + ["new"] * 3 + ["cold"] * 5,
            "account_id": None,
            "as_of": [
                START + timedelta(days=7 * d) for d in (0, 1, 2, 3, 4, 2, 3, 4, 0, 1, 2, 3, 4)
            ],
            "label": [True] + [False] * 12,
            "probability": [0.9] * 5 + [0.8] * 3 + [0.1] * 5,
            "fit_percentile": 0.5,
            "engagement_percentile": 0.5,
        }
    )
    choice = choose_threshold(ProbabilityPolicy(0.5), frame, NO_FLOORS, seed=0)
    # "stays" stood there from the start; "new" is the one promotion in four weeks
    assert choice.expected_mqls_per_week == pytest.approx(0.25)
    assert choice.share == pytest.approx(8 / 13)


def test_one_snapshot_a_lead_makes_each_qualifying_lead_a_promotion() -> None:
    frame = one_each(280)
    choice = choose_threshold(CapacityPolicy(3.5), frame, NO_FLOORS, seed=0)
    # 280 days from the first to a day after the last: 40 weeks, so 140 leads
    assert choice.expected_mqls_per_week == pytest.approx(3.5)
    assert (frame["probability"] >= choice.threshold).sum() == 140


def test_a_single_date_takes_its_leads_to_pass_once_within_the_horizon_and_says_so() -> None:
    frame = held_out(260, 1)
    choice = choose_threshold(CapacityPolicy(2.0), frame, NO_FLOORS, seed=0, horizon_days=91)
    assert (frame["probability"] >= choice.threshold).sum() == 26
    assert any("one date" in note and "91 days" in note for note in choice.notes)


def test_a_sample_of_the_leads_is_scaled_to_all_of_them() -> None:
    frame = held_out(2000)
    all_leads = choose_threshold(CapacityPolicy(10.0), frame, NO_FLOORS, seed=0)
    of_half = choose_threshold(CapacityPolicy(20.0), frame, NO_FLOORS, seed=0, sampled_share=0.5)
    assert of_half.threshold == all_leads.threshold
    assert of_half.expected_mqls_per_week == pytest.approx(2 * all_leads.expected_mqls_per_week)


def test_capacity_of_held_out_leads_holds_on_other_leads_of_the_same_world() -> None:
    choice = choose_threshold(CapacityPolicy(30.0), held_out(5000, 6), NO_FLOORS, seed=0)
    later = held_out(5000, 6, seed=1)
    realised = promotions_by_loop(later, choice.threshold, NO_FLOORS) / 20.0
    assert realised == pytest.approx(30.0, rel=0.1)
    assert choice.mqls_per_week is not None
    assert choice.mqls_per_week.low < realised < choice.mqls_per_week.high


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_top_share_marks_that_share_of_leads(share: float) -> None:
    frame = held_out(2000)
    choice = choose_threshold(TopSharePolicy(share), frame, NO_FLOORS, seed=0)
    assert choice.share == pytest.approx(share, abs=1 / len(frame))
    assert choice.share == (frame["probability"] >= choice.threshold).mean()
    assert not any("asked for" in note for note in choice.notes)


def test_top_share_counts_leads_that_miss_a_floor_as_leads_but_not_as_mqls() -> None:
    frame = held_out(2000)
    floors = Floors(fit=0.5)
    choice = choose_threshold(TopSharePolicy(0.2), frame, floors, seed=0)
    mql = (frame["probability"] >= choice.threshold) & (frame["fit_percentile"] >= 0.5)
    assert mql.mean() == pytest.approx(0.2, abs=1e-3)


def test_a_share_that_the_floors_do_not_leave_is_said_to_be_out_of_reach() -> None:
    choice = choose_threshold(TopSharePolicy(0.3), held_out(), Floors(fit=0.9), seed=0)
    assert choice.share < 0.2
    assert any("pass the floors" in note for note in choice.notes)


def test_a_missing_percentile_means_no_floor() -> None:
    frame = held_out().assign(engagement_percentile=np.nan)
    choice = choose_threshold(TopSharePolicy(0.1), frame, Floors(engagement=0.5), seed=0)
    assert choice.share == pytest.approx(0.1, abs=1e-3)


def test_precision_recall_and_lift_are_those_of_the_chosen_leads() -> None:
    frame = held_out()
    choice = choose_threshold(ProbabilityPolicy(0.4), frame, NO_FLOORS, seed=0)
    mql, won = frame["probability"] >= 0.4, frame["label"]
    assert choice.threshold == 0.4
    assert choice.precision.value == pytest.approx(won[mql].mean())
    assert choice.recall.value == pytest.approx(mql[won].mean())
    assert choice.lift.value == pytest.approx(won[mql].mean() / won.mean())
    assert choice.precision.low < choice.precision.value < choice.precision.high
    assert choice.recall.low < choice.recall.value < choice.recall.high


@pytest.mark.parametrize("policy", [CapacityPolicy(4), TopSharePolicy(0.1), ProbabilityPolicy(0.3)])
def test_the_curve_is_short_ascending_and_holds_the_choice(policy: Policy) -> None:
    choice = choose_threshold(policy, held_out(3000), NO_FLOORS, seed=0)
    thresholds = [point.threshold for point in choice.curve]
    assert len(thresholds) <= 200
    assert thresholds == sorted(set(thresholds))
    chosen = next(point for point in choice.curve if point.threshold == choice.threshold)
    assert chosen.share == choice.share
    assert chosen.mqls_per_week == choice.expected_mqls_per_week
    assert min(point.share for point in choice.curve) < 0.001
    assert max(point.share for point in choice.curve) == 1.0


def test_every_third_lead_as_mql_is_said_to_have_lost_its_meaning() -> None:
    said = choose_threshold(TopSharePolicy(0.4), held_out(), NO_FLOORS, seed=0).notes
    assert any("lost its meaning" in note for note in said)
    quiet = choose_threshold(TopSharePolicy(0.3), held_out(), NO_FLOORS, seed=0).notes
    assert not any("lost its meaning" in note for note in quiet)


def test_a_volume_beyond_reach_gives_the_largest_flow_and_says_so() -> None:
    frame = held_out()
    choice = choose_threshold(CapacityPolicy(10_000), frame, NO_FLOORS, seed=0)
    most = max(point.mqls_per_week for point in choice.curve)
    assert choice.expected_mqls_per_week == pytest.approx(most, rel=0.05)
    assert any("cannot be reached" in note for note in choice.notes)


def test_constant_probabilities_say_that_the_share_cannot_be_met() -> None:
    frame = held_out().assign(probability=0.2)
    choice = choose_threshold(TopSharePolicy(0.1), frame, NO_FLOORS, seed=0)
    assert choice.share == 1.0
    assert any("equal probabilities" in note for note in choice.notes)


def test_a_threshold_above_every_lead_has_no_precision_and_says_so() -> None:
    frame = held_out().assign(probability=0.2)
    choice = choose_threshold(ProbabilityPolicy(0.9), frame, NO_FLOORS, seed=0)
    assert choice.share == 0.0
    assert choice.to_dict()["precision"]["value"] is None
    assert any("No held-out lead" in note for note in choice.notes)


def test_without_dates_capacity_is_refused_with_the_policies_that_work() -> None:
    with pytest.raises(ConfigError, match=r"top_share.*probability"):
        choose_threshold(CapacityPolicy(10), undated(held_out()), NO_FLOORS, seed=0)


def test_without_dates_the_weekly_volume_is_unknown() -> None:
    choice = choose_threshold(TopSharePolicy(0.1), undated(held_out()), NO_FLOORS, seed=0)
    assert choice.expected_mqls_per_week is None
    assert choice.mqls_per_week is None
    assert all(point.mqls_per_week is None for point in choice.curve)


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf])
def test_impossible_capacities_are_refused(bad: float) -> None:
    with pytest.raises(ConfigError, match="leads_per_week"):
        CapacityPolicy(bad)


@pytest.mark.parametrize("bad", [0.0, 1.0, -0.1, 30, math.nan])
def test_shares_probabilities_and_floors_outside_their_range_are_refused(bad: float) -> None:
    with pytest.raises(ConfigError, match="share"):
        TopSharePolicy(bad)
    with pytest.raises(ConfigError, match="probability"):
        ProbabilityPolicy(bad)
    if bad != 0.0:
        with pytest.raises(ConfigError, match=r"minimum\.engagement"):
            Floors(engagement=bad)


def test_floors_that_no_lead_passes_are_refused() -> None:
    frame = held_out().assign(fit_percentile=0.1)
    with pytest.raises(ConfigError, match=r"mql\.minimum"):
        choose_threshold(TopSharePolicy(0.1), frame, Floors(fit=0.5), seed=0)


def test_no_held_out_snapshot_is_refused() -> None:
    with pytest.raises(NotEnoughDataError):
        choose_threshold(TopSharePolicy(0.1), held_out().iloc[:0], NO_FLOORS, seed=0)


@pytest.mark.parametrize(
    "policy", [CapacityPolicy(4), TopSharePolicy(0.1), ProbabilityPolicy(0.99)]
)
def test_a_choice_survives_json(policy: Policy) -> None:
    frame = held_out() if isinstance(policy, CapacityPolicy) else undated(held_out())
    choice = choose_threshold(policy, frame, NO_FLOORS, seed=0)
    plain = json.loads(json.dumps(choice.to_dict(), allow_nan=False))
    assert ThresholdChoice.from_dict(plain).to_dict() == choice.to_dict()


def test_the_order_of_the_rows_does_not_matter() -> None:
    frame = held_out()
    shuffled = frame.sample(frac=1.0, random_state=9)
    one = choose_threshold(CapacityPolicy(4), frame, NO_FLOORS, seed=0)
    other = choose_threshold(CapacityPolicy(4), shuffled, NO_FLOORS, seed=0)
    assert one.threshold == other.threshold
    assert one.curve == other.curve
