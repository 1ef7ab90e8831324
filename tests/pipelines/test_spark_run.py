"""A night on Spark gives what the same night gives on one machine."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from command import leadlight
from small_project import SmallProject, make_small_project

from leadlight.pipelines import spark_run
from leadlight.pipelines.config import load_config
from leadlight.pipelines.live import LiveScores, News
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.score import Scored, score
from leadlight.pipelines.status import read_status

pytestmark = pytest.mark.spark
AS_OF = datetime(2025, 6, 1, tzinfo=UTC)


def night(project: SmallProject, *, on_spark: bool) -> tuple[Scored, pd.DataFrame, pd.DataFrame]:
    config = load_config(project.config)
    done = score(config, Progress(quiet=True), as_of=AS_OF, on_spark=on_spark)
    rows = pq.read_table(done.partition).to_pandas()
    status = read_status(config, AS_OF).to_pandas()
    return done, *(table.sort_values("lead_id", ignore_index=True) for table in (rows, status))


def test_a_night_on_spark_equals_that_of_one_machine(
    spark: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_small_project(tmp_path / "project")
    project.configure(
        "policy: top_share, share: 0.2",
        "policy: capacity, by: source, leads_per_week: {ads: 2, other: 5}",
    )
    assert leadlight("train", "-c", project.config).code == 0
    leads = project.read("leads.csv")
    leads.loc[3, "source"] = "a fair"
    project.write("leads.csv", leads)
    shutil.copytree(project.directory, tmp_path / "spark")
    monkeypatch.setattr(spark_run, "EVENTS_PER_BUCKET", 3_000)

    here, rows, status = night(project, on_spark=False)
    there, spark_rows, spark_status = night(SmallProject(tmp_path / "spark"), on_spark=True)
    assert there.leads == here.leads > 100
    assert there.notes == here.notes
    assert there.moves == here.moves
    pd.testing.assert_frame_equal(spark_rows, rows, rtol=1e-12)
    pd.testing.assert_frame_equal(spark_status, status)
    names = sorted(path.name for path in there.partition.iterdir())
    _one_lead_alone_is_decided_alike(project, rows)
    assert names == ["_notes.json", *(f"part-{n:05d}.parquet" for n in range(len(names) - 1))]


def _one_lead_alone_is_decided_alike(project: SmallProject, rows: pd.DataFrame) -> None:
    """The threshold differs by segment: the server must know whose it is."""
    config = load_config(project.config)
    with LiveScores(config) as live:
        for row in rows.iloc[::60].to_dict("records"):
            alone = live.score(News({"lead_id": row["lead_id"]}), AS_OF)
            assert alone["mql"] == row["mql"]
            assert alone["probability"] == pytest.approx(row["probability"], rel=1e-12)
