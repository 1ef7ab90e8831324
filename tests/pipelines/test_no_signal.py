"""No signal, no threshold: nothing is registered, and it is said what was tried."""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
import pytest
import report_samples as samples
from command import leadlight
from small_project import SmallProject, make_small_project
from typer.testing import CliRunner, Result

from leadlight.features.errors import ModelNotFoundError, NoSignalError
from leadlight.pipelines import train as train_job
from leadlight.pipelines.cli import app
from leadlight.pipelines.config import load_config
from leadlight.pipelines.registry import RegisteredVersion, registry_of

with warnings.catch_warnings():
    # MLflow 3.17 warns of its own type hints and of its own use of SQLAlchemy.
    warnings.simplefilter("ignore")
    from mlflow import MlflowClient

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")

TRIED = ("94 features that do not repeat each other.", "logistic: log loss 0.2231.")


@dataclass(frozen=True)
class _Refused:
    """A project with a champion, and what the next training said, which found no signal."""

    project: SmallProject
    before: RegisteredVersion
    ran: Result


@pytest.fixture(scope="module")
def refused(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> _Refused:
    project = trained_small_project.copied(tmp_path_factory.mktemp("no_signal") / "project")
    before = registry_of(load_config(project.config)).champion()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_job, "train_model", _nothing_found)
        ran = CliRunner().invoke(app, ["train", "-c", str(project.config), "--json"])
    return _Refused(project, before, ran)


def _nothing_found(*_: object, **__: object) -> NoReturn:
    raise NoSignalError(
        "on the last window the AUC is 0.510 [0.470, 0.550]; 0.5 is chance.",
        tried=TRIED,
        evaluation=samples.evaluation(),
    )


def test_one_clear_message_says_so_with_what_was_tried_and_an_exit_code_of_its_own(
    refused: _Refused,
) -> None:
    said = refused.ran.stderr
    assert refused.ran.exit_code == 3
    assert said.count("Error: no usable signal: on the last window the AUC is 0.510") == 1
    for sentence in TRIED:
        assert f"Tried: {sentence}" in said
    assert "the champion stays as it was" in said
    assert "Traceback" not in said
    assert "Training and evaluating   " not in said, "a stage that failed is not called done"


def test_a_machine_gets_the_outcome_as_json(refused: _Refused) -> None:
    told = json.loads(refused.ran.stdout)
    assert told["version"] is None
    assert told["outcome"] == "no usable signal"
    assert told["tried"] == list(TRIED)
    assert told["evaluation"]["auc"] == samples.evaluation()["auc"]


def test_the_run_is_recorded_with_what_was_tried_and_the_evaluation(
    refused: _Refused, tmp_path: Path
) -> None:
    client = MlflowClient(load_config(refused.project.config).tracking_uri)
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    (run,) = client.search_runs(
        [experiment.experiment_id], "tags.`leadlight.outcome` = 'no usable signal'"
    )
    assert run.data.metrics["auc_low"] == samples.evaluation()["auc"]["low"]
    assert {"data_hash", "config_hash", "code_hash"} <= set(run.data.params)
    client.download_artifacts(run.info.run_id, "", str(tmp_path))
    (told,) = tmp_path.rglob("no_signal.json")
    assert json.loads(told.read_text(encoding="utf-8"))["tried"] == list(TRIED)


def test_nothing_is_registered_and_the_champion_stays_as_it_was(refused: _Refused) -> None:
    config = load_config(refused.project.config)
    after = registry_of(config).champion()
    assert after.number == refused.before.number == 1
    assert after.training == refused.before.training
    versions = MlflowClient(config.tracking_uri).search_model_versions("name = 'small'")
    assert len(versions) == 1


def _deal_out_at_random(project: SmallProject) -> None:
    """Give each deal to any lead that was there a month before it."""
    leads, deals = project.read("leads.csv"), project.read("deals.csv")
    random = np.random.default_rng(5)
    month_before = pd.to_datetime(deals["opened_at"]) - pd.Timedelta(days=30)
    created = pd.to_datetime(leads["created_at"])
    there = [leads.loc[created < moment, "lead_id"].to_numpy() for moment in month_before]
    kept = [bool(len(ids)) for ids in there]
    given = deals[kept].assign(lead_id=[random.choice(ids) for ids in there if len(ids)])
    project.write("deals.csv", given)


@pytest.mark.slow
def test_wins_dealt_out_at_random_are_found_to_be_noise(tmp_path: Path) -> None:
    project = make_small_project(tmp_path / "project")
    _deal_out_at_random(project)
    ran = leadlight("train", "-c", project.config)
    assert ran.code == 3, ran.out
    assert "no usable signal: on the last window" in ran.refused()
    assert "Tried: " in ran.error
    with pytest.raises(ModelNotFoundError):
        registry_of(load_config(project.config)).champion()


def test_the_help_tells_the_exit_codes() -> None:
    told = " ".join(leadlight("--help").out.split())
    for code in ("0 done", "1 refused", "2 the command", "3 no usable signal", "130 interrupted"):
        assert code in told
    assert "Exit code 3" in leadlight("train", "--help").out
