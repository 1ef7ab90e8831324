"""Features of one lead from rows in memory equal those of the nightly job."""

import math
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from every_feature import DEFINITION
from oracle import random_world, write_snapshots, write_tables

from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.engines.lead_features import LeadFeatures
from leadlight.features.errors import SchemaMismatchError


@pytest.fixture(scope="module")
def service():
    with LeadFeatures(DEFINITION) as service:
        yield service


@pytest.mark.parametrize("seed", range(6))
def test_a_lead_alone_in_memory_has_the_features_of_the_nightly_job(service, tmp_path, seed):
    world = random_world(seed)
    tables = write_tables(world, tmp_path)
    snapshots = write_snapshots(world, tmp_path / "snapshots.parquet")
    with DuckDBEngine(threads=1) as engine:
        compute_features(engine, tables, snapshots, DEFINITION, tmp_path / "out")
    nightly = pq.read_table(tmp_path / "out")
    rows = {name: pq.read_table(tables.path(name)) for name in tables.columns}
    asked = pq.read_table(snapshots)

    for at in range(asked.num_rows):
        alone = service.compute(rows, asked.slice(at, 1))
        lead, as_of = alone["lead_id"][0], alone["as_of"][0]
        same = pc.and_(pc.equal(nightly["lead_id"], lead), pc.equal(nightly["as_of"], as_of))
        expected = nightly.filter(same)
        assert alone.schema.equals(expected.schema)
        assert alone.to_pandas().equals(expected.to_pandas())


def test_a_lead_without_events_or_deals_has_features_too(service, tmp_path):
    world = replace(random_world(1), events=[], deals=[], judgements=[], links=[])
    tables = write_tables(world, tmp_path)
    snapshots = pq.read_table(write_snapshots(world, tmp_path / "snapshots.parquet"))
    rows = {name: pq.read_table(tables.path(name)) for name in tables.columns}
    features = service.compute(rows, snapshots.slice(0, 1))
    assert features["activity_count_all"].to_pylist() == [0]
    assert pa.types.is_string(features["activity_last_kind"].type)


def test_a_table_that_the_model_needs_and_that_is_missing_is_named(service, tmp_path):
    world = random_world(1)
    tables = write_tables(world, tmp_path)
    snapshots = pq.read_table(write_snapshots(world, tmp_path / "snapshots.parquet"))
    rows = {"leads": pq.read_table(tables.path("leads"))}
    with pytest.raises(SchemaMismatchError, match="the table events"):
        service.compute(rows, snapshots.slice(0, 1))


def test_titles_read_in_advance_say_the_same(service, tmp_path):
    world = random_world(2)
    tables = write_tables(world, tmp_path)
    asked = pq.read_table(write_snapshots(world, tmp_path / "snapshots.parquet"))
    rows = {name: pq.read_table(tables.path(name)) for name in tables.columns}
    with LeadFeatures(DEFINITION) as prepared:
        prepared.learn_titles(title for title in rows["leads"]["job_title"].to_pylist() if title)
        for at in range(asked.num_rows):
            some = asked.slice(at, 1)
            known, new = (each.compute(rows, some).to_pandas() for each in (prepared, service))
            assert known.equals(new)


def test_a_column_of_another_type_is_refused_also_after_leads_that_fit(tmp_path):
    world = random_world(1)
    tables = write_tables(world, tmp_path)
    asked = pq.read_table(write_snapshots(world, tmp_path / "snapshots.parquet")).slice(0, 1)
    leads = pq.read_table(tables.path("leads"))

    def visited(values):
        return {"leads": leads.append_column("visits", pa.array(values))}

    definition = FeatureDefinition(profile=(ProfileColumn("visits", "leads", "visits", "numeric"),))
    nobody, texts = [None] * len(leads), ["many"] * len(leads)
    with LeadFeatures(definition) as service:
        assert service.compute(visited([7.0] * len(leads)), asked)["visits"][0].as_py() == 7.0
        empty = visited(pa.array(nobody, pa.string()))
        assert math.isnan(service.compute(empty, asked)["visits"][0].as_py())
        for _ in range(2):
            with pytest.raises(SchemaMismatchError, match="'visits' held numbers"):
                service.compute(visited(texts), asked)
