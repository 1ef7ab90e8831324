"""The candidates are additive or pairwise, deterministic, and take what real columns hold."""

from dataclasses import replace

import numpy as np
import pytest
from fitted_candidate import fitted, taught
from hypothesis import given
from hypothesis import strategies as st
from lead_frames import FEATURES, feature, leads
from sklearn.metrics import roc_auc_score

from leadlight.models.candidates import CANDIDATES, CEILING
from leadlight.models.directions import agreeing_directions
from leadlight.models.interactions import interacting_pairs
from leadlight.models.scales import signed_log

ADDITIVE = ("logistic", "boosted_additive")


@pytest.mark.parametrize("name", [*CANDIDATES, CEILING])
def test_candidate_learns_more_than_chance_on_new_leads(name):
    known, new = leads(), leads(seed=1)
    pipeline = fitted(name, known, FEATURES)
    assert roc_auc_score(new["label"], pipeline.decision_function(new)) > 0.75


@pytest.mark.parametrize("name", [*CANDIDATES, CEILING])
def test_same_seed_gives_the_same_margins(name):
    frame = leads(1500)
    first, second = (
        fitted(name, frame, FEATURES, seed=3).decision_function(frame) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ADDITIVE)
def test_changing_one_feature_adds_the_same_whatever_the_others_are(name):
    frame = leads(1500)
    pipeline = fitted(name, frame, FEATURES)
    low = pipeline.decision_function(frame.assign(visits=1))
    high = pipeline.decision_function(frame.assign(visits=9))
    np.testing.assert_allclose(high - low, (high - low)[0], rtol=0, atol=1e-9)
    assert (high > low).all()


def test_scorecard_does_not_extrapolate_beyond_the_training_range():
    frame = leads(1500)
    pipeline = fitted("logistic", frame, FEATURES)
    most = int(frame["visits"].max())
    at_most = pipeline.decision_function(frame.assign(visits=most))
    beyond = pipeline.decision_function(frame.assign(visits=most * 1000))
    np.testing.assert_allclose(beyond, at_most, rtol=0, atol=1e-9)


def test_two_features_that_only_tell_something_together_are_found_as_a_pair():
    frame = leads(4000)
    generator = np.random.default_rng(1)
    frame["revenue"] = generator.normal(size=4000)
    frame["days_since_last"] = generator.normal(size=4000)
    together = (frame["revenue"] > 0) == (frame["days_since_last"] > 0)
    frame["label"] = generator.random(4000) < np.where(together, 0.6, 0.1)
    _, lesson = taught(frame, FEATURES)
    first, second = interacting_pairs(FEATURES, lesson, seed=0)[0]
    assert {FEATURES[first].name, FEATURES[second].name} == {"revenue", "days_since_last"}
    new = frame.sample(frac=1.0, random_state=0)
    alone, pairs = (fitted(name, frame, FEATURES).decision_function(new) for name in CANDIDATES[1:])
    assert roc_auc_score(new["label"], pairs) > roc_auc_score(new["label"], alone) + 0.1


def test_a_direction_is_held_to_only_where_the_data_agree():
    rising = tuple(replace(each, direction=1) for each in FEATURES)
    falling = tuple(replace(each, direction=-1) for each in FEATURES)
    _, lesson = taught(leads(), FEATURES)
    visits = [each.name for each in FEATURES].index("visits")
    assert agreeing_directions(rising, lesson)[visits] == 1
    assert agreeing_directions(falling, lesson)[visits] == 0
    kinds = [each.kind for each in FEATURES]
    for direction, kind in zip(agreeing_directions(rising, lesson), kinds, strict=True):
        assert direction == 0 or kind == "numeric"


def test_more_of_what_is_expected_to_help_never_lowers_the_margin():
    features = (replace(feature("visits"), direction=1), *FEATURES[1:])
    frame = leads(1500)
    pipeline = fitted("boosted_additive", frame, features)
    margins = [pipeline.decision_function(frame.assign(visits=count))[0] for count in range(15)]
    assert np.all(np.diff(margins) >= 0)


@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100))
def test_signed_log_keeps_order_and_sign(one, other):
    low, high = signed_log(np.array(sorted([one, other])))
    assert low <= high
    assert np.sign(low) == np.sign(min(one, other))
