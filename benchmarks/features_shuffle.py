"""What Spark moves for each event and snapshot, and how long it takes: two sizes tell the start.

Not part of bench-features: it needs the extra ``spark`` and Java. docs/sizing.md builds on it.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features_definitions import COMMON_KINDS, common_features, own_kinds
from features_world import World, WrittenWorld, written_world
from pyspark.sql import SparkSession

from leadlight.features.engines.spark import spark_features

EVENTS_A_BUCKET = 250_000
SNAPSHOTS_A_LEAD = 1


@dataclass(frozen=True)
class Stage:
    """A stage of the job: rows and bytes that it wrote for the next."""

    name: str
    rows: int
    bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("millions", type=int, nargs="?", default=1, help="of events")
    world = World(1_000_000 * parser.parse_args().millions, long_ids=True)
    buckets = world.events // EVENTS_A_BUCKET
    with (
        tempfile.TemporaryDirectory(prefix="bench-features-") as folder,
        written_world(world, Path(folder), snapshots_a_lead=SNAPSHOTS_A_LEAD) as written,
    ):
        log = Path(folder) / "log"
        log.mkdir()
        spark = _session(log, buckets)
        started = time.perf_counter()
        _compute(spark, written, buckets, Path(folder) / "features")
        seconds = time.perf_counter() - started
        spark.stop()
        stages = list(_stages(log))
    print(f"{world.events:,} events, {buckets} buckets, 2 cores: {seconds:.1f} s")
    for stage in stages:
        each = stage.bytes / max(stage.rows, 1)
        print(f"{stage.name}: {stage.rows:,} rows, {stage.bytes:,} bytes, {each:.1f} bytes a row")
    moved = sum(stage.bytes for stage in stages)
    print(f"moved in all: {moved:,} bytes, {moved / world.events:.1f} for each event")


def _session(log: Path, buckets: int) -> SparkSession:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").appName("bench-features")
    for name, value in {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(buckets),
        # A hundred million names would not be sent to every task.
        "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(log.parent),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": log.as_uri(),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "3g",
    }.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _compute(spark: SparkSession, written: WrittenWorld, buckets: int, output: Path) -> None:
    tables = {
        name: spark.read.parquet(*map(str, written.tables.parts(name)))
        for name in ("leads", "events")
    }
    snapshots = spark.read.parquet(str(written.snapshots))
    definition = common_features(own_kinds(written.world, COMMON_KINDS))
    features = spark_features(tables, snapshots, definition, buckets=buckets)
    features.write.parquet(str(output))


def _stages(log: Path) -> Iterator[Stage]:
    """Read from Spark's log what each stage wrote for the next."""
    totals: dict[int, list[int]] = {}
    for line in next(log.iterdir()).read_text().splitlines():
        event: Mapping[str, Any] = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd":
            wrote = event["Task Metrics"]["Shuffle Write Metrics"]
            total = totals.setdefault(event["Stage ID"], [0, 0])
            total[0] += wrote["Shuffle Records Written"]
            total[1] += wrote["Shuffle Bytes Written"]
    for number, (rows, size) in sorted(totals.items()):
        if rows:
            yield Stage(f"stage {number}", rows, size)


if __name__ == "__main__":
    main()
