"""Reasons by id and in points: they add up, and stay the same whatever the language."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_frames import feature

from leadlight.features.feature import Feature
from leadlight.models.average_lead import segment_averages
from leadlight.models.explanation import explain_leads
from leadlight.models.reasons import PointScale, ReasonGroups, reason_parts
from leadlight.models.reference import Reference
from leadlight.models.strongest_reasons import NONE, Strongest, strongest_reasons


def _feature(name: str, group: str, kind: str = "numeric", statistic: str = "count") -> Feature:
    return Feature(
        name, kind, "engagement", group, name, "", 0, statistic, "email_click", lookback_days=30
    )


FEATURES = (
    _feature("a_7d", "count:a"),
    _feature("b", "count:b"),
    _feature("a_30d", "count:a"),
    _feature("c", "count:c"),
    _feature("a_90d", "count:a"),
    _feature("d", "count:d"),
)
SCALE = PointScale(-3.0, 1.0)

one_part = st.floats(-1.5, 1.5, allow_nan=False)
leads_parts = st.lists(
    st.lists(one_part, min_size=len(FEATURES), max_size=len(FEATURES)), min_size=1, max_size=6
).map(np.array)


@settings(max_examples=80, deadline=None)
@given(parts=leads_parts)
def test_the_reasons_points_of_a_lead_sum_to_its_distance_from_the_average_lead(parts):
    average = parts.mean(axis=0)
    for lead in parts:
        told = reason_parts(lead, average, FEATURES, SCALE)
        between = SCALE.points(lead.sum()) - SCALE.points(average.sum())
        assert abs(sum(part.points for part in told) - between) <= 0.5 + 1e-6
        assert all(abs(part.points - part.log_odds * 25.0) < 1.0 for part in told)
        assert sum(part.log_odds for part in told) == pytest.approx((lead - average).sum())
        assert [part.id for part in told] == sorted(
            [part.id for part in told],
            key=lambda name: -abs({part.id: part.log_odds for part in told}[name]),
        )


def _assert_as_by_loop(
    found: Strongest, beyond: np.ndarray, groups: ReasonGroups, sign: int
) -> None:
    for row, lead in enumerate(beyond):
        sums = {
            at: sign * sum(lead[member] for member in members)
            for at, members in enumerate(groups.members)
        }
        by_strength = sorted(sums, key=lambda at: -sums[at])
        whole = {at: int(np.floor(sums[at] * 25.0 + 0.5)) for at in sums}
        expected = [at for at in by_strength if whole[at] > 0][:3]
        told = [at for at in found.groups[row].tolist() if at != NONE]
        assert [whole[at] for at in told] == [whole[at] for at in expected]
        shown = [sign * whole[at] for at in told]
        assert found.points[row].tolist() == shown + [0] * (3 - len(told))
        for at, speaker in zip(told, found.speakers[row].tolist(), strict=False):
            loudest = max(sign * lead[member] for member in groups.members[at])
            assert speaker in groups.members[at]
            assert sign * lead[speaker] == pytest.approx(loudest, rel=1e-11)


@settings(max_examples=80, deadline=None)
@given(parts=leads_parts, average=one_part)
def test_the_strongest_reasons_are_those_of_an_obvious_loop(parts, average):
    groups = ReasonGroups.of(FEATURES)
    mean = np.full(len(FEATURES), average)
    for sign, found in zip((1, -1), strongest_reasons(parts, mean, groups, SCALE), strict=True):
        _assert_as_by_loop(found, parts - mean, groups, sign)


def test_many_leads_of_many_features_have_the_reasons_of_an_obvious_loop():
    rng = np.random.default_rng(3)
    features = [_feature(f"f{at}", f"group {at % 150}") for at in range(400)]
    parts = np.asfortranarray(rng.normal(0.0, 0.1, (8500, 400)))
    averages = rng.normal(0.0, 0.1, (8500, 400))
    groups = ReasonGroups.of(features)
    shown = np.r_[0:20, 8180:8210]  # over the end of what is compared at a time
    both = strongest_reasons(parts, averages, groups, SCALE)
    for sign, found in zip((1, -1), both, strict=True):
        some = Strongest(found.groups[shown], found.points[shown], found.speakers[shown])
        _assert_as_by_loop(some, (parts - averages)[shown], groups, sign)


def test_of_reasons_that_are_equally_strong_the_first_is_told_first():
    equal = np.array([[0.2, 0.4, 0.2, 0.4, 0.0, 0.4], [-0.2, -0.4, -0.2, -0.4, 0.0, -0.4]])
    speaks_for, against = strongest_reasons(equal, np.zeros(6), ReasonGroups.of(FEATURES), SCALE)
    assert speaks_for.groups.tolist() == [[0, 1, 2], [NONE] * 3]
    assert against.groups.tolist() == [[NONE] * 3, [0, 1, 2]]
    assert speaks_for.speakers[0].tolist() == [0, 1, 3]
    assert against.speakers[1].tolist() == [0, 1, 3]


def test_windows_of_one_event_are_one_reason_told_by_its_strongest_window():
    parts = np.array([[0.1, 0.0, 0.5, 0.0, -0.2, 0.0]])
    found, against = strongest_reasons(parts, np.zeros(6), ReasonGroups.of(FEATURES), SCALE)
    assert (against.groups == NONE).all()
    assert found.groups.tolist() == [[0, NONE, NONE]]
    assert found.points.tolist() == [[10, 0, 0]]
    assert found.speakers.tolist() == [[2, NONE, NONE]]


def test_ids_and_points_stand_beside_their_sentences():
    parts = np.array([[0.4, 0.2, 0.1, -0.3, 0.0, 0.001]])
    frame = pd.DataFrame({each.name: [2.0] for each in FEATURES})
    told = explain_leads(parts, np.zeros(len(FEATURES)), FEATURES, frame, SCALE)
    assert told.reason_ids_for == [["count:a", "count:b"]]
    assert told.reason_points_for == [[13, 5]]
    assert told.reason_ids_against == [["count:c"]]
    assert told.reason_points_against == [[-8]]
    assert len(told.reasons_for[0]) == 2


def test_where_all_leads_score_alike_there_are_no_points():
    level = PointScale(1.0, 1.0)
    for found in strongest_reasons(np.ones((2, 6)), np.zeros(6), ReasonGroups.of(FEATURES), level):
        assert (found.groups == NONE).all()
    assert PointScale(1.0, 1.0).points([1.0, 2.0]).tolist() == [0.0, 0.0]


def test_a_lead_is_compared_with_the_average_of_its_segment_where_that_has_enough_leads():
    source = _feature("source", "profile:source", "category", "profile")
    features = (feature("visits", "numeric"), Feature(**{**vars(source), "subject": "source"}))
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"source": ["webinar"] * 200 + ["ad"] * 150 + ["fair"] * 20 + [None] * 5})
    parts = rng.normal(0.0, 1.0, (375, 2)) + (frame["source"] == "ad").to_numpy()[:, None]
    segments = segment_averages(frame, parts, features, "source")
    reference = Reference.of(parts.sum(axis=1), parts, features, segments)
    read = Reference.from_arrays(reference.to_arrays())
    found = read.average_parts(frame)
    np.testing.assert_array_equal(found[0], parts[:200].mean(axis=0))
    np.testing.assert_array_equal(found[250], parts[200:350].mean(axis=0))
    np.testing.assert_array_equal(found[[360, 374]], [parts.mean(axis=0)] * 2)
    assert segment_averages(frame, parts, features, "country") is None
