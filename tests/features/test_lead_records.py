"""The records of one lead are all that its features depend on."""

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from every_feature import DEFINITION
from oracle import random_world, write_snapshots, write_tables

from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.engines.lead_features import LeadFeatures
from leadlight.features.engines.lead_records import LeadRecords, account_in
from leadlight.features.tables import CanonicalTables


@pytest.mark.parametrize("seed", range(4))
def test_features_of_a_leads_own_records_are_those_of_the_nightly_job(tmp_path, seed):
    world = random_world(seed)
    tables = write_tables(world, tmp_path)
    snapshots = write_snapshots(world, tmp_path / "snapshots.parquet")
    with DuckDBEngine(threads=1) as engine:
        compute_features(engine, tables, snapshots, DEFINITION, tmp_path / "out")
    nightly, asked = pq.read_table(tmp_path / "out"), pq.read_table(snapshots)
    with LeadRecords(tables, tmp_path) as records, LeadFeatures(DEFINITION) as service:
        for at in range(asked.num_rows):
            lead = asked["lead_id"][at].as_py()
            rows = records.of(lead)
            alone = service.compute(rows, asked.slice(at, 1))
            same = pc.and_(
                pc.equal(nightly["lead_id"], lead), pc.equal(nightly["as_of"], asked["as_of"][at])
            )
            assert alone.to_pandas().equals(nightly.filter(same).to_pandas())


def test_a_lead_that_nobody_knows_has_no_rows_but_all_tables(tmp_path):
    tables = write_tables(random_world(1), tmp_path)
    with LeadRecords(tables, tmp_path) as records:
        rows = records.of("no such lead")
        assert account_in(rows["leads"], "no such lead") is None
    assert rows.keys() == tables.columns.keys()
    assert {name: table.num_rows for name, table in rows.items() if table.num_rows} == {}


def test_the_copy_goes_with_the_object(tmp_path):
    tables = write_tables(random_world(1), tmp_path / "tables")
    place = tmp_path / "copies"
    place.mkdir()
    with LeadRecords(tables, place):
        assert list(place.iterdir())
    assert list(place.iterdir()) == []


def test_tables_of_an_earlier_run_are_found_in_their_folder(tmp_path):
    tables = write_tables(random_world(1), tmp_path)
    assert CanonicalTables.kept_in(tables.directory) == tables
    assert CanonicalTables.kept_in(tmp_path / "nowhere").columns == {}
