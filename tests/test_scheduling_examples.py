"""The examples for schedulers: their times are times, and their commands are leadlight's."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from leadlight.pipelines.cli import app
from leadlight.pipelines.cli.monitoring import COULD_NOT_LOOK
from leadlight.pipelines.retrain import KEPT_EXIT_CODE

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "scheduling"
ATTENTION, ACT = 1, 2
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
CRON = [
    line
    for line in (FOLDER / "crontab").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#") and not re.match(r"[A-Z]+=", line)
]
WORKFLOW = yaml.safe_load((FOLDER / "github-actions.yml").read_text(encoding="utf-8"))
STEPS = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"]]
# YAML 1.1 reads the key `on` as true.
TIMES = [each["cron"] for each in WORKFLOW[True]["schedule"]]


def shell(line: str, project: Path, name: str, code: int) -> int:
    """Run a line of a shell, where one command of leadlight ends with the code, the others well."""
    fake = project / "leadlight"
    fake.write_text(f'#!/bin/sh\ntest "$1" != {name} || exit {code}\n', encoding="utf-8")
    fake.chmod(0o755)
    environment = {"PATH": f"{project}:/usr/bin:/bin", "PROJECT": str(project)}
    return subprocess.run(["/bin/sh", "-c", line], env=environment, check=False).returncode


@pytest.mark.parametrize("time", [*(" ".join(line.split()[:5]) for line in CRON), *TIMES])
def test_times_are_times(time: str) -> None:
    fields = time.split()
    assert len(fields) == len(LIMITS)
    for field, (low, high) in zip(fields, LIMITS, strict=True):
        assert field == "*" or low <= int(field) <= high


@pytest.mark.parametrize("line", [*CRON, *STEPS])
def test_commands_and_options_are_those_of_leadlight(line: str) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    called = re.findall(r"leadlight (\w+)((?: -{1,2}\w+)*)", line)
    assert called
    for name, options in called:
        known = {option for each in commands[name].params for option in each.opts}
        assert set(options.split()) <= known


def test_jobs_run_only_at_times_of_the_schedule() -> None:
    for job in WORKFLOW["jobs"].values():
        (asked,) = re.findall(r"'([^']+)'", job["if"])
        assert asked in TIMES


ALARMS = [
    ("retrain", 0, 0),
    ("retrain", KEPT_EXIT_CODE, 0),
    ("retrain", 1, 1),
    ("retrain", 3, 1),
    ("monitor", 0, 0),
    ("monitor", ATTENTION, 0),
    ("monitor", ACT, 1),
    ("monitor", COULD_NOT_LOOK, 1),
    ("score", 1, 1),
    ("deliver", 5, 5),
]


@pytest.mark.parametrize(("name", "code", "ends_with"), ALARMS)
def test_kept_and_attention_are_no_alarm_and_a_failure_is(
    tmp_path: Path, name: str, code: int, ends_with: int
) -> None:
    lines = [line for line in (*CRON, *STEPS) if f"leadlight {name}" in line]
    assert len(lines) == 2
    for line in lines:
        command = line.split(maxsplit=5)[5] if line in CRON else line
        assert shell(command, tmp_path, name, code) == ends_with
