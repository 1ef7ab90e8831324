"""No signal, no threshold: nothing is registered, and it is said what was tried."""

import json
import warnings
from pathlib import Path
from typing import NoReturn

import pytest
import report_samples as samples
from command import leadlight
from small_project import SmallProject, make_small_project
from typer.testing import CliRunner, Result

from leadlight.features.errors import NoSignalError
from leadlight.pipelines import train as train_job
from leadlight.pipelines.cli import app
from leadlight.pipelines.config import load_config
from leadlight.pipelines.registry import registry_of

with warnings.catch_warnings():
    # MLflow 3.17 warns of its own type hints and of its own use of SQLAlchemy.
    warnings.simplefilter("ignore")
    from mlflow import MlflowClient
    from mlflow.entities import Run

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")

TRIED = ("94 features that do not repeat each other.", "logistic: log loss 0.2231.")


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return make_small_project(tmp_path / "project", leads=500)


@pytest.fixture
def _no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_found(*_: object, **__: object) -> NoReturn:
        raise NoSignalError(
            "on the last window the AUC is 0.510 [0.470, 0.550]; 0.5 is chance.",
            tried=TRIED,
            evaluation=samples.evaluation(),
        )

    monkeypatch.setattr(train_job, "train_model", nothing_found)


def _train(project: SmallProject, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["train", "-c", str(project.config), *arguments])


def _runs(project: SmallProject) -> list[Run]:
    client = MlflowClient(load_config(project.config).tracking_uri)
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


@pytest.mark.usefixtures("_no_signal")
def test_one_clear_message_says_so_with_what_was_tried_and_an_exit_code_of_its_own(
    project: SmallProject,
) -> None:
    ran = _train(project)
    assert ran.exit_code == 3
    assert ran.stdout == ""
    assert ran.stderr.count("Error: no usable signal: on the last window the AUC is 0.510") == 1
    for sentence in TRIED:
        assert f"Tried: {sentence}" in ran.stderr
    assert "the champion stays as it was" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Training and evaluating   " not in ran.stderr, "a stage that failed is not called done"


@pytest.mark.usefixtures("_no_signal")
def test_a_machine_gets_the_outcome_as_json(project: SmallProject) -> None:
    ran = _train(project, "--json")
    assert ran.exit_code == 3
    told = json.loads(ran.stdout)
    assert told["version"] is None
    assert told["outcome"] == "no usable signal"
    assert told["tried"] == list(TRIED)
    assert told["evaluation"]["auc"] == samples.evaluation()["auc"]


@pytest.mark.usefixtures("_no_signal")
def test_the_run_is_recorded_and_nothing_is_registered(project: SmallProject) -> None:
    _train(project)
    (run,) = _runs(project)
    assert run.data.tags["leadlight.outcome"] == "no usable signal"
    assert run.data.metrics["auc_low"] == samples.evaluation()["auc"]["low"]
    assert {"data_hash", "config_hash", "code_hash"} <= set(run.data.params)
    (told,) = (project.directory / "workspace" / "mlartifacts").rglob("no_signal.json")
    assert json.loads(told.read_text(encoding="utf-8"))["tried"] == list(TRIED)
    assert not MlflowClient(load_config(project.config).tracking_uri).search_registered_models()


def test_the_champion_stays_as_it_was(
    project: SmallProject, request: pytest.FixtureRequest
) -> None:
    assert leadlight("train", "-c", project.config).code == 0
    before = registry_of(load_config(project.config)).champion()
    request.getfixturevalue("_no_signal")
    assert _train(project).exit_code == 3
    after = registry_of(load_config(project.config)).champion()
    assert after.number == before.number
    assert after.training == before.training


def test_the_help_tells_the_exit_codes() -> None:
    told = " ".join(leadlight("--help").out.split())
    for code in ("0 done", "1 refused", "2 the command", "3 no usable signal", "130 interrupted"):
        assert code in told
    assert "Exit code 3" in leadlight("train", "--help").out
