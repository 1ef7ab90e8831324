"""Which snapshots a decision of sales judges."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlight.features.engines import DuckDBEngine
from leadlight.features.feedback import judged_snapshots_sql
from leadlight.features.sql import parquet
from leadlight.features.tables import CanonicalTables

BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
TIME = pa.timestamp("us", tz="UTC")
HORIZON = 30


@pytest.fixture(scope="module")
def engine():
    with DuckDBEngine(threads=1) as engine:
        yield engine


def day(number: float) -> datetime:
    return BEGIN + timedelta(days=number)


def judged(
    engine: DuckDBEngine,
    directory: Path,
    decisions: list[tuple[str, datetime, bool, str | None]],
    *,
    with_reason: bool = True,
) -> list[tuple[str, float, bool, str | None]]:
    """What is judged of snapshots of leads A and B at days 0, 10, 20, 30 and 40."""
    lead, at, accepted, reason = zip(*decisions, strict=True)
    columns = {"lead_id": lead, "decided_at": pa.array(at, TIME), "accepted": accepted}
    if with_reason:
        columns["reason"] = pa.array(reason, pa.string())
    pq.write_table(pa.table(columns), directory / "feedback.parquet")
    rows = [(name, day(number)) for number in range(0, 50, 10) for name in "AB"]
    snapshots = {
        "lead_id": [name for name, _ in rows],
        "as_of": pa.array([instant for _, instant in rows], TIME),
    }
    pq.write_table(pa.table(snapshots), directory / "snapshots.parquet")
    tables = CanonicalTables(directory, {"leads": ("lead_id",), "feedback": tuple(columns)})
    sql = judged_snapshots_sql(tables, parquet(directory / "snapshots.parquet"), HORIZON)
    return [
        (row["lead_id"], (row["as_of"] - BEGIN) / timedelta(days=1), row["accepted"], row["reason"])
        for row in engine.table(sql).to_pylist()
    ]


def test_a_decision_judges_the_snapshots_in_whose_horizon_it_fell(engine, tmp_path):
    found = judged(engine, tmp_path, [("A", day(35), False, "student")])
    assert found == [("A", at, False, "student") for at in (10, 20, 30)]


def test_a_decision_at_the_snapshot_instant_counts_and_one_at_the_horizons_end_does_not(
    engine, tmp_path
):
    found = judged(engine, tmp_path, [("A", day(30), True, None)])
    assert [at for _, at, *_ in found] == [10, 20, 30]
    earlier = judged(engine, tmp_path, [("A", day(30) - timedelta(microseconds=1), True, None)])
    assert [at for _, at, *_ in earlier] == [0, 10, 20]


def test_a_decision_before_any_snapshot_or_of_another_lead_judges_none(engine, tmp_path):
    assert judged(engine, tmp_path, [("A", day(-1), True, None), ("C", day(5), True, None)]) == []


def test_each_of_several_decisions_is_told_in_their_order(engine, tmp_path):
    found = judged(engine, tmp_path, [("A", day(9), True, None), ("A", day(5), False, " ")])
    assert found == [("A", 0, False, None), ("A", 0, True, None)]


def test_feedback_without_reasons_is_feedback(engine, tmp_path):
    found = judged(engine, tmp_path, [("A", day(5), False, None)], with_reason=False)
    assert found == [("A", 0, False, None)]


def test_a_project_without_feedback_has_no_decisions(engine, tmp_path):
    judged(engine, tmp_path, [("A", day(5), False, None)])
    tables = CanonicalTables(tmp_path, {"leads": ("lead_id",)})
    sql = judged_snapshots_sql(tables, parquet(tmp_path / "snapshots.parquet"), HORIZON)
    assert engine.table(sql).num_rows == 0
