"""Feature shapes: what the values of the strongest signals add, for how many, and what came."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fitted_candidate import fitted
from lead_frames import FEATURES, leads

from leadlight.features.feature import Feature
from leadlight.features.wording import Wording
from leadlight.models.bootstrap import clustered_share
from leadlight.models.compiled import CompiledModel, compile_model
from leadlight.models.feature_shapes import MOST_SHAPES, MOST_STEPS, FeatureShape, feature_shapes
from leadlight.models.reference import Reference

LEADS = leads()


def importance_of(compiled: CompiledModel, frame: pd.DataFrame) -> dict[str, float]:
    parts = compiled.contributions(frame)
    strength = np.abs(parts - parts.mean(axis=0)).mean(axis=0)
    return dict(zip(compiled.features, strength.tolist(), strict=True))


def shapes_of(
    frame: pd.DataFrame, features: tuple[Feature, ...] = FEATURES, wording: Wording | None = None
) -> tuple[CompiledModel, dict[str, FeatureShape]]:
    compiled = compile_model(fitted("boosted_additive", frame, features), features)
    found = feature_shapes(
        compiled, features, frame, importance_of(compiled, frame), wording or Wording()
    )
    return compiled, {shape.group.removeprefix("profile:"): shape for shape in found}


@pytest.fixture(scope="module")
def told() -> tuple[CompiledModel, dict[str, FeatureShape]]:
    return shapes_of(LEADS)


def test_the_strongest_signals_come_first_and_one_without_strength_has_no_shape(told):
    compiled, shapes = told
    strength = importance_of(compiled, LEADS)
    order = [strength[group] for group in shapes]
    assert order == sorted(order, reverse=True)
    assert order[0] == max(strength.values())
    assert len(shapes) <= MOST_SHAPES
    assert not {"nothing known", "always the same", "no level"} & set(shapes)


def test_each_lead_is_on_one_step_and_the_points_average_to_those_of_the_average_lead(told):
    for shape in told[1].values():
        rows = np.array([step.rows for step in shape.steps])
        points = np.array([step.points for step in shape.steps])
        assert rows.sum() == len(LEADS)
        assert len(rows) <= MOST_STEPS + 1
        np.testing.assert_allclose(rows @ points, 0.0, atol=1e-6)


def test_a_step_says_what_the_model_adds_to_those_leads_and_what_became_of_them(told):
    compiled, shapes = told
    parts = compiled.contributions(LEADS)
    reference = Reference.of(compiled.total(parts), parts, FEATURES)
    at = compiled.features.index("industry")
    beyond = (parts[:, at] - parts[:, at].mean()) * reference.point_scale.per_log_odds
    finance = (LEADS["industry"] == "Finance").to_numpy()
    share = clustered_share(LEADS["label"].to_numpy()[finance], np.arange(finance.sum()))
    (step,) = (step for step in shapes["industry"].steps if step.value == "Finance")
    assert step.rows == finance.sum()
    assert step.points == pytest.approx(beyond[finance].mean(), abs=1e-9)
    assert (step.won, step.low, step.high) == (share.value, share.low, share.high)
    assert step.points == max(each.points for each in shapes["industry"].steps)


def test_numbers_ascend_and_the_last_range_is_open_and_the_missing_value_comes_last(told):
    words = [step.value for step in told[1]["visits"].steps]
    assert words[:4] == ["0", "1", "2", "3"]
    assert words[-1].endswith(" or more")
    assert " to " not in words[0]
    assert told[1]["days_since_last"].steps[-1].rows == LEADS["days_since_last"].isna().sum()
    assert told[1]["days_since_last"].steps[-1].value.endswith("unknown")


def test_many_leads_of_one_value_leave_the_others_more_than_one_range():
    crowded = LEADS["days_since_last"].where(np.arange(len(LEADS)) % 5 == 0, 0.0)
    _, shapes = shapes_of(LEADS.assign(days_since_last=crowded))
    words = [step.value for step in shapes["days_since_last"].steps]
    assert words[0].startswith("0")
    assert len([word for word in words if " to " in word]) >= MOST_STEPS - 4


def test_many_levels_are_told_up_to_a_number_and_the_others_together():
    industry = pd.Series([f"Industry {at % 40}" for at in range(len(LEADS))], dtype="str")
    odds = np.where(np.arange(len(LEADS)) % 40 < 5, 0.9, 0.1)
    won = np.random.default_rng(1).random(len(LEADS)) < odds
    _, shapes = shapes_of(LEADS.assign(industry=industry, label=won))
    steps = shapes["industry"].steps
    assert len(steps) == MOST_STEPS
    assert steps[-1].value == "all others"
    assert steps[-1].rows == len(LEADS) * 31 // 40


def test_near_duplicates_are_one_signal_told_by_the_strongest():
    doubled = tuple(
        replace(each, group="profile:visits") if each.name in {"visits", "revenue"} else each
        for each in FEATURES
    )
    compiled, shapes = shapes_of(LEADS, doubled)
    strength = importance_of(compiled, LEADS)
    stronger = max(("visits", "revenue"), key=strength.__getitem__)
    assert shapes["visits"].label == stronger
    spread = [step.high_points - step.low_points for step in shapes["visits"].steps]
    assert max(spread) > 0.0


def test_leads_whose_outcome_says_nothing_count_but_do_not_judge():
    silent = np.where(LEADS["label"], 0.0, 1.0)
    _, shapes = shapes_of(LEADS.assign(stands_for=silent))
    steps = shapes["visits"].steps
    assert sum(step.rows for step in steps) == len(LEADS)
    assert {step.won for step in steps} == {0.0}


def test_shapes_are_plain_data_in_the_language_of_the_project():
    _, shapes = shapes_of(LEADS, wording=Wording("de"))
    story = json.loads(json.dumps([shape.to_dict() for shape in shapes.values()], allow_nan=False))
    visits = next(shape for shape in story if shape["group"] == "profile:visits")
    assert visits["steps"][-1]["value"].endswith("oder mehr")
