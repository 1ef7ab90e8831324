"""What was not known at a snapshot changes none of its features, not by one bit."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from door import Door
from every_feature import DEFINITION
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import (
    DAY,
    EVENT_TYPES,
    PAGES,
    START,
    Deal,
    Event,
    Judgement,
    Lead,
    Link,
    World,
    random_world,
    write_snapshots,
    write_tables,
)

from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.tables import CanonicalTables

AS_OF = START + 30 * DAY


@pytest.fixture(scope="module")
def engine():
    with DuckDBEngine(threads=1) as engine:
        yield engine


def known_at(world: World, as_of: int) -> World:
    """The world as it was known just before an instant."""

    def still_open(deal: Deal) -> Deal:
        closed = deal.closed_at is not None and deal.closed_at < as_of
        opened = deal.opened_at is not None and deal.opened_at < as_of
        return replace(
            deal,
            won=deal.won and closed,
            closed_at=deal.closed_at if closed else None,
            opened_at=deal.opened_at if opened else None,
        )

    return replace(
        world,
        leads=[lead for lead in world.leads if lead.created_at < as_of],
        events=[
            event
            for event in world.events
            if max(event.occurred_at, event.recorded_at or event.occurred_at) < as_of
        ],
        links=[link for link in world.links if link.linked_at < as_of],
        deals=[still_open(deal) for deal in world.deals],
        judgements=[each for each in world.judgements if each.decided_at < as_of],
    )


def features_of(engine: DuckDBEngine, world: World, directory: Path) -> pa.Table:
    tables = write_tables(world, directory)
    snapshots = write_snapshots(world, directory / "snapshots.parquet")
    compute_features(engine, tables, snapshots, DEFINITION, directory / "out")
    return pq.read_table(directory / "out")


def bits(table: pa.Table) -> bytes:
    """All of a table's values, down to the bits of its numbers."""
    sink = pa.BufferOutputStream()
    keys = [("as_of", "ascending"), ("lead_id", "ascending")]
    pq.write_table(table.sort_by(keys).combine_chunks(), sink)
    return sink.getvalue().to_pybytes()


