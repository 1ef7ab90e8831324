"""Execute the notebooks and keep their outputs, without what differs from run to run.

In place after a change: ``.venv/bin/python notebooks/refresh.py``. One of them, into another folder,
as the tests do: ``.venv/bin/python notebooks/refresh.py NAME.ipynb --out FOLDER``.
"""

import argparse
import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
TIMEOUT = 540  # seconds for a cell

# One thread sums in the same order everywhere, and is the faster way on a busy machine.
# A kernel is stopped at once when it is done; processes that still wait for fits would complain.
_KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def refresh(path: Path, target: Path) -> None:
    """Execute a notebook in its folder and write it with its outputs.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        # The kernel warns that it listens on a local port; that is how each notebook works.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env={**os.environ, **_KERNEL_ENVIRONMENT})
    # The kernel writes its exact version here.
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.validate(notebook)
    nbformat.write(notebook, target)


def main() -> None:
    """Refresh the notebooks of this folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="Notebooks; default: all.")
    parser.add_argument("--out", type=Path, default=HERE, help="Folder to write to.")
    asked = parser.parse_args()
    for name in asked.names or sorted(path.name for path in HERE.glob("*.ipynb")):
        refresh(HERE / name, asked.out / name)


if __name__ == "__main__":
    main()
