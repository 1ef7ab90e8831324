"""The feature table against two oracles, and against knowledge from the future."""

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from every_feature import CHOICES, DEFINITION
from feature_loops import features_by_loop, is_same
from oracle import (
    DAY,
    PAGES,
    START,
    Event,
    Lead,
    Link,
    World,
    random_world,
    write_snapshots,
    write_tables,
)

from leadlight.features.catalog import KEYS, feature_catalog
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features


@pytest.fixture(scope="module")
def engine():
    with DuckDBEngine(threads=1) as engine:
        yield engine


def features_of(engine, world: World, directory: Path, **sizes: int) -> pa.Table:
    tables = write_tables(world, directory)
    snapshots = write_snapshots(world, directory / "snapshots.parquet")
    rows = compute_features(engine, tables, snapshots, DEFINITION, directory / "out", **sizes)
    table = pa.concat_tables(
        pq.read_table(part) for part in sorted((directory / "out").glob("part-*.parquet"))
    )
    assert table.num_rows == rows
    return table.sort_by([("lead_id", "ascending"), ("as_of", "ascending")])


@pytest.mark.parametrize("seed", range(60))
def test_every_feature_equals_that_of_a_loop_over_one_lead_at_a_time(engine, tmp_path, seed):
    world = random_world(seed)
    leads = {lead.lead_id: lead for lead in world.leads}

    table = features_of(engine, world, tmp_path)

    assert table.column_names == [*KEYS, *(f.name for f in feature_catalog(DEFINITION))]
    for row, (name, as_of) in zip(table.to_pylist(), sorted(world.snapshots), strict=True):
        expected = features_by_loop(world, leads[name], as_of, CHOICES)
        assert set(row) - set(KEYS) == set(expected)
        wrong = {
            feature: (row[feature], value)
            for feature, value in expected.items()
            if not is_same(row[feature], value)
        }
        assert not wrong, (name, as_of)


def test_the_random_worlds_hold_the_cases_that_matter():
    worlds = [random_world(seed) for seed in range(30)]
    instants = [{as_of for _, as_of in world.snapshots} for world in worlds]
    pairs = list(zip(worlds, instants, strict=True))
    assert any(event.occurred_at in times for world, times in pairs for event in world.events)
    assert any(
        event.occurred_at + 7 * DAY in times for world, times in pairs for event in world.events
    )
    assert any(
        event.recorded_at and event.recorded_at > event.occurred_at
        for world in worlds
        for event in world.events
    )
    assert any(
        not any(event.lead_id == lead.lead_id for event in world.events)
        for world in worlds
        for lead in world.leads
    )


@pytest.mark.parametrize("seed", range(10))
def test_counts_and_days_equal_those_of_a_naive_range_join(engine, tmp_path, seed):
    world = replace(random_world(seed + 100), links=[])
    table = features_of(engine, world, tmp_path)
    naive = duckdb.connect()
    naive.execute("SET TimeZone = 'UTC'")
    found = naive.execute(
        f"""
        SELECT count(e.event_type) FILTER (near AND e.event_type = 'Email Click') AS clicks,
            count(DISTINCT date_trunc('day', e.occurred_at)) FILTER (near) AS days,
            count(e.event_type) AS activities,
            date_diff('microsecond', max(e.occurred_at), s.as_of) / {DAY}.0 AS since
        FROM '{tmp_path}/snapshots.parquet' s LEFT JOIN (
            SELECT *, greatest(occurred_at, recorded_at) AS known_at
            FROM '{tmp_path}/events.parquet'
        ) e ON (e.lead_id = s.lead_id OR (e.lead_id IS NULL AND e.account_id = s.account_id))
            AND e.known_at < s.as_of,
            LATERAL (SELECT e.occurred_at >= s.as_of - INTERVAL 72 HOUR AS near)
        GROUP BY s.lead_id, s.as_of ORDER BY s.lead_id, s.as_of
        """
    ).fetchnumpy()
    np.testing.assert_array_equal(table["email_click_count_3d"], found["clicks"])
    np.testing.assert_array_equal(table["active_days_3d"], found["days"])
    np.testing.assert_array_equal(table["activity_count_all"], found["activities"])
    np.testing.assert_allclose(
        table["activity_days_since_last"].to_numpy(),
        np.ma.filled(np.ma.asarray(found["since"], dtype=float), np.nan),
        rtol=1e-12,
    )


