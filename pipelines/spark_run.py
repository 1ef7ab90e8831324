"""A scoring run on Apache Spark: the night's own kernel and compiled model, on many machines.

The session is the one that runs already, or the one that ``spark-submit`` and Spark's own
configuration describe. Its workers need leadlight, and the workspace at the same path.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadlight.features.definition import FeatureDefinition
from leadlight.features.errors import MissingExtraError
from leadlight.features.tables import CanonicalTables
from leadlight.features.wording import Wording
from leadlight.models.decision import DecisionVersion
from leadlight.models.policies import SEGMENT_COLUMN

from .scores import DECIDED, decided_table

EVENTS_PER_BUCKET = 500_000


def features_on_spark(
    tables: CanonicalTables, snapshots: Path, definition: FeatureDefinition, output: Path
) -> None:
    """Write the features of snapshots, as ``compute_features`` does, into a folder of parts.

    Parameters
    ----------
    tables : CanonicalTables
    snapshots : Path
    definition : FeatureDefinition
    output : Path
        Folder; made.

    Raises
    ------
    MissingExtraError
        PySpark is not installed.
    """
    from leadlight.features.engines.spark import spark_features  # noqa: PLC0415 - an extra

    spark = _session()
    frames = {
        name: spark.read.parquet(*(str(part) for part in tables.parts(name)))
        for name in tables.columns
    }
    events = sum(
        pq.read_metadata(part).num_rows
        for part in (tables.parts("events") if tables.has("events") else ())
    )
    features = spark_features(
        frames,
        spark.read.parquet(str(snapshots)),
        definition,
        buckets=max(1, -(-events // EVENTS_PER_BUCKET)),
    )
    _write(features.sortWithinPartitions("as_of", "lead_id"), output)


def decided_on_spark(
    decision: DecisionVersion,
    parts: Path,
    tables: CanonicalTables,
    wording: Wording,
    output: Path,
) -> None:
    """Score a feature table with a decision version, into a folder of parts (``DECIDED``).

    Parameters
    ----------
    decision : DecisionVersion
    parts : Path
        The feature table.
    tables : CanonicalTables
        Tell the segment of each lead, where thresholds differ by one.
    wording : Wording
    output : Path
        Folder; made.
    """
    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - an extra

    spark = _session()
    features = spark.read.parquet(str(parts))
    by = decision.threshold.by
    if by is not None:
        leads = spark.read.parquet(str(tables.path("leads")))
        segment = leads[by].cast("string").alias(SEGMENT_COLUMN)
        features = features.join(leads.select("lead_id", segment), "lead_id", "left")

    def decided(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            frame = pa.Table.from_batches([batch]).to_pandas()
            yield from decided_table(decision.decide(frame, wording)).to_batches()

    scored = features.mapInArrow(decided, from_arrow_schema(DECIDED))
    _write(scored.sortWithinPartitions("lead_id"), output)


def _session() -> Any:
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra
    except ImportError as missing:
        raise MissingExtraError(
            "scoring on Spark needs PySpark", hint="pip install 'leadlight[spark]'"
        ) from missing
    builder = SparkSession.builder.appName("leadlight score")
    return builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()


def _write(rows: Any, output: Path) -> None:
    """Write a Spark frame as parts with the names that the house gives them."""
    rows.write.parquet(str(output))
    for number, part in enumerate(sorted(output.glob("part-*.parquet"))):
        part.rename(output / f"part-{number:05d}.parquet")
    for other in output.iterdir():
        if not other.name.endswith(".parquet") or other.name.startswith("."):
            other.unlink()
