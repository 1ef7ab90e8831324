"""Run the command line: here, where its libraries are there already, or in a process of its own."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from leadlight.pipelines.cli import app

_WIDE = {"COLUMNS": "200"}


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    error: str

    def refused(self) -> str:
        """Return the one clear message of a command that refused, without its line breaks."""
        assert self.code not in {0, None}, self.out
        assert "Traceback" not in self.error, self.error
        return " ".join(self.error.split())


def leadlight(*arguments: str | Path) -> Ran:
    """Run ``leadlight ARGUMENTS``; what it does not turn into a message is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = CliRunner().invoke(app, [*map(str, arguments)], env=_WIDE)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


def leadlight_process(*arguments: str | Path, prepare: Callable[[], None] | None = None) -> Ran:
    """Run it as a user does; ``prepare`` runs in the new process before it (limits)."""
    done = subprocess.run(
        [sys.executable, "-m", "leadlight.pipelines", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **_WIDE},
        preexec_fn=prepare,
        timeout=300,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
