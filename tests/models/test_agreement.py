"""The agreement in figures: cohorts by month, the promise, and when a review is due."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from leadlight.models.agreement import (
    Month,
    Standing,
    acceptance,
    is_due,
    months,
    realised,
    rejections,
    review,
)
from leadlight.models.bootstrap import Estimate


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def log(*moves: tuple[str, str, str, str]) -> pd.DataFrame:
    rows = [
        {"lead_id": lead, "as_of": day(at), "to_state": to, "reason": why}
        for lead, at, to, why in moves
    ]
    return pd.DataFrame(rows)


FEEDBACK = pd.DataFrame(
    {
        "lead_id": ["a", "b", "c", "d"],
        "decided_at": list(map(day, ["2026-01-20", "2026-02-02", "2026-02-03", "2026-02-04"])),
        "accepted": [True, False, False, True],
        "reason": [None, "No budget", None, None],
    }
)
MOVES = log(
    ("a", "2026-01-05", "mql", "threshold_reached"),
    ("a", "2026-01-20", "sql", "sales_accepted"),
    ("b", "2026-01-31", "mql", "threshold_reached"),
    ("b", "2026-02-02", "recycled", "sales_rejected"),
    ("b", "2026-02-20", "mql", "threshold_reached"),  # not for the first time
    ("c", "2026-02-01", "sql", "hand_raise"),
    ("d", "2026-02-03", "mql", "threshold_reached"),
    ("d", "2026-02-04", "sql", "sales_accepted"),
    ("a", "2026-03-01", "customer", "deal_won"),
)


def test_a_month_counts_leads_that_became_mqls_in_it_and_what_came_of_them_later() -> None:
    assert months(MOVES, FEEDBACK) == [
        Month("2026-01", mqls=2, sqls=1, customers=1, raised=0, judged=1, accepted=1),
        Month("2026-02", mqls=1, sqls=1, customers=0, raised=1, judged=3, accepted=1),
    ]


def test_a_promise_is_judged_on_promotions_whose_horizon_is_over_alone() -> None:
    wins = pd.DataFrame(
        {
            "lead_id": ["a", "b", "d"],
            # At the end of the horizon a win no longer counts; before the promotion neither.
            "closed_at": [day("2026-02-03"), day("2026-03-02"), day("2026-02-10")],
        }
    )
    told = realised(MOVES, wins, horizon_days=30, known_until=day("2026-03-02"))
    assert told.value == 1 / 2  # a is won in time, b on the day that is too late; others are young
    nobody = realised(MOVES, wins, horizon_days=30, known_until=day("2026-01-10"))
    assert nobody.value != nobody.value


def test_only_recent_verdicts_count() -> None:
    since = day("2026-02-01")
    assert acceptance(FEEDBACK, since=since).value == pytest.approx(1 / 3)
    assert rejections(FEEDBACK, since=since) == [("No budget", 1), ("no reason given", 1)]


FINE = Standing(
    today=date(2026, 3, 1),
    review_on=date(2026, 6, 1),
    base_rate=0.02,
    recent_rate=Estimate(0.021, 0.018, 0.024),
    acceptance=Estimate(0.6, 0.5, 0.7),
    least_acceptance=0.5,
    mql_share=0.1,
    promised=0.2,
    realised=Estimate(0.22, 0.18, 0.26),
)


@pytest.mark.parametrize(
    ("change", "what", "said"),
    [
        ({"today": date(2026, 6, 1)}, "Age", "was due on 2026-06-01"),
        ({"recent_rate": Estimate(0.04, 0.03, 0.05)}, "Base rate", "4.0% do now"),
        ({"acceptance": Estimate(0.3, 0.2, 0.4)}, "Acceptance", "Sales accepts 30%"),
        ({"mql_share": 0.35}, "Volume", "the stage has lost its meaning"),
        ({"realised": Estimate(0.1, 0.05, 0.15)}, "Promise", "expected were 20.0%"),
    ],
)
def test_a_review_is_due_for_the_reason_that_holds(
    change: dict[str, object], what: str, said: str
) -> None:
    assert not is_due(review(FINE))
    concerns = review(replace(FINE, **change))
    assert [concern.what for concern in concerns if concern.is_due] == [what]
    assert any(said in concern.sentence for concern in concerns)


@pytest.mark.parametrize(
    "change",
    [
        {"acceptance": Estimate(0.0, 0.0, 0.8)},  # of two verdicts
        {"recent_rate": Estimate(0.0215, 0.0205, 0.0225)},  # surely moved, and hardly
        {"realised": Estimate(0.1, 0.02, 0.4)},  # of a handful
    ],
)
def test_what_chance_explains_or_hardly_matters_makes_no_review(change: dict[str, object]) -> None:
    assert not is_due(review(replace(FINE, **change)))
