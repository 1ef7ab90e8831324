"""The points card: what a person can add up follows the model, and what it loses is measured."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.errors import NotEnoughDataError
from leadlight.models.points_card import MOST_SIGNALS, Signal, distil, points_of

DEFINITION = FeatureDefinition(
    lookback_days=(30,),
    event_kinds=("download", "page_view_pricing"),
    profile=(
        ProfileColumn("industry", "leads", "industry", "category"),
        ProfileColumn("seats", "leads", "seats", "numeric"),
    ),
    has_age=False,
)
FEATURES = feature_catalog(DEFINITION)


def world(leads: int = 4000, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({each.name: random.poisson(1.0, leads) * 1.0 for each in FEATURES})
    for name in ("page_view_pricing_days_since_last", "download_days_since_last"):
        frame[name] = random.integers(0, 200, leads) * 1.0
    frame["industry"] = random.choice(["Software", "Retail", "Public"], leads)
    frame["seats"] = random.integers(1, 1000, leads) * 1.0
    frame["label"] = random.random(leads) < 0.1
    return frame


def test_a_model_that_is_a_card_is_found_with_its_points() -> None:
    truth = (
        Signal("page_view_pricing_count_30d", "Pricing", "at least", 2.0, 20),
        Signal("industry", "Industry", "is", "Software", 10),
        Signal("industry", "Industry", "is", "Public", -10),
        Signal("download_days_since_last", "Download", "at most", 14.0, 5),
    )
    taught, held_out = world(), world(seed=1)
    margin, later = points_of(truth, taught) / 10.0, points_of(truth, held_out) / 10.0
    mql = later >= 2.0
    card = distil(FEATURES, taught, margin, held_out, later, mql)
    found = {(each.feature, each.condition, each.value): each.points for each in card.signals}
    assert found == {(each.feature, each.condition, each.value): each.points for each in truth}
    assert [each.points for each in card.signals] == [20, 10, 5, -10]
    assert card.cut_off == 20
    assert card.loss.agreement == card.loss.found == 1.0
    assert card.loss.card_auc == card.loss.model_auc


def test_the_loss_is_what_counting_gives() -> None:
    taught, held_out = world(), world(seed=1)

    def margin_of(frame: pd.DataFrame) -> np.ndarray:
        visits = frame["page_view_pricing_count_30d"].to_numpy()
        return 0.01 * frame["seats"].to_numpy() ** 0.5 + np.sin(visits) + visits

    held_out["label"] = np.random.default_rng(2).random(len(held_out)) < 1 / (
        1 + np.exp(3 - margin_of(held_out))
    )
    mql = margin_of(held_out) > np.quantile(margin_of(held_out), 0.9)
    card = distil(FEATURES, taught, margin_of(taught), held_out, margin_of(held_out), mql)
    assert len(card.signals) <= MOST_SIGNALS
    verdicts = [
        sum(s.points for s in card.signals if s.holds(held_out.iloc[[i]])[0]) for i in range(300)
    ]
    assert card.points(held_out)[:300].tolist() == verdicts
    by_card = card.points(held_out) >= card.cut_off
    assert card.loss.agreement == (by_card == mql).mean()
    assert card.loss.found == (by_card & mql).sum() / mql.sum()
    assert card.loss.card_auc == roc_auc_score(held_out["label"], card.points(held_out))
    assert card.loss.card_share == pytest.approx(0.1, abs=0.05)
    assert card.loss.model_auc - card.loss.card_auc < 0.05


def test_a_missing_value_meets_no_condition() -> None:
    frame = pd.DataFrame({"seats": [np.nan, 5.0], "industry": [None, "Software"]})
    for signal in (
        Signal("seats", "Seats", "at least", 1.0, 1),
        Signal("seats", "Seats", "at most", 9.0, 1),
        Signal("industry", "Industry", "is", "Software", 1),
    ):
        assert signal.holds(frame).tolist() == [False, True]


def test_what_a_marketing_tool_cannot_count_is_not_on_the_card() -> None:
    taught = world()
    margin = taught["page_view_pricing_trend"].to_numpy()
    with_label = world(seed=1)
    card = distil(
        FEATURES,
        taught,
        margin,
        with_label,
        np.zeros(len(with_label)),
        with_label["label"].to_numpy(),
    )
    statistics = {each.name: each.statistic for each in FEATURES}
    used = {statistics[each.feature] for each in card.signals}
    assert used <= {"count", "total", "active_days", "sessions", "days_since_last", "profile"}


def test_a_model_that_tells_nobody_apart_has_no_card() -> None:
    flat = world(500)
    with pytest.raises(NotEnoughDataError, match="the same score"):
        distil(FEATURES, flat, np.zeros(500), flat, np.zeros(500), np.zeros(500, dtype=bool))
