"""`leadlight monitor` on a small project: fine nights, broken ones, and what each output says."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families

from leadlight.features.errors import LeadNotFoundError
from leadlight.pipelines.config import load_config
from leadlight.pipelines.monitor import Monitored, monitor, write_metrics, write_page
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.score import score
from tests.command import leadlight
from tests.small_project import DAYS, START, SmallProject, make_small_project

QUIET = Progress(quiet=True)
TONIGHT = START.replace(tzinfo=UTC) + timedelta(days=DAYS)


@pytest.fixture(scope="module")
def trained(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    """A project that has scored its leads a season, a week and a day ago, and tonight."""
    project = trained_small_project.copied(tmp_path_factory.mktemp("monitor") / "project")
    config = load_config(project.config)
    for back in (90, 7, 1):
        score(config, QUIET, as_of=TONIGHT - timedelta(days=back))
        if back == 1:
            monitor(config, QUIET)
    return project


@pytest.fixture
def project(trained: SmallProject, tmp_path: Path) -> Iterator[SmallProject]:
    """A copy that a test may break; the registry names its artefacts by the place of the first."""
    kept = tmp_path / "kept"
    shutil.copytree(trained.directory, kept)
    yield trained
    shutil.rmtree(trained.directory)
    shutil.copytree(kept, trained.directory)


def look(project: SmallProject) -> Monitored:
    config = load_config(project.config)
    score(config, QUIET, as_of=TONIGHT)
    return monitor(config, QUIET)


def change(project: SmallProject, name: str, by: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    project.write(name, by(project.read(name)))


def kinds(told: Monitored) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.what) for alarm in told.alarms]


def without_views(events: pd.DataFrame, days: int) -> pd.DataFrame:
    end = (START + timedelta(days=DAYS - days)).isoformat()
    return events[(events["event_type"] != "page_view") | (events["occurred_at"] < end)]


def test_a_quiet_night_is_fine_and_tells_its_figures(project: SmallProject) -> None:
    told = look(project)
    assert kinds(told) == []
    assert (told.status, told.exit_code) == ("fine", 0)
    assert told.looks > 20
    assert {one.name for one in told.streams} == {"page_view", "email_click"}
    assert told.conversion is not None
    assert told.conversion.low < 1 < told.conversion.high


def test_a_tracker_that_died_is_named_and_the_features_that_starve_follow(
    project: SmallProject,
) -> None:
    change(project, "events.csv", lambda events: without_views(events, 1))
    told = look(project)
    assert kinds(told)[0] == ("silent tracker", "page_view")
    assert (told.status, told.exit_code) == ("act", 2)


def test_a_column_that_an_export_made_constant_is_named_from_the_features_alone(
    project: SmallProject,
) -> None:
    change(project, "leads.csv", lambda leads: leads.assign(source="ads"))
    told = look(project)
    assert kinds(told)[0] == ("constant column", "source")
    assert all(alarm.what != "source" for alarm in told.alarms[1:])


def test_a_base_rate_that_breaks_down_is_named(project: SmallProject) -> None:
    since = (START + timedelta(days=DAYS - 90)).isoformat()

    def hardly_any(deals: pd.DataFrame) -> pd.DataFrame:
        late = (deals["closed_at"] >= since) & (deals["stage"] == "won")
        return deals.assign(stage=deals["stage"].where(~late, "lost"))

    change(project, "deals.csv", hardly_any)
    assert ("base rate", "conversion") in kinds(look(project))


def test_each_output_says_the_same_and_escapes_what_came_from_data(
    project: SmallProject, tmp_path: Path
) -> None:
    evil = "<script>alert(1)</script>"
    change(
        project,
        "events.csv",
        lambda events: without_views(events, 1).replace({"event_type": {"email_click": evil}}),
    )
    told = look(project)
    page = write_page(load_config(project.config), told).read_text(encoding="utf-8")
    assert evil not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    for alarm in told.alarms:
        assert alarm.to_do in page
    plain: dict[str, Any] = json.loads(json.dumps(told.to_dict(), allow_nan=False))
    assert [one["kind"] for one in plain["alarms"]] == [alarm.kind for alarm in told.alarms]
    metrics = tmp_path / "leadlight.prom"
    write_metrics(told, metrics)
    families = {one.name: one for one in text_string_to_metric_families(metrics.read_text("utf-8"))}
    assert families["leadlight_monitor_status"].samples[0].value == told.exit_code
    assert len(families["leadlight_alarm"].samples) == len(told.alarms)
    assert list(tmp_path.glob(".*")) == []


def test_limits_are_the_configurations(project: SmallProject) -> None:
    change(project, "events.csv", lambda events: without_views(events, 1))
    project.configure("label:", "monitor: {false_alarms: 1.0e-300}\nlabel:")
    assert kinds(look(project)) == []


def test_what_was_never_scored_cannot_be_monitored_and_no_answer_is_given(tmp_path: Path) -> None:
    fresh = make_small_project(tmp_path / "fresh", leads=60)
    with pytest.raises(LeadNotFoundError):
        monitor(load_config(fresh.config), QUIET)
    ran = leadlight("monitor", "--config", fresh.config)
    assert ran.code == 7
    assert "Score first" in ran.refused()


def test_the_command_answers_a_scheduler_and_a_machine(project: SmallProject) -> None:
    change(project, "events.csv", lambda events: without_views(events, 1))
    score(load_config(project.config), QUIET, as_of=datetime.fromisoformat(TONIGHT.isoformat()))
    ran = leadlight("monitor", "--config", project.config, "--json")
    assert ran.code == 2, ran.error
    assert json.loads(ran.out)["status"] == "act"
