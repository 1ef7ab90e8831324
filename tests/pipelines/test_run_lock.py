"""The run lock: two jobs never write to one workspace, and a crash locks nobody out."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command import leadlight
from scored_leads import Lead, ScoredProject

from leadlight.features.errors import WorkspaceError
from leadlight.pipelines.run_lock import run_lock

HOLD = """
import sys
from pathlib import Path
from leadlight.pipelines.run_lock import run_lock
with run_lock(Path(sys.argv[1]), "train"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path: Path) -> ScoredProject:
    project = ScoredProject(tmp_path)
    project.configure("  sinks: [{name: file, kind: csv, path: out/leads.csv}]\n")
    project.score([Lead("a")])
    return project


def test_a_second_run_is_refused_and_told_who_holds_the_workspace_until_that_one_is_gone(
    project: ScoredProject,
) -> None:
    workspace = project.config.workspace_directory
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    message = leadlight("deliver", "-c", project.path).refused()
    assert f"in use: `leadlight train`, process {holder.pid}, started 20" in message
    assert not (project.directory / "out").exists()

    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    assert json.loads((workspace / "run.lock").read_text())["pid"] == holder.pid
    with run_lock(workspace, "deliver") as crashed:
        assert crashed.startswith(f"`leadlight train`, process {holder.pid}")
    with run_lock(workspace, "deliver") as crashed:
        assert crashed == ""


def test_a_job_may_call_another_one(tmp_path: Path) -> None:
    with run_lock(tmp_path, "retrain"), run_lock(tmp_path, "train"):
        assert json.loads((tmp_path / "run.lock").read_text())["job"] == "retrain"


def test_a_run_that_fails_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bad"), run_lock(tmp_path, "score"):
        raise ValueError("bad")
    with run_lock(tmp_path, "score") as crashed:
        assert crashed == ""


def test_a_workspace_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "workspace").write_text("", encoding="utf-8")
    with (
        pytest.raises(WorkspaceError, match="cannot write the workspace"),
        run_lock(tmp_path / "workspace", "score"),
    ):
        pass
