"""The feature table against two oracles, and against knowledge from the future."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from every_feature import CHOICES, DEFINITION
from feature_loops import features_by_loop, is_same
from naive_sql import features_by_sql
from oracle import (
    DAY,
    EVENT_TYPES,
    PAGES,
    START,
    TITLES,
    Event,
    Lead,
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


@pytest.mark.parametrize("seed", range(100, 115))
def test_every_feature_equals_that_of_naive_sql(engine, tmp_path, seed):
    table = features_of(engine, random_world(seed), tmp_path)
    assert_same(table, features_by_sql(tmp_path, CHOICES))


def test_an_account_of_five_hundred_leads_has_the_features_of_both_oracles(engine, tmp_path):
    world = large_account(500)
    table = features_of(engine, world, tmp_path, events_per_bucket=400)
    assert_same(table, features_by_sql(tmp_path, CHOICES))
    leads = {lead.lead_id: lead for lead in world.leads}
    for row in table.to_pylist()[::100]:
        as_of = int(row["as_of"].timestamp()) * 1_000_000
        expected = features_by_loop(world, leads[row["lead_id"]], as_of, CHOICES)
        assert all(is_same(row[name], value) for name, value in expected.items())


def large_account(size: int) -> World:
    """One account, most of its leads busy at the same times."""
    rng = np.random.default_rng(5)
    leads = [
        Lead(f"L{n}", START + int(rng.integers(20)) * DAY, "A1", TITLES[n % len(TITLES)])
        for n in range(size)
    ]
    events = [
        Event(
            START + int(rng.integers(120)) * DAY // 2,
            EVENT_TYPES[int(rng.integers(len(EVENT_TYPES)))],
            f"L{int(rng.integers(size))}" if n % 20 else None,
            account_id=None if n % 20 else "A1",
            detail="/blog/on-pricing" if n % 3 else None,
            value=float(n % 5),
        )
        for n in range(1500)
    ]
    snapshots = [(lead.lead_id, START + 45 * DAY) for lead in leads]
    return World(leads, events, snapshots=snapshots)


def assert_same(table: pa.Table, expected: pd.DataFrame) -> None:
    found = table.to_pandas().set_index(["lead_id", "as_of"]).sort_index()
    features = [feature.name for feature in feature_catalog(DEFINITION)]
    assert set(features) == set(expected.columns)
    wrong = [
        (name, index, value, wanted)
        for name in features
        for index, value, wanted in zip(found.index, found[name], expected[name], strict=True)
        if not is_same(_plain(value), _plain(wanted))
    ]
    assert not wrong, wrong[:10]


def _plain(value: object) -> object:
    """A missing text as None; a missing number as NaN, as it is."""
    return None if value is None or value is pd.NA else value


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
