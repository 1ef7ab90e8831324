"""Features on Apache Spark: the same computation, one bucket of whole accounts in each task.

Spark brings together what belongs to a bucket: the events on one side, the rows of all other
tables on the other. A task then does what one machine does with all buckets, by the same code.
"""

import tempfile
from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.definition import FeatureDefinition
from leadlight.features.errors import ConfigError, MissingExtraError
from leadlight.features.tables import CanonicalTables

try:
    from pyspark.sql import DataFrame
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
    from pyspark.sql.types import StructType
except ImportError as missing:
    raise MissingExtraError(
        "features on Spark need PySpark", hint="pip install 'leadlight[spark]'"
    ) from missing

from .duckdb import DuckDBEngine
from .feature_table import compute_features
from .spark_buckets import BUCKET, SparkBuckets

_TABLE, _SNAPSHOTS = "_table", "_snapshots"


def spark_features(
    tables: Mapping[str, DataFrame],
    snapshots: DataFrame,
    definition: FeatureDefinition,
    *,
    buckets: int,
    memory_limit: str = "1GB",
) -> DataFrame:
    """Return the features of each snapshot as it was at its ``as_of``, computed on Spark.

    The values are those of ``compute_features``; rows are in no particular order.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Canonical tables by name; times as timestamps, in a session whose time zone is UTC.
    snapshots : DataFrame
        ``lead_id``, ``account_id``, ``as_of``, ``label``, ``position``.
    definition : FeatureDefinition
    buckets : int
        Into how many tasks the accounts are divided: some 500,000 events each is a good size. A
        task holds its bucket in memory.
    memory_limit : str
        What DuckDB may use in each task, beside the bucket itself.

    Raises
    ------
    ConfigError
        The session's time zone is not UTC.
    """
    zone = snapshots.sparkSession.conf.get("spark.sql.session.timeZone")
    if zone != "UTC":
        raise ConfigError(
            f"the Spark session's time zone is {zone!r}",
            hint="Set spark.sql.session.timeZone to UTC.",
        )
    homes = SparkBuckets.of(tables, buckets)
    others = {name: homes.placed(name, rows) for name, rows in tables.items() if name != "events"}
    others[_SNAPSHOTS] = homes.of_account(snapshots)
    rest = reduce(
        lambda left, right: left.unionByName(right, allowMissingColumns=True),
        [
            rows.select(
                BUCKET,
                F.lit(name).alias(_TABLE),
                F.struct(*(F.col(column) for column in rows.columns if column != BUCKET)).alias(
                    name
                ),
            )
            for name, rows in sorted(others.items())
        ],
    )
    columns = {name: tuple(rows.columns) for name, rows in tables.items()}
    events = rest.select(BUCKET).limit(0)
    if "events" in tables:
        events = homes.placed("events", tables["events"])
    work = _work(columns, definition, memory_limit)
    return (
        events.groupBy(BUCKET)
        .cogroup(rest.groupBy(BUCKET))
        .applyInArrow(work, _schema(tables, snapshots, definition, memory_limit))
    )


def _work(
    columns: Mapping[str, tuple[str, ...]], definition: FeatureDefinition, memory_limit: str
) -> Callable[[pa.Table, pa.Table], pa.Table]:
    """Return what a task does with its bucket's events and other rows."""

    def features(events: pa.Table, rest: pa.Table) -> pa.Table:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            for name in (*columns, _SNAPSHOTS):
                rows = events.select(columns["events"]) if name == "events" else _rows(rest, name)
                pq.write_table(rows, folder / f"{name}.parquet", compression="lz4")
            return _computed(folder, columns, definition, memory_limit)

    return features


def _rows(rest: pa.Table, name: str) -> pa.Table:
    """Return the rows of one table, its columns as they were."""
    mine = rest.filter(pc.equal(rest[_TABLE], name))[name].combine_chunks()
    fields = list(mine.type)
    return pa.table({field.name: mine.field(at) for at, field in enumerate(fields)})


def _computed(
    folder: Path,
    columns: Mapping[str, tuple[str, ...]],
    definition: FeatureDefinition,
    memory_limit: str,
) -> pa.Table:
    with DuckDBEngine(memory_limit=memory_limit, threads=1, temp_directory=folder) as engine:
        tables = CanonicalTables(folder, columns)
        snapshots = folder / f"{_SNAPSHOTS}.parquet"
        compute_features(engine, tables, snapshots, definition, folder / "out", processes=1)
    return pq.read_table(folder / "out")


def _schema(
    tables: Mapping[str, DataFrame],
    snapshots: DataFrame,
    definition: FeatureDefinition,
    memory_limit: str,
) -> StructType:
    """Return the feature table's schema for Spark: that of a table without snapshots."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, rows in {**tables, _SNAPSHOTS: snapshots}.items():
            schema = to_arrow_schema(rows.schema, timezone="UTC")
            pq.write_table(schema.empty_table(), Path(scratch) / f"{name}.parquet")
        columns = {name: tuple(rows.columns) for name, rows in tables.items()}
        empty = _computed(Path(scratch), columns, definition, memory_limit)
    return from_arrow_schema(empty.schema)
