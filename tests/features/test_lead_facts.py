"""The facts that decide a lead's state, against a loop over one lead at a time."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from oracle import START, Deal, Event, Judgement, Lead, Link, World, random_world, write_tables

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ConfigError
from leadlight.features.lead_facts import FactRules, lead_facts

HOUR = 3_600_000_000
OWN_ACTS = {"page_view", "Email Click", "download", "email_open", "demo_request"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


@dataclass(frozen=True)
class Known:
    """What an obvious loop finds of one lead."""

    last_activity_at: int
    hand_raised_at: int | None
    won_at: int | None
    lost_at: int | None
    accepted_at: int | None
    rejected_at: int | None
    open_deal: bool
    unsubscribed: bool
    bad_fit: int


def known_of(world: World, lead: Lead, as_of: int) -> Known:
    acted, raised, left, came = [lead.created_at], [], [], []
    for event in world.events:
        since = _known_from(world, event, lead)
        if since is None or since >= as_of:
            continue
        if event.event_type in OWN_ACTS:
            acted.append(event.occurred_at)
        if event.event_type == "demo_request":
            raised.append(since)
            came.append(since)
        if event.event_type == "unsubscribe":
            left.append(since)
    deals = [deal for deal in world.deals if deal.lead_id == lead.lead_id]
    closed = [deal for deal in deals if deal.closed_at is not None and deal.closed_at < as_of]
    last = max(
        (
            each
            for each in world.judgements
            if each.lead_id == lead.lead_id and each.decided_at < as_of
        ),
        key=lambda each: (each.decided_at, not each.accepted),
        default=None,
    )
    return Known(
        last_activity_at=max(acted),
        hand_raised_at=max(raised, default=None),
        won_at=max((deal.closed_at for deal in closed if deal.won), default=None),
        lost_at=max((deal.closed_at for deal in closed if not deal.won), default=None),
        accepted_at=last.decided_at if last and last.accepted else None,
        rejected_at=last.decided_at if last and not last.accepted else None,
        open_deal=any(_is_open(deal, as_of) for deal in deals),
        unsubscribed=bool(left) and max(left) >= max(came, default=0),
        bad_fit=0 if lead.job_title == "Student" else -1,
    )


def _known_from(world: World, event: Event, lead: Lead) -> int | None:
    """When an event was known to be the lead's."""
    known = max(event.occurred_at, event.recorded_at or event.occurred_at)
    if event.lead_id == lead.lead_id:
        return known
    links = [
        link.linked_at
        for link in world.links
        if link.alias == event.lead_id and link.lead_id == lead.lead_id
    ]
    return max(known, min(links)) if links and event.lead_id is not None else None


def _is_open(deal: Deal, as_of: int) -> bool:
    if deal.closed_at is not None and deal.closed_at < as_of:
        return False
    if deal.opened_at is None:
        # Neither date is known: it was opened before anybody looked.
        return deal.closed_at is None
    return deal.opened_at < as_of


def found(world: World, directory: Path, as_of: int, rules: FactRules) -> dict[str, dict]:
    tables = write_tables(world, directory)
    with DuckDBEngine(threads=1) as engine:
        sql = lead_facts(engine, tables, moment(as_of), rules)
        return {row["lead_id"]: row for row in engine.table(sql).to_pylist()}


@pytest.mark.parametrize("seed", range(40))
def test_facts_are_what_a_loop_over_one_lead_finds(tmp_path: Path, seed: int) -> None:
    world = random_world(seed)
    # Whose a deal of an account is, is proved with the outcomes.
    world = replace(world, deals=[deal for deal in world.deals if deal.lead_id is not None])
    for as_of in (START + 20 * 24 * HOUR, START + 41 * 12 * HOUR + 1):
        facts = found(world, tmp_path / str(as_of), as_of, FactRules())
        created = {lead.lead_id: lead for lead in world.leads if lead.created_at < as_of}
        assert facts.keys() == created.keys()
        for lead_id, lead in created.items():
            expected = {
                name: moment(value) if name.endswith("_at") and value is not None else value
                for name, value in vars(known_of(world, lead, as_of)).items()
            }
            assert {name: facts[lead_id][name] for name in expected} == expected, lead_id


def one_lead(**more: list) -> World:
    return World(leads=[Lead("L0", START)], **more)


def test_what_happens_at_as_of_is_not_seen_and_a_late_arrival_counts_from_when_it_is_known(
    tmp_path: Path,
) -> None:
    as_of = START + 10 * HOUR
    demo = Event(START + HOUR, "demo_request", "L0", recorded_at=as_of)
    late = one_lead(events=[demo])
    assert found(late, tmp_path / "a", as_of, FactRules())["L0"]["hand_raised_at"] is None
    seen = found(late, tmp_path / "b", as_of + 1, FactRules())["L0"]
    assert seen["hand_raised_at"] == moment(as_of)
    assert seen["last_activity_at"] == moment(START + HOUR)
    for tie in (
        one_lead(events=[Event(as_of, "demo_request", "L0")]),
        one_lead(judgements=[Judgement("L0", as_of, accepted=True)]),
        one_lead(deals=[Deal(won=True, lead_id="L0", opened_at=as_of, closed_at=as_of)]),
        one_lead(events=[Event(START, "demo_request", "V")], links=[Link("V", as_of, "L0")]),
    ):
        facts = found(tie, tmp_path / "c", as_of, FactRules())["L0"]
        assert facts["hand_raised_at"] is facts["accepted_at"] is facts["won_at"] is None
        assert not facts["open_deal"]


def test_an_event_type_of_the_project_s_own_asks_for_sales(tmp_path: Path) -> None:
    world = one_lead(events=[Event(START, "download", "L0")])
    rules = FactRules(hand_raises=["Download"])
    assert found(world, tmp_path, START + 1, rules)["L0"]["hand_raised_at"] == moment(START)


def test_rules_of_bad_fit_are_numbered_in_order_and_students_come_first(tmp_path: Path) -> None:
    leads = [
        Lead("a", START, job_title="Student"),
        Lead("b", START, account_id="rival"),
        Lead("c", START, account_id="fine"),
    ]
    rules = FactRules(bad_fit={"rival": "account_id = 'rival' -- a comment"})
    facts = found(World(leads=leads), tmp_path, START + 1, rules)
    assert [facts[lead]["bad_fit"] for lead in "abc"] == [0, 1, -1]
    assert rules.rule_names == ("student", "rival")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (FactRules(bad_fit={"x": "countr = 'DE'"}), "lifecycle.bad_fit.x"),
        (FactRules(crm_column="stag"), "leads have no column 'stag'"),
    ],
)
def test_a_rule_over_a_column_that_is_not_there_is_named(
    tmp_path: Path, rules: FactRules, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        found(one_lead(), tmp_path, START + 1, rules)
