"""The candidates are additive, deterministic, and take what real columns hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead_frames import FEATURES, leads
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from leadlight.models.candidates import candidates, signed_log

NAMES = ("logistic", "boosted_additive")


@pytest.mark.parametrize("name", NAMES)
def test_candidate_learns_more_than_chance_on_new_leads(name):
    known, new = leads(), leads(seed=1)
    pipeline = candidates(FEATURES, seed=0)[name].fit(known, known["label"])
    assert roc_auc_score(new["label"], pipeline.decision_function(new)) > 0.75


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_the_same_margins(name):
    frame = leads(1500)
    pipeline = candidates(FEATURES, seed=3)[name]
    first = clone(pipeline).fit(frame, frame["label"]).decision_function(frame)
    second = clone(pipeline).fit(frame, frame["label"]).decision_function(frame)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_changing_one_feature_adds_the_same_whatever_the_others_are(name):
    frame = leads(1500)
    pipeline = candidates(FEATURES, seed=0)[name].fit(frame, frame["label"])
    low = pipeline.decision_function(frame.assign(visits=1))
    high = pipeline.decision_function(frame.assign(visits=9))
    np.testing.assert_allclose(high - low, (high - low)[0], rtol=0, atol=1e-9)
    assert (high > low).all()


def test_scorecard_does_not_extrapolate_beyond_the_training_range():
    frame = leads(1500)
    pipeline = candidates(FEATURES, seed=0)["logistic"].fit(frame, frame["label"])
    most = int(frame["visits"].max())
    at_most = pipeline.decision_function(frame.assign(visits=most))
    beyond = pipeline.decision_function(frame.assign(visits=most * 1000))
    np.testing.assert_allclose(beyond, at_most, rtol=0, atol=1e-9)


@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100))
def test_signed_log_keeps_order_and_sign(one, other):
    low, high = signed_log(np.array(sorted([one, other])))
    assert low <= high
    assert np.sign(low) == np.sign(min(one, other))
