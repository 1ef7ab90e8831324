"""What training knows of labels besides won or not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import leadlight
from small_project import SmallProject, make_small_project

from leadlight.features.engines import DuckDBEngine
from leadlight.features.tables import CanonicalTables
from leadlight.pipelines.config import LabelSettings, load_config
from leadlight.pipelines.registry import registry_of
from leadlight.pipelines.training_labels import judged_snapshots, with_label_history

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2024-03-01", tz="UTC").as_unit("us")
SNAPSHOTS = pa.schema(
    [
        ("lead_id", pa.string()),
        ("as_of", pa.timestamp("us", tz="UTC")),
        ("label", pa.bool_()),
        ("win_after_days", pa.float64()),
    ]
)


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine(threads=1) as engine:
        yield engine


def _snapshots(path: Path, rows: list[tuple[str, float | None, float | None]]) -> pd.DataFrame:
    """Write snapshots as (lead, day, days to the win); return them as a frame in another order."""
    lead, at, days = zip(*rows, strict=True)
    as_of = [None if number is None else START + number * DAY for number in at]
    won = [number is not None for number in days]
    pq.write_table(pa.table([lead, as_of, won, days], schema=SNAPSHOTS), path)
    return pq.read_table(path).to_pandas()[["lead_id", "as_of", "label"]].iloc[::-1]


def _tables(directory: Path, decisions: list[tuple[str, float, bool]]) -> CanonicalTables:
    lead, at, accepted = zip(*decisions, strict=True)
    times = pa.array([START + number * DAY for number in at], pa.timestamp("us", tz="UTC"))
    columns = {"lead_id": lead, "decided_at": times, "accepted": accepted}
    pq.write_table(pa.table(columns), directory / "feedback.parquet")
    return CanonicalTables(directory, {"leads": ("lead_id",), "feedback": tuple(columns)})


def test_each_row_learns_when_its_own_win_came(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "snapshots.parquet"
    frame = _snapshots(path, [("A", 0, 40.5), ("A", 30, 10.5), ("B", 0, None)])
    label = LabelSettings()
    judged = judged_snapshots(engine, _tables(tmp_path, [("C", 1, True)]), path, label)
    told = with_label_history(frame, path, judged, label)
    assert told["lead_id"].tolist() == ["B", "A", "A"]
    assert told["win_after_days"].tolist()[1:] == [10.5, 40.5]
    assert np.isnan(told["win_after_days"].iloc[0])
    assert "weight" not in told


def test_rows_of_a_flat_table_do_not_know_when(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "snapshots.parquet"
    frame = _snapshots(path, [("A", None, None), ("B", None, None)])
    tables = CanonicalTables(tmp_path, {"leads": ("lead_id",)})
    judged = judged_snapshots(engine, tables, path, LabelSettings())
    told = with_label_history(frame, path, judged, LabelSettings())
    assert told["win_after_days"].isna().all()
    assert len(judged) == 0


def test_verdicts_become_weights_where_feedback_is_to_be_used(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    path = tmp_path / "snapshots.parquet"
    frame = _snapshots(path, [("A", 0, None), ("B", 0, None), ("C", 0, 3), ("D", 0, None)])
    tables = _tables(tmp_path, [("A", 0, False), ("B", 5, True), ("C", 5, True), ("D", 90, False)])
    label = LabelSettings(use_feedback=True)
    told = with_label_history(frame, path, judged_snapshots(engine, tables, path, label), label)
    weights = dict(zip(told["lead_id"], told["weight"], strict=True))
    assert weights == {"A": 2, "B": 1, "C": 2, "D": 1}


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")
def test_training_tells_what_sales_said_beside_the_score(tmp_path: Path) -> None:
    project = make_small_project(tmp_path / "project")
    _add_feedback(project)
    trained = leadlight("train", "-c", project.config, "--json")
    assert trained.code == 0, trained.error
    told = registry_of(load_config(project.config)).champion().training["feedback"]
    assert told["rows"] == told["accepted"] + told["rejected"] > 100
    assert told["mean_probability_accepted"] > told["mean_probability_rejected"]
    assert told["agreement"]["low"] > 0.5
    assert {each["reason"] for each in told["by_reason"]} == {"no budget", "student"}
    assert sum(each["rows"] for each in told["by_reason"]) == told["rejected"]


def _add_feedback(project: SmallProject) -> None:
    """Sales judges leads two months after their creation, and likes the busy ones."""
    generator = np.random.default_rng(0)
    leads = project.read("leads.csv")
    events = leads["lead_id"].map(project.read("events.csv")["lead_id"].value_counts()).fillna(0)
    decided = pd.to_datetime(leads["created_at"]) + 60 * DAY
    accepted = generator.random(len(leads)) < np.where(events > events.median(), 0.9, 0.1)
    feedback = pd.DataFrame(
        {
            "lead_id": leads["lead_id"],
            "decided_at": decided.dt.strftime("%Y-%m-%dT%H:%M:%S"),
            "accepted": accepted,
            "reason": np.where(leads["job_title"] == "Student", "student", "no budget"),
        }
    )
    feedback.loc[accepted, "reason"] = ""
    project.write("feedback.csv", feedback[decided < "2025-06-24"])
    project.configure("  outcomes:", "  feedback: {path: feedback.csv}\n  outcomes:")
    project.configure("{horizon_days: 60}", "{horizon_days: 60, use_feedback: true}")
