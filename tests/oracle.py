"""Small worlds, and what their features are: loops over one lead at a time, to be obvious.

Nothing here uses the kernel, the SQL builders or the catalog; names, kinds and windows are spelled
out anew, so that a mistake would have to be made twice.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadlight.features.tables import CanonicalTables

DAY = 86_400_000_000
START = int(datetime(2024, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000
TIME = pa.timestamp("us", tz="UTC")
PAGES = {
    "https://acme.example/Pricing?utm=1": "pricing",
    "/blog/on-pricing": "blog",
    "https://acme.example/product#top": "product",
    "https://acme.example/": None,
    "not a page": None,
    None: None,
}


TITLES = ("Managing Director", "Marketing Manager", "VP Sales", "Student", "unheard of", None)
EVENT_TYPES = (
    *("page_view", "page_view", "page_view", "Email Click", "download"),
    *("email_send", "email_open", "unsubscribe", "call", "demo_request"),
)


@dataclass(frozen=True)
class Lead:
    lead_id: str
    created_at: int
    account_id: str | None = None
    job_title: str | None = None


@dataclass(frozen=True)
class Event:
    occurred_at: int
    event_type: str
    lead_id: str | None = None
    account_id: str | None = None
    recorded_at: int | None = None
    detail: str | None = None
    value: float | None = None


@dataclass(frozen=True)
class Link:
    alias: str
    linked_at: int
    lead_id: str


@dataclass(frozen=True)
class Deal:
    won: bool
    lead_id: str | None = None
    account_id: str | None = None
    opened_at: int | None = None
    closed_at: int | None = None
    deal_id: str | None = None


@dataclass(frozen=True)
class Judgement:
    """What sales made of an MQL."""

    lead_id: str
    decided_at: int
    accepted: bool


@dataclass(frozen=True)
class World:
    leads: list[Lead] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    snapshots: list[tuple[str, int]] = field(default_factory=list)


def random_world(seed: int) -> World:
    """Ties, late arrivals, duplicates, silent leads, aliases linked half-way, accounts' events.

    Times lie on a grid of twelve hours, some a microsecond beside it, so that events often fall on
    a snapshot's instant, on the edge of a window, and on midnight.
    """
    rng = np.random.default_rng(seed)

    def instant(days: float = 60) -> int:
        return START + int(rng.integers(0, days * 2)) * DAY // 2 + int(rng.integers(-1, 2))

    def pick(*options: object) -> object:
        return options[int(rng.integers(0, len(options)))]

    leads = [
        Lead(f"L{number}", instant(20), pick("A1", "A2", None), pick(*TITLES))
        for number in range(int(rng.integers(1, 8)))
    ]
    names = [lead.lead_id for lead in leads]
    links = [
        Link(f"V{int(rng.integers(0, 3))}", instant(), str(pick(*names))) for _ in range(4)
    ] + [Link("L0", instant(), names[-1])]
    events = []
    for _ in range(int(rng.integers(0, 60))):
        occurred = instant()
        who = pick(*names, *names, "V0", "V1", "V2", "nobody", None)
        events.append(
            Event(
                occurred_at=occurred,
                event_type=str(pick(*EVENT_TYPES)),
                lead_id=who,
                account_id=pick("A1", "A2", "A9", None) if who is None else None,
                recorded_at=pick(None, occurred, instant(), occurred - DAY),
                detail=pick(*PAGES),
                value=pick(None, None, 0.0, 0.1, 12.5, -3.0),
            )
        )
    # Visits: views half an hour after one another, give or take the smallest moment.
    for _ in range(int(rng.integers(0, 4))):
        moment, who = instant(), pick(*names)
        for _ in range(4):
            events.append(Event(moment, "page_view", who, detail=pick(*PAGES), value=1.5))
            moment += 30 * 60 * 1_000_000 + int(rng.integers(-1, 2))
    events += events[:5]
    deals = [
        Deal(
            won=bool(rng.integers(0, 2)),
            lead_id=who,
            account_id=pick("A1", "A2", None) if who else str(pick("A1", "A2")),
            opened_at=pick(None, instant()),
            closed_at=pick(None, instant(), instant()),
            deal_id=pick(None, None),
        )
        for who in (pick(*names, None) for _ in range(int(rng.integers(0, 6))))
    ]
    # A deal has one fate, however many contacts.
    deals += [
        replace(deal, lead_id=who, deal_id=f"D{at}")
        for at, deal in enumerate(deals[:2])
        for who in names[:2]
    ]
    judgements = [
        Judgement(str(pick(*names)), instant(), bool(rng.integers(0, 2)))
        for _ in range(int(rng.integers(0, 5)))
    ]
    snapshots = sorted({(str(pick(*names)), instant()) for _ in range(12)})
    return World(leads, events, links, deals, judgements, snapshots)


def kind_of(event: Event) -> str:
    kind = {"Email Click": "email_click"}.get(event.event_type, event.event_type)
    if kind == "page_view" and event.detail is not None:
        return f"{kind}_{PAGES[event.detail] or 'other'}"
    return kind


def seen(world: World, lead: Lead, as_of: int) -> list[Event]:
    """The events that a snapshot sees."""
    visible = []
    for event in world.events:
        known = max(event.occurred_at, event.recorded_at or event.occurred_at)
        if event.lead_id == lead.lead_id:
            if known < as_of:
                visible.append(event)
        elif event.lead_id is None:
            of_account = event.account_id is not None and event.account_id == lead.account_id
            if of_account and known < as_of:
                visible.append(event)
        else:
            links = [
                link.linked_at
                for link in world.links
                if link.alias == event.lead_id and link.lead_id == lead.lead_id
            ]
            if links and max(known, min(links)) < as_of:
                visible.append(event)
    return visible


def at_risk(world: World, lead: Lead, as_of: int, cooldown_days: int) -> bool:
    """Whether the lead is in the at-risk population; every deal names its contact."""
    if not lead.created_at < as_of:
        return False
    for deal in world.deals:
        if deal.lead_id != lead.lead_id:
            continue
        closed_before = deal.closed_at is not None and deal.closed_at < as_of
        if deal.won and closed_before:
            return False
        if deal.opened_at is not None and deal.opened_at < as_of and not closed_before:
            return False
        if not deal.won and closed_before and as_of - deal.closed_at < cooldown_days * DAY:
            return False
    return True


def is_won(world: World, lead: Lead, as_of: int, horizon_days: int) -> bool:
    """Whether a win falls into ``[as_of, as_of + horizon)``."""
    return any(
        deal.won
        and deal.lead_id == lead.lead_id
        and deal.closed_at is not None
        and as_of <= deal.closed_at < as_of + horizon_days * DAY
        for deal in world.deals
    )


def write_tables(world: World, directory: Path, **more: dict[str, list[object]]) -> CanonicalTables:
    """Write a world as canonical tables; ``more`` adds columns (``leads={"source": [...]}``)."""
    rows = {
        "leads": {
            "lead_id": pa.array([lead.lead_id for lead in world.leads], pa.string()),
            "created_at": pa.array([lead.created_at for lead in world.leads], TIME),
            "account_id": pa.array([lead.account_id for lead in world.leads], pa.string()),
            "job_title": pa.array([lead.job_title for lead in world.leads], pa.string()),
        },
        "events": {
            "lead_id": pa.array([event.lead_id for event in world.events], pa.string()),
            "account_id": pa.array([event.account_id for event in world.events], pa.string()),
            "occurred_at": pa.array([event.occurred_at for event in world.events], TIME),
            "event_type": pa.array([event.event_type for event in world.events], pa.string()),
            "recorded_at": pa.array([event.recorded_at for event in world.events], TIME),
            "detail": pa.array([event.detail for event in world.events], pa.string()),
            "value": pa.array([event.value for event in world.events], pa.float64()),
        },
        "identities": {
            "alias": pa.array([link.alias for link in world.links], pa.string()),
            "linked_at": pa.array([link.linked_at for link in world.links], TIME),
            "lead_id": pa.array([link.lead_id for link in world.links], pa.string()),
        },
        "feedback": {
            "lead_id": pa.array([each.lead_id for each in world.judgements], pa.string()),
            "decided_at": pa.array([each.decided_at for each in world.judgements], TIME),
            "accepted": pa.array([each.accepted for each in world.judgements], pa.bool_()),
        },
        "outcomes": {
            "deal_id": pa.array([deal.deal_id for deal in world.deals], pa.string()),
            "lead_id": pa.array([deal.lead_id for deal in world.deals], pa.string()),
            "account_id": pa.array([deal.account_id for deal in world.deals], pa.string()),
            "opened_at": pa.array([deal.opened_at for deal in world.deals], TIME),
            "closed_at": pa.array([deal.closed_at for deal in world.deals], TIME),
            "won": pa.array([deal.won for deal in world.deals], pa.bool_()),
        },
    }
    directory.mkdir(parents=True, exist_ok=True)
    columns = {}
    for table in ("leads", "accounts", "events", "identities", "feedback", "outcomes"):
        values = rows.get(table, {}) | more.get(table, {})
        if not values or (table == "identities" and not world.links):
            continue
        pq.write_table(pa.table(values), directory / f"{table}.parquet")
        columns[table] = tuple(values)
    return CanonicalTables(directory, columns)


def write_snapshots(world: World, path: Path) -> Path:
    accounts = {lead.lead_id: lead.account_id for lead in world.leads}
    names = [name for name, _ in world.snapshots]
    pq.write_table(
        pa.table(
            {
                "lead_id": pa.array(names, pa.string()),
                "account_id": pa.array([accounts[name] for name in names], pa.string()),
                "as_of": pa.array([as_of for _, as_of in world.snapshots], TIME),
                "label": pa.nulls(len(names), pa.bool_()),
                "position": pa.nulls(len(names), pa.float64()),
            }
        ),
        path,
    )
    return path
