"""Retraining by its command: promoted, kept or failed, and the champion safe in each case."""

import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command import leadlight
from small_project import SmallProject, make_small_project
from typer.testing import CliRunner, Result

from leadlight.pipelines.cli import app
from leadlight.pipelines.config import load_config
from leadlight.pipelines.promotion import champion_history, promote, roll_back
from leadlight.pipelines.registry import CHALLENGER, CHAMPION, Mandate, registry_of

with warnings.catch_warnings():
    # MLflow 3.17 warns of its own type hints and of its own use of SQLAlchemy.
    warnings.simplefilter("ignore")
    from mlflow import MlflowClient
    from mlflow.entities import Run

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")

YOUNGER = "observed_until: 2025-03-01, won: "


@dataclass(frozen=True)
class _Told:
    """A project whose first champion knew less, and what retrainings said since.

    ``aside`` is a copy from when a challenger waited beside the champion.
    """

    project: SmallProject
    kept: Result
    aside: SmallProject
    promoted: Result

    @property
    def kept_story(self) -> dict[str, Any]:
        return dict(json.loads(self.kept.stdout))


def _retrain(project: SmallProject, *more: str) -> Result:
    # In this process: the libraries are imported once.
    return CliRunner().invoke(app, ["retrain", "-c", str(project.config), *more])


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project that was trained when its outcomes were known until March."""
    project = make_small_project(tmp_path_factory.mktemp("retrain") / "project")
    project.configure("won: ", YOUNGER)
    ran = leadlight("train", "-c", project.config)
    assert ran.code == 0, ran.error
    project.configure(YOUNGER, "won: ")
    return project


@pytest.fixture(scope="module")
def told(young: SmallProject) -> _Told:
    """Retrained twice on all outcomes: through a closed gate, and through an open one."""
    gate = "retrain: {log_loss_rise: %s, calibration_error: %s, mql_change: %s}\nlabel:"
    young.configure("label:", gate % (0, 0, 0))
    kept = _retrain(young, "--by", "cron", "--json")
    aside = SmallProject(young.directory.with_name("aside"))
    shutil.copytree(young.directory, aside.directory)
    young.configure(gate % (0, 0, 0), gate % (10, 1, 10))
    promoted = _retrain(young, "--by", "cron")
    return _Told(young, kept, aside, promoted)


def test_old_labels_are_told_and_the_level_is_guessed_from_scores_only_if_they_tell_it(
    told: _Told,
) -> None:
    registry = registry_of(load_config(told.project.config))
    with_old_labels, with_all = (registry.version(number).training["notes"] for number in (1, 2))
    assert any("No label of late is mature" in note for note in with_old_labels)
    assert not any("No label of late is mature" in note for note in with_all)


def test_the_report_says_which_model_its_figures_are_of(told: _Told) -> None:
    registry = registry_of(load_config(told.project.config))
    version = registry.version(1)
    assert version.decision.judged is not None
    assert any("fitted again on all" in sentence for sentence in version.training["windows"])


def test_a_challenger_that_does_not_pass_is_kept_out_with_the_reason(told: _Told) -> None:
    assert told.kept.exit_code == 4, told.kept.output
    story = told.kept_story
    assert (story["outcome"], story["champion"], story["challenger"]) == ("kept", 1, 2)
    assert "the gate allows" in story["reason"]


def test_both_are_judged_on_the_same_later_window_that_the_champion_has_not_seen(
    told: _Told,
) -> None:
    comparison = told.kept_story["comparison"]
    assert comparison["champion"]["rows"] == comparison["challenger"]["rows"] > 500
    assert set(comparison["differences"]) == {
        "log_loss",
        "auc",
        "lift_at_10",
        "ece",
        "calibration_slope",
    }
    registry = registry_of(load_config(told.project.config))
    first, second = registry.version(1), registry.version(2)
    window = next(each for each in second.training["windows"] if each.startswith("Test"))
    since = first.decision.metadata["known_until"]
    assert second.decision.metadata["known_until"] >= since
    assert window.split()[1] >= "2025-01"


def test_it_says_who_would_gain_and_lose_mql_and_the_largest_moves(told: _Told) -> None:
    change = told.kept_story["mql_change"]
    assert change["mqls_after"] == change["mqls_before"] + change["gained"] - change["lost"]
    assert 0 < len(change["moves"]) <= 20
    distances = [abs(move["after"] - move["before"]) for move in change["moves"]]
    assert distances == sorted(distances, reverse=True)
    assert any(move["reasons_after"] for move in change["moves"])
    assert "leads would gain MQL" in " ".join(told.promoted.stdout.split())


def test_one_that_passes_becomes_champion_and_the_ledger_says_by_whom_and_why(
    told: _Told,
) -> None:
    assert told.promoted.exit_code == 0, told.promoted.output
    config = load_config(told.project.config)
    registry = registry_of(config)
    assert registry.holder(CHAMPION) == 3
    assert registry.holder(CHALLENGER) is None
    promoted, kept, trained = champion_history(config)
    assert (promoted.action, promoted.from_version, promoted.to_version) == ("promote", 1, 3)
    assert promoted.mandate.by == "cron"
    assert "log loss is" in promoted.mandate.reason
    assert (kept.action, kept.from_version, kept.to_version) == ("keep", 1, 2)
    assert trained.action == "train"


def _runs(client: MlflowClient) -> list[Run]:
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])
    return [run for run in found if "mlflow.parentRunId" not in run.data.tags]


def test_mlflow_tells_the_whole_story_to_whoever_opens_it(told: _Told) -> None:
    client = MlflowClient(load_config(told.project.config).tracking_uri)
    trained, kept, promoted = _runs(client)
    assert [run.info.run_name for run in (trained, kept, promoted)] == [
        "train",
        "retrain",
        "retrain",
    ]
    assert (kept.data.tags["leadlight.gate"], promoted.data.tags["leadlight.gate"]) == (
        "kept",
        "passed",
    )
    assert "the gate allows" in kept.data.tags["leadlight.decision"]
    for run in (kept, promoted):
        files = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert {"plots", "leaks.json", "model_card.md", "challenge.json"} <= files
        assert "difference_log_loss" in run.data.metrics
        assert "Test: " in run.data.tags["leadlight.windows"]
    champion = client.get_model_version_by_alias("small", "champion")
    assert champion.run_id == promoted.info.run_id
    assert champion.tags["leadlight.promoted_by"] == "cron"
    assert "log loss is" in champion.tags["leadlight.promoted_because"]
    first = client.get_model_version("small", "1")
    assert first.tags["leadlight.promoted_because"] == "leadlight train"
    second = client.get_model_version("small", "2")
    assert second.run_id == kept.info.run_id
    assert second.tags["leadlight.made_because"] == "leadlight retrain, against version 1"


def test_each_run_in_mlflow_opens_with_its_decision_windows_audit_and_plots(told: _Told) -> None:
    client = MlflowClient(load_config(told.project.config).tracking_uri)
    for run, decision in zip(
        _runs(client), ("leadlight train", "Kept out. ", "Promoted. On a later window"), strict=True
    ):
        note = run.data.tags["mlflow.note.content"]
        assert run.data.tags["leadlight.decision"].startswith(decision)
        for part in ("Decision", "Windows", "Leak audit", "Artefacts"):
            assert f"## {part}" in note
        assert decision in note
        assert "- Test: " in note
        for plot in ("plots/reliability.svg", "plots/lift.svg"):
            assert plot in note
        plots = {file.path for file in client.list_artifacts(run.info.run_id, "plots")}
        assert {"plots/reliability.svg", "plots/lift.svg"} <= plots


def test_champion_challenger_and_the_reason_of_each_promotion_are_found_in_mlflow(
    told: _Told,
) -> None:
    config = load_config(told.aside.config)
    client = MlflowClient(config.tracking_uri)
    challenger = client.get_model_version_by_alias("small", "challenger")
    assert client.get_model_version_by_alias("small", "champion").version == 1
    assert challenger.version == 2
    assert "the gate allows" in challenger.tags["leadlight.kept_because"]
    assert "version 2 was kept out" in challenger.description
    promote(config, None, Mandate("Ada", "sales asked for <it>"))
    champion = client.get_model_version_by_alias("small", "champion")
    assert champion.version == 2
    assert champion.tags["leadlight.promoted_because"] == "sales asked for <it>"
    roll_back(config, Mandate("Bo", "MQLs doubled overnight"))
    champion = client.get_model_version_by_alias("small", "champion")
    assert champion.version == 1
    assert champion.tags["leadlight.promoted_because"] == "MQLs doubled overnight"
    story = client.get_registered_model("small").description
    told_in_order = [
        "Bo: rolled back: version 1 is the champion again in place of version 2. Why: MQLs doubled",
        "Ada: version 2 became the champion in place of version 1. Why: sales asked for &lt;it&gt;",
        "cron: version 1 stays the champion, version 2 was kept out. Why: ",
        "version 1 became the champion. Why: leadlight train",
    ]
    places = [story.find(sentence) for sentence in told_in_order]
    assert min(places) > 0
    assert places == sorted(places)
    assert client.get_model_version("small", "2").description.count("\n- ") == 3


def test_no_lead_is_named_in_what_mlflow_keeps(told: _Told) -> None:
    lead = told.kept_story["mql_change"]["moves"][0]["lead_id"]
    for path in (told.project.directory / "workspace" / "mlartifacts").rglob("challenge.json"):
        assert lead not in path.read_text(encoding="utf-8")


def test_without_anything_new_the_champion_is_kept_and_nothing_is_trained(told: _Told) -> None:
    ran = _retrain(told.project, "--json")
    assert ran.exit_code == 4
    story = json.loads(ran.stdout)
    assert story["challenger"] is None
    assert story["reason"].startswith("Nothing is new")
    assert champion_history(load_config(told.project.config))[0].action == "keep"


def test_a_changed_horizon_cannot_be_compared(young: SmallProject, tmp_path: Path) -> None:
    project = SmallProject(tmp_path / "project")
    shutil.copytree(young.directory, project.directory)
    project.configure("horizon_days: 60", "horizon_days: 30")
    ran = leadlight("retrain", "-c", project.config)
    assert ran.code == 1
    assert "the champion foretells 60 days" in ran.refused()


def test_a_retraining_killed_on_its_way_leaves_the_champion_as_it_was(
    young: SmallProject, tmp_path: Path
) -> None:
    project = SmallProject(tmp_path / "project")
    shutil.copytree(young.directory, project.directory)
    project.configure("project: small", "project: small\nseed: 5")
    before = registry_of(load_config(project.config)).champion()
    process = subprocess.Popen(
        [sys.executable, "-m", "leadlight.pipelines", "retrain", "-c", str(project.config)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert any("fitting" in line for line in process.stderr)
    os.killpg(process.pid, signal.SIGKILL)
    process.stderr.close()
    process.wait()
    after = registry_of(load_config(project.config)).champion()
    assert after.number == before.number
    assert after.training == before.training
    assert leadlight("score", "-c", project.config).code == 0


def test_there_must_be_a_champion_first(tmp_path: Path) -> None:
    project = make_small_project(tmp_path / "project", leads=60)
    assert "leadlight train" in leadlight("retrain", "-c", project.config).refused()
