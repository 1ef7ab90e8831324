"""Decisions of sales beside the score, and as labels of their own."""

import numpy as np
import pandas as pd
import pytest
from fitted_candidate import fitted
from lead_frames import feature

from leadlight.models.feedback import feedback_evidence, feedback_weight

START = pd.Timestamp("2024-03-01", tz="UTC").as_unit("us")


def day(number: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def held_out(rows: list[tuple[str, float, float, bool]]) -> pd.DataFrame:
    """Snapshots as (lead, day, probability, won)."""
    lead, at, probability, won = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "lead_id": lead,
            "account_id": pd.Series([None] * len(rows), dtype="str"),
            "as_of": pd.Series([day(number) for number in at]).dt.as_unit("us"),
            "label": won,
            "probability": probability,
        }
    )


def judged(rows: list[tuple[str, float, float, bool, str | None]]) -> pd.DataFrame:
    """Decisions as (lead, day of the snapshot, day of the decision, accepted, reason)."""
    frame = pd.DataFrame(rows, columns=["lead_id", "as_of", "decided_at", "accepted", "reason"])
    for column in ("as_of", "decided_at"):
        frame[column] = pd.Series([day(number) for number in frame[column]]).dt.as_unit("us")
    return frame.astype({"reason": "str"})


def test_each_decision_is_put_beside_the_latest_probability_before_it():
    scored = held_out([("A", 0, 0.1, False), ("A", 10, 0.4, False), ("B", 0, 0.2, True)])
    found = feedback_evidence(
        scored,
        judged(
            [
                ("A", 0, 12, True, None),
                ("A", 10, 12, True, None),
                ("B", 0, 3, False, "student"),
                ("B", -30, 3, False, "student"),  # a snapshot that was not held out
                ("C", 0, 3, False, "student"),
            ]
        ),
        seed=0,
    )
    assert found is not None
    assert (found.accepted.rows, found.accepted.probability.value) == (1, 0.4)
    assert (found.rejected.rows, found.rejected.probability.value) == (1, 0.2)
    assert (found.accepted.won.value, found.rejected.won.value) == (0, 1)


def test_several_decisions_on_a_lead_count_each():
    scored = held_out([("A", 0, 0.1, False), ("A", 10, 0.4, False)])
    found = feedback_evidence(
        scored, judged([("A", 0, 5, False, "budget"), ("A", 10, 15, False, "budget")]), seed=0
    )
    assert found is not None
    assert found.rejected.rows == 2
    assert found.rejected.probability.value == pytest.approx(0.25)


def test_rejections_are_told_by_reason_the_most_frequent_first():
    leads = [(f"L{at}", 0.0, 0.1 * at, False) for at in range(1, 7)]
    reasons = ["small", "student", "student", None, "small", "small"]
    found = feedback_evidence(
        held_out(leads),
        judged([(lead, 0, 1, False, why) for (lead, *_), why in zip(leads, reasons, strict=True)]),
        seed=0,
    )
    assert found is not None
    told = found.to_dict()
    assert [(each["reason"], each["rows"]) for each in told["by_reason"]] == [
        ("small", 3),
        ("student", 2),
        ("no reason given", 1),
    ]
    assert told["by_reason"][0]["mean_probability"] == pytest.approx((0.1 + 0.5 + 0.6) / 3)
    assert told["agreement"]["value"] is None
    assert told["mean_probability_accepted"] is None
    assert told["rows"] == told["rejected"] == 6


def test_agreement_is_the_chance_that_the_accepted_lead_had_the_higher_probability():
    generator = np.random.default_rng(0)
    probability = generator.random(400)
    agree, apart = probability > 0.5, generator.random(400) < 0.5
    scored = held_out([(f"L{at}", 0, value, False) for at, value in enumerate(probability)])

    def agreement(accepted: np.ndarray):
        decisions = [(f"L{at}", 0, 1, bool(said), None) for at, said in enumerate(accepted)]
        found = feedback_evidence(scored, judged(decisions), seed=0)
        assert found is not None
        return found.agreement

    assert agreement(agree).value == 1
    assert agreement(~agree).value == 0
    assert agreement(apart).low < 0.5 < agreement(apart).high


def test_the_mean_probability_has_an_interval_that_counts_leads_not_rows():
    generator = np.random.default_rng(1)
    once = [(f"L{at}", 0.0, float(p), False) for at, p in enumerate(generator.random(50))]
    often = [(lead, float(at), p, won) for lead, _, p, won in once for at in range(20)]

    def width(rows):
        decisions = [(lead, at, at + 0.5, False, None) for lead, at, *_ in rows]
        found = feedback_evidence(held_out(rows), judged(decisions), seed=0)
        assert found is not None
        return found.rejected.probability.high - found.rejected.probability.low

    assert width(often) == pytest.approx(width(once), rel=0.05)


def test_no_decision_on_a_held_out_lead_is_no_evidence():
    scored = held_out([("A", 0, 0.1, False)])
    assert feedback_evidence(scored, judged([("B", 0, 1, True, None)]), seed=0) is None


def test_a_verdict_that_agrees_with_the_outcome_counts_as_a_second_label():
    frame = held_out(
        [(lead, 0, 0.5, won) for lead, won in zip("ABCDE", [0, 0, 1, 1, 0], strict=True)]
    )
    frame["label"] = frame["label"].astype(bool)
    verdicts = [("A", False), ("B", True), ("C", False), ("D", True)]
    decisions = judged([(lead, 0, 1, accepted, None) for lead, accepted in verdicts])
    assert feedback_weight(frame, decisions).tolist() == [2, 1, 1, 2, 1]


def test_the_last_decision_within_the_horizon_is_the_verdict():
    frame = held_out([("A", 0, 0.5, False), ("A", 10, 0.5, False)])
    decisions = judged(
        [("A", 0, 12, False, None), ("A", 0, 20, True, None), ("A", 10, 12, False, None)]
    )
    assert feedback_weight(frame, decisions).tolist() == [1, 2]


def test_what_sales_knows_before_outcomes_tell_moves_the_model():
    """Students never buy; too few were there for outcomes to say so, but sales rejects them."""
    generator = np.random.default_rng(2)
    rows = 600
    student = generator.random(rows) < 0.1
    won = ~student & (generator.random(rows) < 0.06)
    frame = held_out([(f"L{at}", 0, 0.5, bool(label)) for at, label in enumerate(won)])
    frame["student"] = student.astype(float)
    frame["visits"] = generator.poisson(3, rows).astype(float)
    rejected = np.flatnonzero(student)
    decisions = judged([(f"L{at}", 0, 1, False, "student") for at in rejected])
    features = (feature("student"), feature("visits"))

    def gap(weight: np.ndarray) -> float:
        model = fitted("logistic", frame, features, weight=weight)
        margin = model.decision_function(frame)
        return float(margin[student].mean() - margin[~student].mean())

    without, told = gap(np.ones(rows)), gap(feedback_weight(frame, decisions))
    assert told < without - 0.1
    assert told > without - np.log(2) - 0.05
