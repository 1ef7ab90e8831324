"""Exploration in training: what each snapshot stands for, and what that does to a model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_frames import FEATURES, dated, leads

from leadlight.models.exploration import follow_up_weight
from leadlight.models.lifecycle import Facts, Rules, Status, Verdicts, next_status
from leadlight.models.states import State
from leadlight.models.training import train_model

NEVER = np.datetime64("NaT", "us")


def test_one_tried_with_a_chance_of_a_twentieth_stands_for_twenty() -> None:
    followed = np.array([True, True, False, False])
    chance = np.array([0.05, 1.0, np.nan, np.nan])
    governed = np.array([True, True, True, False])
    assert follow_up_weight(followed, chance, governed).tolist() == [20.0, 1.0, 0.0, 1.0]


@settings(max_examples=50, deadline=None)
@given(share=st.floats(0.05, 0.5), seed=st.integers(0, 1000))
def test_what_was_tried_stands_for_all_that_could_have_been(share: float, seed: int) -> None:
    tried = np.random.default_rng(seed).random(20_000) < share
    weight = follow_up_weight(tried, np.where(tried, share, np.nan), np.ones(20_000, bool))
    assert weight.sum() == pytest.approx(20_000, rel=6 * np.sqrt((1 - share) / share / 20_000))


@pytest.mark.parametrize(
    ("probability", "raised", "explored", "chance"),
    [(0.1, False, True, 0.05), (0.5, False, False, 1.0), (0.1, True, False, 1.0)],
)
def test_a_tried_lead_that_earns_its_place_is_there_for_sure(
    probability: float, raised: bool, explored: bool, chance: float
) -> None:
    as_of = np.datetime64("2026-02-01", "us")
    before, never = np.array([as_of - np.timedelta64(1, "D")]), np.array([NEVER])
    no, nobody = np.zeros(1, bool), np.full(1, -1, np.int8)
    facts = Facts(
        before, before, before if raised else never, never, never, never, never, no, no, no,
        nobody, nobody,
    )  # fmt: skip
    tried = Status(
        np.array([State.MQL], np.int8), before - np.timedelta64(5, "D"), np.array([2], np.int8),
        ~no, np.array([0.05]),
    )  # fmt: skip
    verdict = Verdicts.of(np.array([probability]), (), threshold=0.3, floors=(), hysteresis=0.6)
    rules = replace(Rules(), exploration_share=0.05)
    status = next_status(tried, facts, verdict, rules, as_of=as_of, drawn=~no)
    assert bool(status.explored[0]) == explored
    assert status.propensity[0] == chance


def test_labels_of_leads_that_nobody_tried_change_nothing_that_is_learned() -> None:
    frame = dated(leads(2500), dates=20)
    tried = np.random.default_rng(0).random(len(frame)) < 0.6
    weighted = frame.assign(stands_for=np.where(tried, 1 / 0.6, 0.0))
    truth = train_model(weighted, FEATURES, horizon_days=60, seed=0)
    spoiled = weighted.assign(label=frame["label"].where(pd.Series(tried, frame.index), False))
    result = train_model(spoiled, FEATURES, horizon_days=60, seed=0)
    np.testing.assert_array_equal(result.final.probability(frame), truth.final.probability(frame))
    assert result.evaluation == truth.evaluation
    assert len(result.held_out) == len(result.windows.test) > result.evaluation.rows
