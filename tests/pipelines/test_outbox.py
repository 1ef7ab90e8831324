"""The outbox: whatever happens in between, a sink ends up knowing where every lead stands."""

from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from scored_leads import ScoredProject

from leadlight.pipelines.delivery.fields import Standing
from leadlight.pipelines.delivery.outbox import (
    Contents,
    Plan,
    Waiting,
    begin,
    give_another_chance,
    plan,
    queue,
    read_outbox,
    settle,
    still_waiting,
)
from leadlight.pipelines.ledger import open_ledger


def standing(lead: str, score: int, state: str = "lead") -> Standing:
    return Standing(lead, score, "B", state, f"{score}-{state}")


def sent(*standings: Standing) -> Contents:
    return Contents({each.lead_id: each for each in standings}, {})


def test_a_lead_that_stands_where_it_stood_is_not_sent() -> None:
    assert plan(sent(standing("a", 5)), [standing("a", 5)]).send == ()


def test_changed_states_go_first_then_the_higher_scores() -> None:
    planned = plan(
        sent(standing("a", 5), standing("b", 5, "mql")),
        [standing("a", 6), standing("b", 4), standing("c", 9)],
    )
    assert [change.standing.lead_id for change in planned.send] == ["b", "c", "a"]
    assert planned.share_changing_state == 0.5


def test_a_change_keeps_its_key_until_the_lead_moves_on() -> None:
    first = plan(sent(), [standing("a", 5)]).send[0]
    again = plan(Contents({}, {"a": first}), [standing("a", 5)])
    assert again.send == (first,)
    assert again.added == ()
    moved = plan(Contents({}, {"a": first}), [standing("a", 6)])
    assert moved.send[0].key != first.key


def test_what_was_never_sent_is_dropped_when_the_lead_moves_back() -> None:
    contents = Contents({"a": standing("a", 5)}, {"a": Waiting(standing("a", 6), "key")})
    planned = plan(contents, [standing("a", 5)])
    assert (planned.send, planned.dropped, planned.forgotten) == ((), ("a",), ())


def test_what_may_have_arrived_is_taken_back_by_a_change_of_its_own() -> None:
    waiting = Waiting(standing("a", 6), "key", batch="one", attempts=1)
    planned = plan(Contents({"a": standing("a", 5)}, {"a": waiting}), [standing("a", 5)])
    assert [(change.standing.score, change.key != "key") for change in planned.send] == [(5, True)]


def test_a_dead_letter_is_not_sent_again_until_the_lead_moves_on(tmp_path: Path) -> None:
    config = ScoredProject(tmp_path).configure("  sinks: []\n")
    first = plan(sent(), [standing("a", 5)])
    with open_ledger(config) as ledger:
        queue(ledger, "crm", first)
        settle(ledger, "crm", [], {"a": "no such contact"})
    with open_ledger(config) as ledger:
        assert still_waiting(ledger, "crm") == (0, {"a": "no such contact"})
        contents = read_outbox(ledger, "crm")
    assert plan(contents, [standing("a", 5)]).send == ()
    assert len(plan(contents, [standing("a", 6)]).send) == 1
    with open_ledger(config) as ledger:
        give_another_chance(ledger, "crm")
        (again,) = plan(read_outbox(ledger, "crm"), [standing("a", 5)]).send
    assert again.key != first.send[0].key


class Receiver:
    """A sink that takes each key once, beside the outbox as the ledger would hold it."""

    def __init__(self) -> None:
        self.has: dict[str, str] = {}
        self.effects: Counter[str] = Counter()
        self.contents = Contents({}, {})

    def queue(self, planned: Plan) -> None:
        gone = {*planned.dropped}
        waiting = {k: v for k, v in self.contents.waiting.items() if k not in gone}
        waiting |= {change.standing.lead_id: change for change in planned.added}
        kept = {k: v for k, v in self.contents.sent.items() if k not in planned.forgotten}
        self.contents = Contents(kept, waiting)

    def send(self, change: Waiting, fate: str) -> None:
        lead = change.standing.lead_id
        waiting = dict(self.contents.waiting)
        waiting[lead] = Waiting(change.standing, change.key, "batch", change.attempts + 1)
        if fate != "lost" and not self.effects[change.key]:
            self.effects[change.key] += 1
            self.has[lead] = change.standing.fingerprint
        known = dict(self.contents.sent)
        if fate == "confirmed":
            del waiting[lead]
            known[lead] = change.standing
        self.contents = Contents(known, waiting)


nights = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abc"), st.integers(1, 2)),
        st.lists(st.sampled_from(["confirmed", "arrived", "lost"]), max_size=3),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(nights)
def test_whatever_is_lost_or_unconfirmed_the_last_run_makes_it_right(
    history: list[tuple[dict[str, int], list[str]]],
) -> None:
    receiver = Receiver()
    for scores, fates in history:
        planned = plan(receiver.contents, [standing(k, score) for k, score in scores.items()])
        receiver.queue(planned)
        for change, fate in zip(planned.send, fates, strict=False):
            receiver.send(change, fate)
    final = [standing(lead, 1) for lead in "abc"]
    planned = plan(receiver.contents, final)
    receiver.queue(planned)
    for change in planned.send:
        receiver.send(change, "confirmed")
    assert receiver.has == {each.lead_id: each.fingerprint for each in final}
    assert set(receiver.effects.values()) <= {1}
    assert plan(receiver.contents, final).send == ()


def test_the_ledger_holds_what_was_begun_and_settled(tmp_path: Path) -> None:
    config = ScoredProject(tmp_path).configure("  sinks: []\n")
    planned = plan(sent(), [standing("a", 5), standing("b", 7, "mql")])
    with open_ledger(config) as ledger:
        queue(ledger, "crm", planned)
        begin(ledger, "crm", "one", planned.send)
    with open_ledger(config) as ledger:
        contents = read_outbox(ledger, "crm")
        assert {w.batch for w in contents.waiting.values()} == {"one"}
        assert {w.attempts for w in contents.waiting.values()} == {1}
        settle(ledger, "crm", [standing("b", 7, "mql")], {})
    with open_ledger(config) as ledger:
        contents = read_outbox(ledger, "crm")
    assert contents.sent == {"b": standing("b", 7, "mql")}
    assert list(contents.waiting) == ["a"]