@pytest.mark.parametrize("seed", range(10))
def test_what_is_known_at_or_after_the_snapshot_changes_no_bit(engine, tmp_path, seed):
    world = random_world(seed + 200)
    as_of = START + 30 * DAY
    world = replace(world, snapshots=[(lead.lead_id, as_of) for lead in world.leads])
    rng = np.random.default_rng(seed)

    past = [
        event
        for event in world.events
        if max(event.occurred_at, event.recorded_at or event.occurred_at) < as_of
    ]
    noise = [
        Event(as_of + later, "page_view", lead.lead_id, detail=detail)
        for lead in world.leads
        for later in (0, 1, 5 * DAY)
        for detail in PAGES
    ] + [
        Event(as_of - 5 * DAY, "Email Click", lead.lead_id, recorded_at=as_of + later)
        for lead in world.leads
        for later in (0, DAY)
    ]
    future = list(rng.permutation(np.array(past + noise, dtype=object)))
    links = [link for link in world.links if link.linked_at < as_of]
    later_links = [*links, *(Link(f"V{n}", as_of, world.leads[0].lead_id) for n in range(3))]
    known_links = {(link.alias, link.lead_id) for link in links}
    later_links = [
        link
        for link in later_links
        if link.linked_at < as_of or (link.alias, link.lead_id) not in known_links
    ]

    features_of(engine, replace(world, events=past, links=links), tmp_path / "then")
    features_of(engine, replace(world, events=future, links=later_links), tmp_path / "now")

    parts = [
        (tmp_path / when / "out" / "part-00000.parquet").read_bytes() for when in ("then", "now")
    ]
    assert parts[0] == parts[1]


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_number_of_buckets_changes_no_value(engine, tmp_path, seed):
    world = random_world(seed + 300)
    whole = features_of(engine, world, tmp_path / "whole")
    parts = features_of(engine, world, tmp_path / "parts", events_per_bucket=7, leads_per_bucket=2)
    assert len(list((tmp_path / "parts" / "out").iterdir())) > 1
    pd.testing.assert_frame_equal(whole.to_pandas(), parts.to_pandas())


def test_leads_of_an_account_stay_in_one_part(engine, tmp_path):
    leads = [Lead(f"L{n}", START, f"A{n % 5}") for n in range(40)]
    world = World(leads, snapshots=[(lead.lead_id, START + DAY) for lead in leads])
    features_of(engine, world, tmp_path, leads_per_bucket=5)
    parts = [pq.read_table(part) for part in sorted((tmp_path / "out").iterdir())]
    homes = [set(part["account_id"].to_pylist()) for part in parts]
    assert sum(len(home) for home in homes) == 5


def test_an_excluded_kind_of_event_counts_nowhere(engine, tmp_path):
    world = World(
        [Lead("L", START)],
        [Event(START, "page_view", "L", detail=page) for page in PAGES]
        + [Event(START, "Email Click", "L")],
        snapshots=[("L", START + DAY)],
    )
    tables = write_tables(world, tmp_path)
    snapshots = write_snapshots(world, tmp_path / "snapshots.parquet")

    def total(*excluded: str) -> int:
        definition = replace(DEFINITION, excluded_kinds=excluded)
        compute_features(engine, tables, snapshots, definition, tmp_path / "out")
        return pq.read_table(tmp_path / "out")["activity_count_all"][0].as_py()

    assert total() == 7
    assert total("email_click") == 6
    assert total("page_view_pricing") == 6
    assert total("page_view") == 1


def test_the_same_input_is_written_as_the_same_bytes(engine, tmp_path):
    world = random_world(7)
    features_of(engine, world, tmp_path / "one", events_per_bucket=10)
    with DuckDBEngine(threads=2) as other:
        features_of(other, world, tmp_path / "two", events_per_bucket=10)
    one, two = (
        {part.name: part.read_bytes() for part in (tmp_path / run / "out").iterdir()}
        for run in ("one", "two")
    )
    assert one == two
