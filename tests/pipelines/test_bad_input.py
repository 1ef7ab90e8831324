"""Whatever a user can cause: one clear message, a non-zero exit, nothing half-written."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from command import leadlight, leadlight_process
from small_project import SmallProject, make_small_project


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return make_small_project(tmp_path / "project")


@pytest.fixture(scope="module")
def trained_once(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    return trained_small_project.copied(tmp_path_factory.mktemp("spoilt") / "project")


@pytest.fixture
def trained(trained_once: SmallProject, tmp_path: Path) -> SmallProject:
    """A project with a champion, free to spoil: the registry stays where it was made."""
    copy = trained_once.copied(tmp_path / "project")
    uri = f"sqlite:///{trained_once.directory}/workspace/mlflow.db"
    copy.configure("label:", f"mlflow: {{tracking_uri: '{uri}'}}\nlabel:")
    return copy


def test_a_missing_column_is_named_with_the_nearest_one(project: SmallProject) -> None:
    project.write(
        "events.csv", project.read("events.csv").rename(columns={"occurred_at": "occured_at"})
    )
    message = leadlight("train", "-c", project.config).refused()
    assert "occurred_at" in message
    assert "Did you mean 'occured_at'?" in message
    assert "events.csv" in message
    assert project.published() == []


def test_a_misspelt_key_is_named_with_the_nearest_one(project: SmallProject) -> None:
    project.configure("lookback_days", "lookbak_days")
    message = leadlight("train", "-c", project.config).refused()
    assert "lookbak_days" in message
    assert "lookback_days" in message
    assert "leadlight.yaml" in message
    assert project.published() == []


def test_no_win_at_all_is_refused_with_what_to_look_at(project: SmallProject) -> None:
    project.configure("stage = 'won'", "stage = 'closedwon'")
    message = leadlight("train", "-c", project.config).refused()
    assert "won" in message
    assert not any(name.startswith("mlartifacts") for name in project.published())


def test_fewer_than_20_wins_promise_no_precision_and_their_count_is_told(
    project: SmallProject,
) -> None:
    deals = project.read("deals.csv")
    wins = deals[deals["stage"] == "won"]
    project.write("deals.csv", pd.concat([deals[deals["stage"] != "won"], wins.head(12)]))
    project.configure("policy: top_share, share: 0.2", "policy: precision, precision: 0.3")
    message = leadlight("train", "-c", project.config).refused()
    assert "only 19 wins" in message
    assert "a rules-only start cannot promise it" in message
    assert not any(name.startswith("mlartifacts") for name in project.published())


def test_a_label_that_is_always_a_win_is_refused(tmp_path: Path) -> None:
    project = SmallProject(tmp_path)
    project.write(
        "flat.csv", pd.DataFrame({"size": [str(i % 7) for i in range(300)], "converted": "1"})
    )
    project.config.write_text(
        "project: flat\nsources:\n  leads: {path: flat.csv, won: \"converted = '1'\"}\n"
    )
    message = leadlight("train", "-c", project.config).refused()
    assert "nothing to tell apart" in message
    assert not any(name.startswith("mlartifacts") for name in project.published())


def test_a_history_shorter_than_the_horizon_is_refused(project: SmallProject) -> None:
    project.configure("horizon_days: 60", "horizon_days: 3000")
    message = leadlight("train", "-c", project.config).refused()
    assert "horizon" in message
    assert not any(name.startswith("mlartifacts") for name in project.published())


def test_an_empty_events_table_is_refused(project: SmallProject) -> None:
    project.write("events.csv", project.read("events.csv").head(0))
    message = leadlight("train", "-c", project.config).refused()
    assert "events.csv" in message
    assert project.published() == []


def test_a_category_unseen_in_training_is_scored_and_told(trained: SmallProject) -> None:
    accounts = trained.read("accounts.csv")
    accounts["industry"] = accounts["industry"].replace("Retail", "Agriculture")
    trained.write("accounts.csv", accounts)

    tolerant = leadlight("score", "-c", trained.config)
    assert tolerant.code == 0, tolerant.error
    assert "Agriculture" in tolerant.out

    before = trained.published()
    strict = leadlight("score", "-c", trained.config, "--strict", "--as-of", "2025-07-01").refused()
    assert "Agriculture" in strict
    assert [name for name in trained.published() if name not in before] == []


def test_a_column_missing_at_scoring_time_is_named(trained: SmallProject) -> None:
    trained.write("accounts.csv", trained.read("accounts.csv").drop(columns="industry"))
    message = leadlight("score", "--strict", "-c", trained.config).refused()
    assert "industry" in message
    assert not any(name.startswith("scores/") for name in trained.published())


def test_a_profile_column_that_turned_from_numbers_to_text_is_named(trained: SmallProject) -> None:
    accounts = trained.read("accounts.csv")
    accounts["seats"] = "some"
    trained.write("accounts.csv", accounts)
    message = leadlight("score", "--strict", "-c", trained.config).refused()
    assert "seats" in message
    assert not any(name.startswith("scores/") for name in trained.published())


def test_a_canonical_number_that_turned_to_text_is_stopped_at_the_door(
    trained: SmallProject,
) -> None:
    accounts = trained.read("accounts.csv")
    accounts["employees"] = "some"
    trained.write("accounts.csv", accounts)
    message = leadlight("score", "-c", trained.config).refused()
    assert "employees" in message
    assert not any(name.startswith("scores/") for name in trained.published())


def test_a_corrupt_parquet_file_is_named(project: SmallProject) -> None:
    (project.directory / "events.parquet").write_bytes(b"PAR1 this is not one PAR1")
    project.configure("events.csv", "events.parquet")
    message = leadlight("train", "-c", project.config).refused()
    assert "events.parquet" in message
    assert project.published() == []


def test_scoring_before_training_says_to_train(project: SmallProject) -> None:
    message = leadlight("score", "-c", project.config).refused()
    assert "leadlight train" in message


def test_a_missing_configuration_file_is_named(tmp_path: Path) -> None:
    message = leadlight("check", "-c", tmp_path / "leadlight.yaml").refused()
    assert "leadlight.yaml" in message


@pytest.mark.parametrize("room", [8_000, 60_000, 120_000])
def test_a_full_disk_leaves_the_earlier_results_and_says_so(
    trained: SmallProject, room: int
) -> None:
    assert leadlight("score", "-c", trained.config).code == 0
    before = trained.published()

    def no_room() -> None:
        # A file that cannot grow fails as on a full disk, without filling one.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    ran = leadlight_process("score", "-c", trained.config, "--as-of", "2025-05-01", prepare=no_room)
    message = ran.refused()
    assert "disk is full" in message
    assert "run" in message
    assert [name for name in trained.published() if name not in before] == []
    assert not any(".partial" in name for name in trained.published())


def test_ctrl_c_at_any_stage_leaves_nothing_half_written(project: SmallProject) -> None:
    stages = (
        "Reading and validating",
        "Placing snapshots",
        "Computing features",
        "Training and evaluating",
    )
    for stage in stages:
        code, error = _interrupted_after(stage, project)
        assert code == 130, (stage, error)
        assert "Interrupted" in error
        assert "Traceback" not in error
        assert not any(".partial" in name for name in project.published())
        assert not any(name.startswith("mlartifacts") for name in project.published())
    again = leadlight("train", "-c", project.config)
    assert again.code == 0, again.error


def _interrupted_after(stage: str, project: SmallProject) -> tuple[int, str]:
    """Press Ctrl-C as soon as a training tells of a stage; return its exit code and last words."""
    command = [sys.executable, "-m", "leadlight.pipelines", "train", "-c", str(project.config)]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LOKY_MAX_CPU_COUNT": "2"},
    ) as process:
        assert process.stderr is not None
        assert any(line.startswith(stage) for line in process.stderr), f"{stage} was not told"
        process.send_signal(signal.SIGINT)
        error = process.stderr.read()
    return process.returncode, error


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("  events: {path: events.csv}\n", "", "events"),
        ("  accounts: {path: accounts.csv}\n", "", "accounts"),
    ],
)
def test_a_table_that_the_model_knew_and_is_gone_is_named(
    trained: SmallProject, old: str, new: str, named: str
) -> None:
    trained.configure(old, new)
    message = leadlight("score", "-c", trained.config).refused()
    assert f"table {named}" in message
    assert not any(name.startswith("scores/") for name in trained.published())


@pytest.mark.parametrize(
    ("file", "column"), [("events.csv", "detail"), ("leads.csv", "account_id")]
)
def test_a_column_that_the_model_leant_on_and_is_gone_is_named(
    trained: SmallProject, file: str, column: str
) -> None:
    trained.write(file, trained.read(file).drop(columns=column))
    message = leadlight("score", "-c", trained.config).refused()
    assert column in message
    assert not any(name.startswith("scores/") for name in trained.published())


def test_a_workspace_with_brackets_in_its_name_is_its_own(trained: SmallProject) -> None:
    shutil.move(trained.directory / "workspace", trained.directory / "workspace1")
    trained.configure("project: small", "project: small\nworkspace: 'workspace[1]'")
    ran = leadlight("score", "-c", trained.config)
    assert ran.code == 0, ran.error
    assert list((trained.directory / "workspace[1]" / "scores").glob("as_of=*/*.parquet"))
