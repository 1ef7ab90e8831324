"""Features on Spark equal those of one machine."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from every_feature import DEFINITION
from oracle import START, World, random_world, write_snapshots, write_tables

from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.engines.spark import spark_features
from leadlight.features.errors import ConfigError

pytestmark = pytest.mark.spark


def on_one_machine(world: World, directory: Path) -> pa.Table:
    tables = write_tables(world, directory)
    snapshots = write_snapshots(world, directory / "snapshots.parquet")
    with DuckDBEngine(threads=1) as engine:
        compute_features(engine, tables, snapshots, DEFINITION, directory / "out")
    return pq.read_table(directory / "out")


def on_spark(spark, directory: Path, *, buckets: int):
    names = [path.stem for path in directory.glob("*.parquet") if path.stem != "snapshots"]
    tables = {name: spark.read.parquet(str(directory / f"{name}.parquet")) for name in names}
    snapshots = spark.read.parquet(str(directory / "snapshots.parquet"))
    return spark_features(tables, snapshots, DEFINITION, buckets=buckets)


def in_order(table: pa.Table) -> pa.Table:
    return table.sort_by([("lead_id", "ascending"), ("as_of", "ascending")])


@pytest.mark.parametrize(("seed", "buckets"), [(0, 1), (3, 4)])
def test_features_on_spark_equal_those_of_one_machine(
    spark,
    tmp_path,
    seed,
    buckets,
):
    expected = in_order(on_one_machine(random_world(seed), tmp_path))
    found = in_order(on_spark(spark, tmp_path, buckets=buckets).toArrow())
    assert found.column_names == expected.column_names
    assert found.num_rows == expected.num_rows > 0
    for name in expected.column_names:
        ours, theirs = found[name].to_pandas(), expected[name].to_pandas()
        if pa.types.is_floating(expected[name].type):
            assert ours.fillna(-1e300).tolist() == pytest.approx(
                theirs.fillna(-1e300).tolist(), rel=1e-9, abs=1e-9
            ), name
        else:
            assert ours.astype(object).where(ours.notna(), None).tolist() == (
                theirs.astype(object).where(theirs.notna(), None).tolist()
            ), name


def test_a_session_of_another_time_zone_is_refused(spark, tmp_path):
    world = replace(random_world(0), snapshots=[("L0", START)])
    on_one_machine(world, tmp_path)
    spark.conf.set("spark.sql.session.timeZone", "Europe/Berlin")
    try:
        with pytest.raises(ConfigError, match="Europe/Berlin"):
            on_spark(spark, tmp_path, buckets=1)
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
