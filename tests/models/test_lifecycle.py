"""The lifecycle as a state machine: what moves a lead, what must never happen, what is logged."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.features.wording import LANGUAGES, Wording
from leadlight.models.exploration import drawn_to_explore, effective_rows
from leadlight.models.lifecycle import Facts, Rules, Status, Verdicts, next_status
from leadlight.models.states import REASONS, STATES, State, allowed_moves
from leadlight.models.transitions import Run, transition_log

START = np.datetime64("2026-01-01", "us")
DAY = np.timedelta64(1, "D")
NEVER = np.datetime64("NaT", "us")
RULES = Rules()
THRESHOLD = 0.3


def one(value: object, kind: str = "datetime64[us]") -> np.ndarray:
    return np.array([value], dtype=kind)


def facts(**known: object) -> Facts:
    """What is known of one lead, created at the start and active on the day before the run."""
    times = ("last_activity_at", "hand_raised_at", "won_at", "lost_at", "accepted_at")
    return Facts(
        created_at=one(START),
        **{name: one(known.get(name, NEVER)) for name in (*times, "rejected_at")},
        **{
            name: one(known.get(name, False), "bool")
            for name in ("open_deal", "disqualified", "unsubscribed")
        },
        **{name: one(known.get(name, -1), "int8") for name in ("bad_fit", "crm_state")},
    )


def scored(probability: float, fit: float = 0.9) -> Verdicts:
    return Verdicts.of(
        one(probability, "float64"),
        (one(fit, "float64"),),
        threshold=THRESHOLD,
        floors=(0.2,),
        hysteresis=0.8,
    )


def run(
    status: Status, day: int, probability: float, *, drawn: bool = False, **known: object
) -> Status:
    as_of = START + day * DAY
    known = {"last_activity_at": as_of - DAY} | known
    return next_status(
        status, facts(**known), scored(probability), RULES, as_of=as_of, drawn=one(drawn, "bool")
    )


def told(status: Status) -> tuple[str, str]:
    return STATES[status.state[0]], REASONS[status.reason[0]].id


NEW = Status.unknown(1)
AN_MQL = run(NEW, 1, 0.5)


def test_a_new_lead_below_the_threshold_is_a_lead_since_its_creation() -> None:
    status = run(NEW, 5, 0.1)
    assert told(status) == ("lead", "new")
    assert status.since[0] == START


def test_a_lead_at_the_threshold_is_an_mql_and_one_just_below_is_not() -> None:
    assert told(run(NEW, 5, THRESHOLD)) == ("mql", "threshold_reached")
    assert told(run(NEW, 5, np.nextafter(THRESHOLD, 0)))[0] == "lead"


def test_a_probability_alone_makes_no_mql_where_fit_is_missing() -> None:
    as_of = START + 5 * DAY
    status = next_status(
        NEW,
        facts(last_activity_at=as_of - DAY),
        scored(0.9, fit=0.1),
        RULES,
        as_of=as_of,
        drawn=one(True, "bool"),
    )
    assert told(status)[0] == "lead"


@pytest.mark.parametrize(
    ("day", "probability", "state"),
    [
        (30, 0.25, "mql"),  # between the lower threshold of 0.24 and the upper one
        (10, 0.05, "mql"),  # faded, and too early to say so
        (30, 0.05, "recycled"),
    ],
)
def test_an_mql_fades_below_the_lower_threshold_and_not_before_its_stay(
    day: int, probability: float, state: str
) -> None:
    assert told(run(AN_MQL, day, probability))[0] == state


def test_two_months_of_silence_recycle_an_mql_whatever_its_score() -> None:
    silent = run(AN_MQL, 70, 0.9, last_activity_at=START + 2 * DAY)
    assert told(silent) == ("recycled", "silent")


def test_a_recycled_lead_comes_back_with_new_interest_after_its_rest() -> None:
    recycled = run(AN_MQL, 30, 0.05)
    assert told(run(recycled, 40, 0.9))[0] == "recycled"
    assert told(run(recycled, 50, 0.9, last_activity_at=START + 20 * DAY))[0] == "recycled"
    assert told(run(recycled, 50, 0.9)) == ("mql", "threshold_reached")


@pytest.mark.parametrize("status", [NEW, AN_MQL])
def test_a_hand_raise_goes_straight_to_sales(status: Status) -> None:
    asked = run(status, 3, 0.01, hand_raised_at=START + 2 * DAY)
    assert told(asked) == ("sql", "hand_raise")


def test_a_win_makes_a_customer_for_good() -> None:
    customer = run(AN_MQL, 20, 0.5, won_at=START + 19 * DAY)
    assert told(customer) == ("customer", "deal_won")
    assert told(run(customer, 400, 0.0, unsubscribed=True))[0] == "customer"


@pytest.mark.parametrize("block", [{"unsubscribed": True}, {"bad_fit": 0}])
def test_who_unsubscribed_or_does_not_fit_is_not_promoted(block: dict[str, object]) -> None:
    assert told(run(NEW, 5, 0.9, **block))[0] == "lead"
    assert told(run(AN_MQL, 5, 0.9, **block))[0] == "recycled"


def test_a_rejection_by_sales_recycles_and_cools_down() -> None:
    rejected = {"rejected_at": START + 9 * DAY}
    status = run(AN_MQL, 10, 0.9, **rejected)
    assert told(status) == ("recycled", "sales_rejected")
    assert told(run(status, 9 + 89, 0.9, **rejected))[0] == "recycled"
    assert told(run(status, 9 + 91, 0.9, **rejected))[0] == "mql"


def test_who_sales_ruled_out_stays_out() -> None:
    out = run(AN_MQL, 10, 0.9, disqualified=True, rejected_at=START + 9 * DAY)
    assert told(out) == ("disqualified", "disqualified")
    assert told(run(out, 300, 0.9, hand_raised_at=START + 299 * DAY))[0] == "disqualified"


def test_a_run_repeated_changes_nothing() -> None:
    again = run(AN_MQL, 1, 0.5)
    assert told(again) == told(AN_MQL)
    assert again.since[0] == AN_MQL.since[0]


def test_a_lead_that_is_tried_is_told_with_its_chance() -> None:
    rules = replace(RULES, exploration_share=0.05)
    as_of = START + 5 * DAY
    known, drawn = facts(last_activity_at=as_of - DAY), one(True, "bool")
    status = next_status(NEW, known, scored(0.1), rules, as_of=as_of, drawn=drawn)
    assert told(status) == ("mql", "exploration")
    assert bool(status.explored[0])
    assert status.propensity[0] == 0.05


def test_the_draw_is_as_large_as_asked_and_the_same_again() -> None:
    leads = np.array([f"L{at}" for at in range(20_000)], dtype=object)
    first = drawn_to_explore(leads, as_of=START, share=0.1, period_days=30, seed=1)
    again = drawn_to_explore(leads, as_of=START, share=0.1, period_days=30, seed=1)
    other = drawn_to_explore(leads, as_of=START, share=0.1, period_days=30, seed=2)
    assert (first == again).all()
    assert abs(first.mean() - 0.1) < 0.01
    assert abs((first & other).mean() - 0.01) < 0.004


def test_unequal_weights_are_worth_fewer_rows() -> None:
    assert effective_rows(np.ones(10)) == 10.0
    assert effective_rows(np.array([1.0, 1.0, 8.0])) == pytest.approx(100 / 66)


histories = st.lists(
    st.fixed_dictionaries(
        {
            "gap": st.integers(1, 40),
            "probability": st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.6, float("nan")]),
            "drawn": st.booleans(),
            "happens": st.sampled_from(
                ["", "", "", "act", "raise", "deal", "close", "won", "lost", "reject", "accept",
                 "rule out", "leave", "return"]
            ),
        }
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(history=histories)
def test_random_histories_hold_what_the_agreement_says(history: list[dict[str, object]]) -> None:
    status, day, known = NEW, 0, {"last_activity_at": START}
    replayed = STATES[State.LEAD]
    moves = allowed_moves()
    for step in history:
        day += int(step["gap"])  # type: ignore[call-overload]
        as_of = START + day * DAY
        known = after(known, str(step["happens"]), as_of - DAY)
        before = status
        probability = float(step["probability"])  # type: ignore[arg-type]
        now, verdicts = facts(**known), scored(probability)
        drawn = one(step["drawn"], "bool")
        status = next_status(before, now, verdicts, RULES, as_of=as_of, drawn=drawn)
        was = max(int(before.state[0]), int(State.LEAD))
        became = int(status.state[0])
        if was != became:
            assert moves[was, became]
            assert status.since[0] == as_of
        if became == State.MQL and was != State.MQL:
            assert not known.get("unsubscribed")
            assert probability >= THRESHOLD or (bool(status.explored[0]) and step["drawn"])
            rejected = known.get("rejected_at", NEVER)
            assert not rejected > as_of - RULES.cooldown_days * DAY
        log = transition_log(
            pa.array(["L"]), before, status, now, verdicts, pa.array(["too small"]),
            Run(as_of, 1, 1),
        )  # fmt: skip
        for row in log.to_pylist():
            assert row["from_state"] == replayed
            assert row["why"]
            replayed = row["to_state"]
        assert replayed == STATES[became]


def test_a_move_is_told_in_the_language_of_the_project() -> None:
    as_of = START + 30 * DAY
    why = {}
    for language in LANGUAGES:
        for event in ("hand_raised_at", "rejected_at"):
            known = facts(**{event: as_of - DAY})
            status = run(AN_MQL, 30, 0.5, **{event: as_of - DAY})
            log = transition_log(
                pa.array(["L"]), AN_MQL, status, known, scored(0.5),
                pa.array([None], pa.string()), Run(as_of, 1, 1), Wording(language),
            )  # fmt: skip
            why[language, event] = log["why"].to_pylist()
    assert why["en", "hand_raised_at"] == ["Asked for sales on 30 January 2026"]
    assert why["de", "hand_raised_at"] == ["Hat nach dem Vertrieb gefragt (30. Januar 2026)"]
    assert why["de", "rejected_at"] == ["Vom Vertrieb abgelehnt: ohne Angabe von Gründen"]
    assert why["es", "rejected_at"] == ["Ventas lo rechazó: sin motivo indicado"]


def after(known: dict[str, object], happens: str, at: np.datetime64) -> dict[str, object]:
    """What is known once something happened."""
    told = {
        "act": {"last_activity_at": at},
        "raise": {"hand_raised_at": at, "last_activity_at": at},
        "deal": {"open_deal": True},
        "close": {"open_deal": False},
        "won": {"won_at": at, "open_deal": False},
        "lost": {"lost_at": at, "open_deal": False},
        "reject": {"rejected_at": at, "accepted_at": NEVER},
        "accept": {"accepted_at": at, "rejected_at": NEVER},
        "rule out": {"rejected_at": at, "accepted_at": NEVER, "disqualified": True},
        "leave": {"unsubscribed": True},
        "return": {"unsubscribed": False},
    }
    return known | told.get(happens, {})
