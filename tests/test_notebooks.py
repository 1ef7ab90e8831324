"""The notebooks: each runs from its first cell to its last, and is committed with its pictures."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
LONG = {"01_from_raw_tables_to_mqls.ipynb", "03_retraining_month_by_month.ipynb"}
PICTURES_AT_LEAST = 4
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|tmp|var|work|mnt|Users|private)/|[A-Z]:\\\\")
ADDRESS = re.compile(r"at 0x[0-9a-f]+")


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def pictures(notebook: Any) -> list[str]:
    """Ids of the cells that show a picture."""
    return [
        cell.id
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def told(notebook: Any) -> str:
    """All that the notebook says, but for the pixels."""
    texts = [cell.source for cell in notebook.cells]
    for output in outputs(notebook):
        texts.append(output.get("text", ""))
        texts += [text for kind, text in output.get("data", {}).items() if "image" not in kind]
    return "\n".join(texts)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.long) if name in LONG else name for name in NOTEBOOKS
    ],
)
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook as it comes out today."""
    folder = tmp_path_factory.mktemp("notebooks")
    done = subprocess.run(
        [sys.executable, FOLDER / "refresh.py", request.param, "--out", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    assert done.stderr == ""
    return folder / str(request.param)


@pytest.mark.slow
def test_notebook_runs_without_error_or_warning(executed: Path) -> None:
    spoken = outputs(read(executed))
    assert not [output for output in spoken if output.output_type == "error"]
    assert not [output for output in spoken if output.get("name") == "stderr"]


@pytest.mark.slow
def test_notebook_shows_pictures(executed: Path) -> None:
    assert len(pictures(read(executed))) >= PICTURES_AT_LEAST


@pytest.mark.slow
def test_a_run_leaves_no_trace_of_its_machine(executed: Path) -> None:
    said = told(read(executed))
    assert not MACHINE_PATH.search(said)
    assert not ADDRESS.search(said)


@pytest.mark.slow
def test_committed_notebook_shows_the_pictures_that_a_run_makes(executed: Path) -> None:
    assert pictures(read(FOLDER / executed.name)) == pictures(read(executed))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_notebook_names_no_machine_and_no_moment(name: str) -> None:
    notebook = read(FOLDER / name)
    assert not MACHINE_PATH.search(told(notebook))
    assert not ADDRESS.search(told(notebook))
    assert not [cell.id for cell in notebook.cells if "execution" in cell.metadata]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
