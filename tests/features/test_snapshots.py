"""Which leads are looked at when, and what became of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oracle import (
    DAY,
    START,
    TIME,
    Deal,
    Event,
    Lead,
    Link,
    World,
    at_risk,
    is_won,
    write_tables,
)

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ConfigError, NotEnoughDataError
from leadlight.features.snapshots import (
    SnapshotCounts,
    SnapshotPlan,
    observed_window,
    scoring_snapshots,
    training_snapshots,
)
from leadlight.features.tables import CanonicalTables

BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
# The outcomes of two leads that were there before everyone span the observed window.
PLAN = SnapshotPlan(
    horizon_days=30,
    every_days=10,
    cooldown_days=20,
    observed_from=BEGIN,
    observed_until=BEGIN + timedelta(days=200),
)


@pytest.fixture(scope="module")
def engine():
    with DuckDBEngine(threads=1) as engine:
        yield engine


def day(number: float) -> int:
    return START + int(number * DAY)


def as_days(path: Path) -> list[tuple[str, float, bool | None]]:
    """Snapshots as (lead, days since the beginning, label), in the order of the file."""
    return [
        (row["lead_id"], (row["as_of"] - BEGIN) / timedelta(days=1), row["label"])
        for row in pq.read_table(path).to_pylist()
    ]


def train(
    engine: DuckDBEngine, directory: Path, world: World, plan: SnapshotPlan = PLAN
) -> tuple[list[tuple[str, float, bool | None]], SnapshotCounts]:
    tables = write_tables(world, directory)
    counts = training_snapshots(engine, tables, plan, directory / "s.parquet")
    return as_days(directory / "s.parquet"), counts


def train_days(
    engine: DuckDBEngine, directory: Path, deals: Sequence[Deal], plan: SnapshotPlan = PLAN
) -> dict[float, bool | None]:
    """Labels by day of one lead, created at the beginning, with these deals."""
    world = World([Lead("L", day(0))], deals=list(deals))
    rows, _ = train(engine, directory, world, plan)
    return {days: label for _, days, label in rows}


def score(
    engine: DuckDBEngine,
    directory: Path,
    world: World,
    days: float,
    plan: SnapshotPlan = PLAN,
) -> dict[str, float]:
    tables = write_tables(world, directory)
    as_of = BEGIN + timedelta(days=days)
    scoring_snapshots(engine, tables, plan, as_of, directory / "now.parquet")
    rows = as_days(directory / "now.parquet")
    assert all(label is None for _, _, label in rows)
    return {lead: as_of for lead, as_of, _ in rows}


def test_the_grid_steps_back_from_the_last_midnight_with_an_observed_horizon(engine, tmp_path):
    until = BEGIN + timedelta(days=65, hours=7)
    found = train_days(engine, tmp_path, [], replace(PLAN, observed_until=until))
    assert sorted(found) == [5, 15, 25, 35]


def test_a_lead_has_no_snapshot_at_the_instant_of_its_creation(engine, tmp_path):
    world = World([Lead("on", day(20)), Lead("before", day(20) - 1)])
    rows, _ = train(engine, tmp_path, world)
    first = {lead: min(days for name, days, _ in rows if name == lead) for lead in ("on", "before")}
    assert first == {"on": 30, "before": 20}


def test_a_win_at_the_snapshot_instant_counts_and_one_at_the_horizons_end_does_not(
    engine, tmp_path
):
    found = train_days(engine, tmp_path, [Deal(True, "L", closed_at=day(60))])
    assert found == {10: False, 20: False, 30: False, 40: True, 50: True, 60: True}


def win_days(directory: Path) -> dict[float, float | None]:
    """Days until the win by day of the snapshot, of the snapshots that were written last."""
    rows = pq.read_table(directory / "s.parquet").to_pylist()
    return {(row["as_of"] - BEGIN) / timedelta(days=1): row["win_after_days"] for row in rows}


def test_a_win_is_told_with_its_distance_from_the_snapshot_up_to_the_horizons_end(engine, tmp_path):
    train_days(engine, tmp_path, [Deal(True, "L", closed_at=day(60))])
    assert win_days(tmp_path) == {10: None, 20: None, 30: None, 40: 20.0, 50: 10.0, 60: 0.0}


def test_the_last_moment_of_the_horizon_is_told_to_the_microsecond(engine, tmp_path):
    train_days(engine, tmp_path, [Deal(True, "L", closed_at=day(60) - 1)])
    assert win_days(tmp_path)[30] == pytest.approx(30 - 1 / DAY, abs=1e-12)
    assert win_days(tmp_path)[30] < 30


def test_a_lost_deal_is_no_win_however_near(engine, tmp_path):
    train_days(engine, tmp_path, [Deal(False, "L", closed_at=day(45))])
    assert set(win_days(tmp_path).values()) == {None}


def test_of_several_wins_the_first_is_told(engine, tmp_path):
    deals = [Deal(True, "L", closed_at=day(75)), Deal(True, "L", closed_at=day(62.5))]
    train_days(engine, tmp_path, deals)
    assert win_days(tmp_path)[50] == 12.5


def test_a_customer_is_never_looked_at_again(engine, tmp_path):
    found = train_days(engine, tmp_path, [Deal(True, "L", closed_at=day(60) - 1)])
    assert max(found) == 50


def test_a_win_before_the_lead_was_created_makes_a_customer(engine, tmp_path):
    assert train_days(engine, tmp_path, [Deal(True, "L", closed_at=day(-5))]) == {}


def test_a_lead_in_the_hands_of_sales_is_not_at_risk(engine, tmp_path):
    deal = Deal(True, "L", opened_at=day(40), closed_at=day(60))
    found = train_days(engine, tmp_path, [deal])
    assert found == {10: False, 20: False, 30: False, 40: True}


def test_a_lost_lead_returns_at_the_end_of_its_cool_down(engine, tmp_path):
    found = train_days(engine, tmp_path, [Deal(False, "L", closed_at=day(50))])
    assert sorted(found)[:8] == [10, 20, 30, 40, 50, 70, 80, 90]
    later = train_days(engine, tmp_path, [Deal(False, "L", closed_at=day(50) + 1)])
    assert sorted(later)[:7] == [10, 20, 30, 40, 50, 80, 90]


def test_a_lost_lead_that_is_won_later_is_a_positive(engine, tmp_path):
    deals = [Deal(False, "L", closed_at=day(31)), Deal(True, "L", closed_at=day(75))]
    found = train_days(engine, tmp_path, deals)
    assert found == {10: False, 20: False, 30: False, 60: True, 70: True}


def test_an_open_deal_without_a_beginning_counts_from_the_end_of_the_data(engine, tmp_path):
    world = World([Lead("L", day(0))], deals=[Deal(False, "L")])
    rows, _ = train(engine, tmp_path, world)
    assert len(rows) == 17
    assert score(engine, tmp_path, world, 201) == {}


def test_snapshots_that_are_left_out_are_counted_by_reason(engine, tmp_path):
    plan = replace(
        PLAN, observed_from=BEGIN + timedelta(days=25), observed_until=BEGIN + timedelta(days=70)
    )
    world = World([Lead("L", day(0))], deals=[Deal(True, "L", closed_at=day(31))])
    rows, counts = train(engine, tmp_path, world, plan)
    assert rows == [("L", 30, True)]
    # day 40 is mature but won; 50, 60 and 70 are immature; 10 and 20 come before the outcomes
    assert counts == SnapshotCounts(
        rows=1,
        leads=1,
        positives=1,
        immature_dropped=3,
        not_at_risk_dropped=1,
        before_observation_dropped=2,
    )


def test_snapshots_at_an_age_follow_each_lead(engine, tmp_path):
    plan = replace(PLAN, at_age_days=(3, 10))
    world = World(
        [Lead("A", day(0.5)), Lead("B", day(7)), Lead("late", day(165))],
        deals=[Deal(True, "B", closed_at=day(12))],
    )
    rows, counts = train(engine, tmp_path, world, plan)
    assert rows == [("A", 3.5, False), ("B", 10, True), ("A", 10.5, False), ("late", 168, False)]
    assert (counts.immature_dropped, counts.not_at_risk_dropped) == (1, 1)


@pytest.mark.parametrize("seed", range(12))
def test_population_and_labels_equal_those_of_a_loop_over_one_lead_at_a_time(
    engine, tmp_path, seed
):
    rng = np.random.default_rng(seed)

    def instant() -> int:
        return day(int(rng.integers(0, 400)) / 2) + int(rng.integers(-1, 2))

    leads = [Lead(f"L{number}", instant()) for number in range(6)]
    deals = []
    for _ in range(12):
        opened, closed = sorted((instant(), instant()))
        deals.append(
            Deal(
                won=bool(rng.random() < 0.5),
                lead_id=f"L{rng.integers(0, 7)}",
                opened_at=opened if rng.random() < 0.7 else None,
                closed_at=closed if rng.random() < 0.8 else None,
            )
        )
    deals = [deal for deal in deals if deal.opened_at or deal.closed_at]
    world = World(leads, deals=deals)
    expected = [
        (lead.lead_id, days, is_won(world, lead, day(days), 30))
        for days in range(0, 171, 10)
        for lead in leads
        if at_risk(world, lead, day(days), 20)
    ]

    rows, counts = train(engine, tmp_path, world)
    assert rows == expected
    assert counts.positives == sum(label for *_, label in expected)
    told = pq.read_table(tmp_path / "s.parquet")["win_after_days"].to_pylist()
    first_win = {
        lead.lead_id: min(
            (d.closed_at for d in deals if d.won and d.closed_at and d.lead_id == lead.lead_id),
            default=0,
        )
        for lead in leads
    }
    assert told == [
        (first_win[lead] - day(days)) / DAY if label else None for lead, days, label in expected
    ]

    now = score(engine, tmp_path, world, 150)
    assert sorted(now) == [lead.lead_id for lead in leads if at_risk(world, lead, day(150), 20)]


def test_a_deal_of_an_account_belongs_to_its_recently_active_leads(engine, tmp_path):
    world = World(
        [
            Lead("active", day(0), "A"),
            Lead("silent", day(0), "A"),
            Lead("after", day(50), "A"),
            Lead("other", day(0), "B"),
        ],
        [Event(day(30), "page_view", "active"), Event(day(60), "page_view", "silent")],
        deals=[Deal(True, account_id="A", closed_at=day(45))],
    )
    rows, _ = train(engine, tmp_path, world)
    assert {lead for lead, _, label in rows if label} == {"active"}


def test_a_deal_of_a_silent_account_belongs_to_all_leads_that_were_there(engine, tmp_path):
    world = World(
        [Lead("one", day(0), "A"), Lead("two", day(5), "A"), Lead("after", day(50), "A")],
        deals=[Deal(True, account_id="A", closed_at=day(45))],
    )
    rows, _ = train(engine, tmp_path, world)
    assert {lead for lead, _, label in rows if label} == {"one", "two"}


def test_a_deals_contact_wins_over_its_account(engine, tmp_path):
    world = World(
        [Lead("contact", day(0), "A"), Lead("colleague", day(0), "A")],
        [Event(day(40), "page_view", "colleague")],
        deals=[Deal(True, "contact", "A", closed_at=day(45))],
    )
    rows, _ = train(engine, tmp_path, world)
    assert {lead for lead, _, label in rows if label} == {"contact"}


def test_a_deal_under_an_alias_belongs_to_the_lead_behind_it(engine, tmp_path):
    world = World(
        [Lead("L", day(0))],
        links=[Link("contact-1", day(90), "L")],
        deals=[Deal(True, "contact-1", closed_at=day(45))],
    )
    rows, _ = train(engine, tmp_path, world)
    assert sum(label for *_, label in rows) == 3


def test_a_sample_keeps_whole_leads_and_the_limit(engine, tmp_path):
    world = World([Lead(f"L{number}", day(0)) for number in range(40)])
    everything, _ = train(engine, tmp_path, world)
    rows, counts = train(engine, tmp_path, world, replace(PLAN, max_rows=100))
    assert 80 < len(rows) <= 100
    assert counts.sampled_out == len(everything) - len(rows)
    chosen = {lead for lead, *_ in rows}
    assert rows == [row for row in everything if row[0] in chosen]
    again, _ = train(engine, tmp_path / "again", world, replace(PLAN, max_rows=100))
    assert again == rows


def test_the_observed_window_defaults_to_first_closing_and_last_win_less_the_lag(engine, tmp_path):
    world = World(
        [Lead("L", day(0))],
        deals=[
            Deal(False, "x", closed_at=day(40)),
            Deal(True, "L", closed_at=day(90)),
            Deal(False, "y", opened_at=day(99)),
            Deal(False, "z", opened_at=day(80), closed_at=day(240)),  # expected, not closed
        ],
    )
    tables = write_tables(world, tmp_path)
    window = observed_window(engine, tables, SnapshotPlan(lag_days=7))
    assert window.observed_from == BEGIN + timedelta(days=40)
    assert window.observed_until == BEGIN + timedelta(days=83)
    assert window.how == (
        "Outcomes are known from 2024-04-10 (first closing)"
        " until 2024-05-23 (last win, less 7 days)."
    )


def test_scoring_at_an_age_takes_the_latest_age_that_was_reached(engine, tmp_path):
    plan = replace(PLAN, at_age_days=(3, 10))
    world = World(
        [Lead("new", day(98)), Lead("young", day(95)), Lead("edge", day(90)), Lead("old", day(2))]
    )
    now = score(engine, tmp_path, world, 100, plan)
    assert now == {"young": 98, "edge": 100}


def test_scoring_at_an_age_drops_leads_whose_horizon_is_over(engine, tmp_path):
    plan = replace(PLAN, at_age_days=(3,))
    world = World([Lead("open", day(67) + 1), Lead("over", day(67))])
    assert set(score(engine, tmp_path, world, 100, plan)) == {"open"}
    counts = scoring_snapshots(
        engine,
        write_tables(world, tmp_path),
        plan,
        BEGIN + timedelta(days=100),
        tmp_path / "now.parquet",
    )
    assert counts.horizon_over_dropped == 1


@pytest.mark.parametrize("seed", range(20))
def test_leads_at_risk_are_the_same_today_and_in_the_training_of_later(engine, tmp_path, seed):
    """Score with what was known at an instant; train later with everything: the same leads."""
    rng = np.random.default_rng(seed)
    leads = [Lead(f"L{i}", day(int(rng.integers(0, 80)))) for i in range(12)]
    deals = []
    for lead in leads:
        for _ in range(int(rng.integers(0, 3))):
            opened = lead.created_at + int(rng.integers(0, 60)) * DAY
            closed = opened + int(rng.integers(0, 60)) * DAY
            deals.append(Deal(bool(rng.integers(0, 2)), lead.lead_id, None, opened, closed))
    now = day(60)
    known = [
        deal if deal.closed_at < now else replace(deal, won=False, closed_at=closed)
        for deal in deals
        if deal.opened_at < now
        # what the CRM says of an open deal's end: nothing, or a date that is expected
        for closed in [None if rng.integers(0, 2) else deal.closed_at]
    ]
    early = World([lead for lead in leads if lead.created_at < now], deals=known)
    (tmp_path / "early").mkdir()
    today = score(engine, tmp_path / "early", early, 60)
    plan = replace(PLAN, horizon_days=1, observed_until=BEGIN + timedelta(days=61))
    rows, _ = train(engine, tmp_path, World(leads, deals=deals), plan)
    assert set(today) == {lead for lead, days, _ in rows if days == 60}


def test_an_expected_close_date_neither_ends_a_deal_nor_moves_the_window(engine, tmp_path):
    world = World(
        [Lead("L", day(0)), Lead("M", day(0))],
        deals=[
            Deal(True, "gone", opened_at=day(20), closed_at=day(30)),
            Deal(True, "M", opened_at=day(50), closed_at=day(95)),
            Deal(False, "L", opened_at=day(70), closed_at=day(300)),
        ],
    )
    assert score(engine, tmp_path, world, 100) == {}
    window = observed_window(engine, write_tables(world, tmp_path), SnapshotPlan())
    assert window.observed_until == BEGIN + timedelta(days=95)


def test_an_accounts_open_deal_keeps_out_leads_that_came_after_it_was_opened(engine, tmp_path):
    leads = [Lead("old", day(0), "A"), Lead("new", day(10), "A"), Lead("other", day(0), "B")]
    deals = [Deal(False, None, "A", opened_at=day(5))]
    assert set(score(engine, tmp_path, World(leads, deals=deals), 20)) == {"other"}


def test_scoring_works_without_any_outcomes(engine, tmp_path):
    tables = write_tables(World([Lead("L", day(0)), Lead("new", day(9))]), tmp_path)
    columns = {name: value for name, value in tables.columns.items() if name == "leads"}
    bare = CanonicalTables(tmp_path, columns)
    counts = scoring_snapshots(
        engine, bare, SnapshotPlan(), BEGIN + timedelta(days=9), tmp_path / "now.parquet"
    )
    assert (counts.rows, counts.not_at_risk_dropped) == (1, 0)


def flat(directory: Path) -> CanonicalTables:
    columns = {
        "lead_id": ["a", "b", "c"],
        "converted": pa.array([True, None, False]),
        "position": [2.0, 3.0, 1.0],
    }
    pq.write_table(pa.table(columns), directory / "leads.parquet")
    return CanonicalTables(directory, {"leads": tuple(columns)})


def test_rows_of_a_flat_table_are_snapshots_in_their_order(engine, tmp_path):
    tables = flat(tmp_path)
    counts = training_snapshots(engine, tables, PLAN, tmp_path / "s.parquet")
    table = pq.read_table(tmp_path / "s.parquet")
    keys = ["lead_id", "account_id", "as_of", "label", "position"]
    assert table.column_names == [*keys, "win_after_days"]
    assert table["lead_id"].to_pylist() == ["c", "a"]
    assert table["win_after_days"].to_pylist() == [None, None]
    assert table["label"].to_pylist() == [False, True]
    assert table.schema.field("as_of").type == TIME
    assert (counts.rows, counts.positives) == (2, 1)


def test_scoring_a_flat_table_takes_the_rows_whose_outcome_is_not_known(engine, tmp_path):
    counts = scoring_snapshots(engine, flat(tmp_path), PLAN, BEGIN, tmp_path / "s.parquet")
    assert (counts.rows, counts.labelled) == (1, 2)
    assert pq.read_table(tmp_path / "s.parquet")["lead_id"].to_pylist() == ["b"]


def test_scoring_a_flat_table_of_known_outcomes_takes_every_row(engine, tmp_path):
    table = pa.table({"lead_id": ["a", "b"], "converted": [True, False]})
    pq.write_table(table, tmp_path / "leads.parquet")
    tables = CanonicalTables(tmp_path, {"leads": ("lead_id", "converted")})
    counts = scoring_snapshots(engine, tables, PLAN, BEGIN, tmp_path / "s.parquet")
    assert (counts.rows, counts.labelled) == (2, 2)


def test_no_closed_deal_is_not_enough_data(engine, tmp_path):
    tables = write_tables(
        World([Lead("L", day(0))], deals=[Deal(False, "L", opened_at=1)]), tmp_path
    )
    with pytest.raises(NotEnoughDataError, match="closed_at"):
        training_snapshots(engine, tables, SnapshotPlan(), tmp_path / "s.parquet")
    assert not (tmp_path / "s.parquet").exists()


def test_leads_without_dates_are_refused_with_what_to_do(engine, tmp_path):
    pq.write_table(pa.table({"lead_id": ["a"]}), tmp_path / "leads.parquet")
    tables = CanonicalTables(tmp_path, {"leads": ("lead_id",)})
    with pytest.raises(ConfigError, match=r"sources\.leads\.columns\.created_at"):
        training_snapshots(engine, tables, PLAN, tmp_path / "s.parquet")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"horizon_days": 0}, "horizon_days is 0"),
        ({"every_days": None}, "neither every_days nor at_age_days"),
        ({"at_age_days": (0,)}, "at_age_days is 0"),
        ({"cooldown_days": -1}, "cooldown_days is -1"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        SnapshotPlan(**setting)


def test_an_observed_window_that_ends_before_it_begins_is_refused(engine, tmp_path):
    tables = write_tables(World([Lead("L", day(0))]), tmp_path)
    plan = replace(PLAN, observed_until=BEGIN)
    with pytest.raises(ConfigError, match="no time"):
        observed_window(engine, tables, plan)
