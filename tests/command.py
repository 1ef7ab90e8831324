"""Run the command line as a user does, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


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


def leadlight(*arguments: str | Path, prepare: Callable[[], None] | None = None) -> Ran:
    """Run ``leadlight ARGUMENTS``; ``prepare`` runs in the new process before it (limits)."""
    done = subprocess.run(
        [sys.executable, "-m", "leadlight.pipelines", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
        preexec_fn=prepare,
        timeout=300,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