LATER = st.integers(0, 40).map(lambda half_days: AS_OF + half_days * DAY // 2)
EARLIER = st.integers(1, 40).map(lambda half_days: AS_OF - half_days * DAY // 2)
NAMES = st.sampled_from(["L0", "L1", "L2", "V0", "V1", "nobody"])
KINDS, DETAILS = st.sampled_from(EVENT_TYPES), st.sampled_from(list(PAGES))
VALUES = st.sampled_from([None, 0.0, 0.1, -7.5])
LATE_EVENTS = st.lists(
    st.one_of(
        st.builds(Event, LATER, KINDS, NAMES, st.none(), st.none(), DETAILS, VALUES),
        st.builds(Event, LATER, KINDS, st.none(), st.just("A1"), st.none(), DETAILS, VALUES),
        st.builds(Event, EARLIER, KINDS, NAMES, st.none(), LATER, DETAILS, VALUES),
    ),
    max_size=30,
)
LATE_LINKS = st.lists(st.builds(Link, st.sampled_from(["V8", "V9", "nobody"]), LATER, NAMES))
LATE_DEALS = st.lists(
    st.builds(Deal, st.booleans(), NAMES, st.just("A1"), LATER, LATER, st.just("D99")), max_size=3
)
LATE_JUDGEMENTS = st.lists(st.builds(Judgement, NAMES, LATER, st.booleans()), max_size=4)
LATE_LEADS = st.lists(
    st.builds(Lead, st.sampled_from(["N1", "N2"]), LATER, st.just("A1"), st.just("VP Sales")),
    max_size=2,
    unique_by=lambda lead: lead.lead_id,
)


@given(
    st.integers(0, 500),
    LATE_EVENTS,
    LATE_LINKS,
    LATE_DEALS,
    LATE_JUDGEMENTS,
    LATE_LEADS,
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_what_comes_later_changes_no_bit(seed, events, links, deals, judgements, leads, random):
    world = random_world(seed)
    then = known_at(world, AS_OF)
    then = replace(then, snapshots=[(lead.lead_id, AS_OF) for lead in then.leads])
    if not then.snapshots:
        return
    everything = [*world.events, *events]
    now = replace(
        world,
        leads=random.sample([*world.leads, *leads], len(world.leads) + len(leads)),
        events=random.sample(everything, len(everything)),
        links=[*world.links, *links],
        deals=[*world.deals, *deals],
        judgements=random.sample(
            [*world.judgements, *judgements], len(judgements) + len(world.judgements)
        ),
        snapshots=then.snapshots,
    )
    with tempfile.TemporaryDirectory() as scratch, DuckDBEngine(threads=1) as engine:
        before = features_of(engine, then, Path(scratch) / "then")
        after = features_of(engine, now, Path(scratch) / "now")
    assert bits(before) == bits(after)


@pytest.mark.parametrize("seed", range(6))
def test_features_of_a_past_date_computed_today_are_those_computed_then(engine, tmp_path, seed):
    world = random_world(seed + 700)
    dates = [START + days * DAY for days in (12, 25, 40)]
    everyone = [
        (lead.lead_id, date) for date in dates for lead in world.leads if lead.created_at < date
    ]
    today = features_of(engine, replace(world, snapshots=everyone), tmp_path / "today")
    for date in dates:
        then = known_at(world, date)
        then = replace(then, snapshots=[pair for pair in everyone if pair[1] == date])
        if not then.snapshots:
            continue
        computed_then = features_of(engine, then, tmp_path / str(date))
        of_date = today.filter(pc.equal(pc.cast(today["as_of"], pa.int64()), date))
        assert bits(of_date) == bits(computed_then)


@pytest.mark.parametrize("seed", range(4))
def test_a_snapshot_alone_has_the_features_that_it_has_among_others(engine, tmp_path, seed):
    world = random_world(seed + 800)
    together = features_of(engine, world, tmp_path / "together")
    for number, (name, as_of) in enumerate(world.snapshots):
        one = replace(world, snapshots=[(name, as_of)])
        alone = features_of(engine, one, tmp_path / str(number))
        same = pc.and_(
            pc.equal(together["lead_id"], name),
            pc.equal(pc.cast(together["as_of"], pa.int64()), as_of),
        )
        assert bits(together.filter(same)) == bits(alone)


def test_times_of_any_zone_give_the_same_features(tmp_path):
    """Through the door: UTC, offsets, and a zone that is declared."""
    rng = np.random.default_rng(3)
    moments = [
        datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=int(rng.integers(60 * 24 * 60)))
        for _ in range(80)
    ]
    berlin = timezone(timedelta(hours=1))
    spellings = {
        "utc": [moment.isoformat() for moment in moments],
        "offsets": [
            moment.astimezone(timezone(timedelta(hours=int(n % 9) - 4, minutes=30))).isoformat()
            for n, moment in enumerate(moments)
        ],
        "declared": [
            moment.astimezone(berlin).replace(tzinfo=None).isoformat() for moment in moments
        ],
    }
    found = {}
    for name, times in spellings.items():
        door = Door(tmp_path / name)
        door.root.mkdir()
        rows = [(f"l{n % 4}", at, "page_view", "/pricing") for n, at in enumerate(times)]
        door.write_rows("e.csv", ("lead_id", "occurred_at", "event_type", "detail"), rows)
        # Etc/GMT-1 is an hour ahead of UTC all year.
        zone = "Etc/GMT-1" if name == "declared" else None
        leads = door.leads("l0", "l1", "l2", "l3")
        report = door.admit(leads, door.source("events", "e.csv", timezone=zone))
        assert report.rows_kept["events"] == len(rows)
        found[name] = bits(through(report.tables, tmp_path / name))
    assert found["utc"] == found["offsets"] == found["declared"]


def through(tables: CanonicalTables, directory: Path) -> pa.Table:
    world = World(
        [Lead(f"l{n}", START) for n in range(4)],
        snapshots=[(f"l{n}", START + days * DAY) for n in range(4) for days in (10, 31, 59)],
    )
    snapshots = write_snapshots(world, directory / "snapshots.parquet")
    definition = replace(DEFINITION, account=(), history=())
    with DuckDBEngine(threads=1) as engine:
        compute_features(engine, tables, snapshots, definition, directory / "out")
    return pq.read_table(directory / "out")
