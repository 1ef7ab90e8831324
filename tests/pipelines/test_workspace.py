"""The workspace: whatever happens to a run, the next one finds whole things."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leadlight.features.errors import WorkspaceError
from leadlight.features.publication import published_directory
from leadlight.pipelines.workspace import Workspace, write_text

KILLED_BETWEEN_THE_RENAMES = """
import os, signal, sys
from pathlib import Path
from leadlight.features.publication import published_directory
rename = Path.rename
def killed(self, target):
    if self.name.endswith(".partial"):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
Path.rename = killed
with published_directory(Path(sys.argv[1])) as new:
    (new / "part").write_text("new")
"""


def test_a_folder_is_published_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "scores"
    with published_directory(target) as new:
        (new / "part").write_text("first", encoding="utf-8")

    def fail_half_way() -> None:
        with published_directory(target) as new:
            (new / "part").write_text("second", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert (target / "part").read_text(encoding="utf-8") == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_a_run_killed_between_the_renames_loses_nothing(tmp_path: Path) -> None:
    target = tmp_path / "scores" / "as_of=2026-01-01"
    target.mkdir(parents=True)
    (target / "part").write_text("old", encoding="utf-8")
    command = [sys.executable, "-c", KILLED_BETWEEN_THE_RENAMES, str(target)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not target.exists()

    Workspace(tmp_path).create()
    assert (target / "part").read_text(encoding="utf-8") == "old"
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_what_a_crashed_run_left_is_cleared_and_what_a_living_one_writes_is_not(
    tmp_path: Path,
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    crashed = tmp_path / f".spill.abc.{dead.pid}.partial"
    crashed.mkdir()
    living = tmp_path / f".scores.{os.getpid()}.partial"
    living.mkdir()
    Workspace(tmp_path).create()
    assert not crashed.exists()
    assert living.exists()


def test_a_workspace_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="file"):
        Workspace(tmp_path / "file" / "workspace").create()


def test_a_text_is_written_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "page.html", "ä")
    assert (tmp_path / "new" / "page.html").read_bytes() == "ä".encode()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["page.html"]
