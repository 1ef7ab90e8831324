"""Rules start: points in the expected directions, set by no outcome, as a model that scores."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.errors import ConfigError, NotEnoughDataError
from leadlight.models.points_card import points_of
from leadlight.models.policies import (
    CapacityPolicy,
    PrecisionPolicy,
    ProbabilityPolicy,
    ProfitPolicy,
    RecallPolicy,
    SegmentCapacityPolicy,
    TopSharePolicy,
    require_volume_policy,
)
from leadlight.models.rules_start import RulesStart, start_from_rules

FEATURES = feature_catalog(
    FeatureDefinition(
        lookback_days=(30,),
        event_kinds=("page_view_pricing", "unsubscribe", "swipe"),
        profile=(
            ProfileColumn("industry", "leads", "industry", "category"),
            ProfileColumn("email_role", "leads", "email", "numeric", "email_role"),
        ),
        has_age=True,
    )
)
DIRECTIONS = {feature.name: feature.direction for feature in FEATURES}


def world(leads: int = 600, wins: int = 8, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            each.name: random.choice(["Software", "Retail"], leads)
            if each.kind == "category"
            else random.poisson(0.7, leads) * 1.0
            for each in FEATURES
        }
    )
    frame["email_role"] = (random.random(leads) < 0.1) * 1.0
    for each in FEATURES:
        if each.statistic == "days_since_last":
            days = random.integers(0, 200, leads) * 1.0
            frame[each.name] = np.where(random.random(leads) < 0.5, days, np.nan)
    frame["lead_id"] = [f"L{at}" for at in range(leads)]
    frame["account_id"] = None
    frame["as_of"] = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(
        random.integers(0, 5, leads) * 30, unit="D"
    )
    frame["position"] = np.nan
    frame["label"] = False
    frame.loc[random.choice(leads, wins, replace=False), "label"] = True
    return frame


def start(frame: pd.DataFrame) -> RulesStart:
    return start_from_rules(frame, FEATURES, horizon_days=60, seed=0)


def test_the_model_is_the_sum_of_points_that_a_person_adds_up() -> None:
    frame = world()
    rules = start(frame)
    others = world(seed=7)
    points = points_of(rules.signals, others)
    by_hand = [
        sum(each.points for each in rules.signals if each.holds(others.iloc[[at]])[0])
        for at in range(100)
    ]
    assert points[:100].tolist() == by_hand
    per_point = 1.0 / points_of(rules.signals, frame).std()
    np.testing.assert_allclose(
        rules.compiled.margin(others), rules.compiled.baseline + per_point * points, atol=1e-9
    )
    assert {each.points for each in rules.signals} == {-1, 1}


def test_each_signal_points_where_the_catalog_expects_and_nothing_else_counts() -> None:
    rules = start(world())
    found = {each.feature: each for each in rules.signals}
    for name, signal in found.items():
        sign = -1 if signal.condition == "at most" else 1
        assert signal.points * sign == DIRECTIONS[name] != 0
    assert found["email_role"].points == -1
    assert any(name.startswith("page_view_pricing") for name in found)
    taken = [each for name, each in found.items() if name.startswith("unsubscribe")]
    assert [(each.condition, each.points) for each in taken] == [("at least", -1)]
    assert not any(name.startswith(("swipe", "industry", "lead_age")) for name in found)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), more=st.floats(0.0, 50.0))
def test_more_of_what_is_good_never_lowers_a_score(seed: int, more: float) -> None:
    rules = start(world(300))
    leads = world(40, seed=seed)
    before = rules.compiled.margin(leads)
    for feature in rules.features:
        raised = leads.assign(**{feature.name: leads[feature.name] + more})
        assert ((rules.compiled.margin(raised) - before) * feature.direction >= -1e-12).all()


def test_outcomes_set_the_level_and_nothing_else() -> None:
    frame = world(wins=8)
    rules = start(frame)
    others = start(frame.assign(label=np.roll(frame["label"], 17)))
    more = start(world(wins=16))
    assert rules.signals == others.signals == more.signals
    np.testing.assert_array_equal(rules.compiled.margin(frame), others.compiled.margin(frame))
    for each, wins in ((rules, 8), (more, 16)):
        assert each.held_out["probability"].mean() == pytest.approx(wins / 600)
    apart = more.compiled.margin(frame) - rules.compiled.margin(frame)
    assert np.ptp(apart) == pytest.approx(0.0, abs=1e-9)
    assert rules.known_until <= frame["as_of"].min().value // 1000


def test_how_well_it_orders_is_told_and_no_figure_of_a_probability() -> None:
    told = start(world()).evaluation.to_dict()
    assert 0.0 < told["auc"]["low"] <= told["auc"]["value"] <= told["auc"]["high"] < 1.0
    for name in ("log_loss", "brier", "ece", "calibration_slope", "calibration_intercept"):
        assert told[name] == {"value": None, "low": None, "high": None}
    assert told["reliability"] == []


def test_nothing_to_go_by_is_refused() -> None:
    silent = world()
    for feature in FEATURES:
        if feature.direction:
            silent[feature.name] = np.nan
    with pytest.raises(NotEnoughDataError, match="no signal of which the catalog expects"):
        start(silent)


def test_only_policies_of_volume_can_be_asked() -> None:
    for policy in (
        CapacityPolicy(20),
        TopSharePolicy(0.1),
        SegmentCapacityPolicy("country", {"other": 5}),
    ):
        require_volume_policy(policy)
    for promise in (
        PrecisionPolicy(0.3),
        ProbabilityPolicy(0.3),
        RecallPolicy(0.5),
        ProfitPolicy(10, 1000),
    ):
        with pytest.raises(ConfigError, match="not calibrated"):
            require_volume_policy(promise)
