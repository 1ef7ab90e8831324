"""What a card is made of: how sure, what changed, what would lift."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.models.calibration import Calibration
from leadlight.models.certainty import certainty_of
from leadlight.models.score_change import StagedScores, split_change
from leadlight.models.what_lifts import Action, Judgement, Plan, what_lifts

POINTS = st.floats(-50, 150)
ACTIONS = (Action("visit", 3), Action("download", 2), Action("webinar", 1))


@given(staged=st.builds(StagedScores, *[POINTS] * 6), before=POINTS, after=POINTS)
def test_the_parts_of_a_change_add_up_to_it(
    staged: StagedScores, before: float, after: float
) -> None:
    change = split_change(staged, threshold_before=before, threshold_after=after)
    parts = change.events + change.ageing + change.profile + change.model
    assert parts == pytest.approx(change.after - change.before, abs=1e-9)
    moved = change.distance_after - change.distance_before
    assert parts + change.threshold == pytest.approx(moved, abs=1e-9)


@given(probability=st.floats(0.001, 0.999))
def test_an_interval_holds_the_probability_itself(probability: float) -> None:
    groups = [
        {"predicted": at, "observed": at, "low": at * 0.8, "high": at * 1.1, "rows": 100.0}
        for at in (0.05, 0.2, 0.6)
    ]
    found = certainty_of(probability, groups)
    assert found is not None
    assert 0 <= found.low <= probability + 1e-12
    assert probability - 1e-12 <= found.high <= 1


def test_without_a_group_nothing_is_said_of_certainty() -> None:
    assert certainty_of(0.2, []) is None


@given(margin=st.floats(-6, 6), slope=st.floats(0.2, 3), intercept=st.floats(-2, 2))
def test_a_calibration_is_read_backwards(margin: float, slope: float, intercept: float) -> None:
    calibration = Calibration(slope, intercept)
    probability = float(calibration.probability([margin])[0])
    assert calibration.margin(probability) == pytest.approx(margin, abs=1e-6)


def judge_with(weights: Sequence[float], least: float):  # type: ignore[no-untyped-def]
    def judge(plans: Sequence[Plan]) -> Judgement:
        points = np.array(plans, dtype=float) @ np.array(weights)
        return Judgement(points, points / 100, points >= least)

    return judge


def test_the_smallest_ways_are_found_and_none_holds_another() -> None:
    found = what_lifts(ACTIONS, judge_with((5, 8, 20), 16))
    assert found.ways[0].plan == (("webinar", 1),)
    assert {way.plan for way in found.ways[1:]} == {
        (("download", 2),),
        (("visit", 2), ("download", 1)),
    }
    assert all(way.mql for way in found.ways)


def test_where_nothing_short_would_do_the_best_is_told() -> None:
    found = what_lifts(ACTIONS, judge_with((5, 8, 20), 1000), most_steps=3)
    assert found.ways == ()
    assert found.closest.plan == (("download", 2), ("webinar", 1))
    assert found.steps_tried == 3


def test_a_lead_that_needs_to_do_nothing_is_told_so() -> None:
    found = what_lifts(ACTIONS, judge_with((5, 8, 20), 0))
    assert found.waiting.mql
    assert found.ways == ()
