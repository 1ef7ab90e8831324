"""The example for Airflow, as the real Airflow reads and runs it; ``make test-airflow``.

Airflow's pins collide with leadlight's, so it has an environment of its own (LEADLIGHT_AIRFLOW
names its Python), in which ``airflow_probe.py`` runs.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from leadlight.pipelines.cli import app
from leadlight.pipelines.cli.monitoring import COULD_NOT_LOOK
from leadlight.pipelines.retrain import KEPT_EXIT_CODE

pytestmark = pytest.mark.airflow

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "scheduling" / "airflow_dag.py"
FINE, ATTENTION, ACT = "0", "1", "2"


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow says of the example, whose leadlight is something that ends with a code."""
    home = tmp_path_factory.mktemp("airflow")
    command = home / "project" / ".venv" / "bin" / "leadlight"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\nexit "$(cat code)"\n', encoding="utf-8")
    command.chmod(0o755)
    answer = home / "answer.json"
    done = subprocess.run(
        [
            os.environ["LEADLIGHT_AIRFLOW"],
            HERE / "airflow_probe.py",
            EXAMPLE,
            home / "project",
            answer,
        ],
        env={
            "PATH": os.environ["PATH"],
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return told


def task(read: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [dag["tasks"][name] for dag in read["dags"].values() if name in dag["tasks"]]
    return dict(found)


def failures(ends: dict[str, str]) -> set[str]:
    return {code for code, end in ends.items() if end == "failed"}


def test_airflow_imports_the_example_without_error_or_warning(read: dict[str, Any]) -> None:
    assert read["errors"] == {}
    assert not any(read["warnings"].values())


def test_nightly_and_monthly_run_at_the_times_of_the_crontab(read: dict[str, Any]) -> None:
    lines = (EXAMPLE.parent / "crontab").read_text(encoding="utf-8").splitlines()
    times = {" ".join(line.split()[:5]) for line in lines if re.match(r"\d", line)}
    schedules = {name: dag["schedule"] for name, dag in read["dags"].items()}
    assert schedules == {"leadlight_nightly": "30 4 * * *", "leadlight_monthly": "30 2 1 * *"}
    assert set(schedules.values()) == times


def test_missed_nights_are_not_made_up_for_and_runs_do_not_overlap(read: dict[str, Any]) -> None:
    for dag in read["dags"].values():
        assert dag["timezone"] == "UTC"
        assert not dag["catchup"]
        assert dag["max_active_runs"] == 1


def test_scores_are_made_then_delivered_then_looked_after(read: dict[str, Any]) -> None:
    nightly, monthly = (
        read["dags"][f"leadlight_{name}"]["tasks"] for name in ("nightly", "monthly")
    )
    assert {name: each["after"] for name, each in nightly.items()} == {
        "score": [],
        "deliver": ["score"],
        "monitor": ["deliver"],
    }
    assert {name: each["after"] for name, each in monthly.items()} == {"retrain": []}


def test_retraining_tells_promoted_kept_and_failed_apart(read: dict[str, Any]) -> None:
    ends = task(read, "retrain")["ends"]
    assert ends["0"] == "success"
    assert ends[str(KEPT_EXIT_CODE)] == "skipped"
    assert failures(ends) == ends.keys() - {"0", str(KEPT_EXIT_CODE)}


def test_monitor_wakes_somebody_to_act_or_when_it_could_not_look(read: dict[str, Any]) -> None:
    ends = task(read, "monitor")["ends"]
    assert (ends[FINE], ends[ATTENTION]) == ("success", "skipped")
    assert {ACT, str(COULD_NOT_LOOK)} <= failures(ends)
    assert failures(ends) == ends.keys() - {FINE, ATTENTION}


@pytest.mark.parametrize("name", ["score", "deliver"])
def test_a_night_that_was_not_scored_or_delivered_is_a_failure(
    read: dict[str, Any], name: str
) -> None:
    each = task(read, name)
    assert each["ends"]["0"] == "success"
    assert failures(each["ends"]) == each["ends"].keys() - {"0"}
    assert each["retries"] > 0


def test_commands_and_options_are_those_of_leadlight(read: dict[str, Any]) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for dag in read["dags"].values():
        for each in dag["tasks"].values():
            _, name, *words = each["command"].split()
            known = {option for each in commands[name].params for option in each.opts}
            assert {word for word in words if word.startswith("-")} <= known


def test_no_secret_is_in_the_example(read: dict[str, Any]) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert not re.search(r"\w+://|Variable|Connection|(?i:token|secret|password)\s*[=:]", text)
    assert {
        each["environment"] for dag in read["dags"].values() for each in dag["tasks"].values()
    } == {None}
