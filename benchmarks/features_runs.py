"""A command in a process of its own, stopped when it takes too long or holds too much."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

MEMORY_LIMIT_GB = 16
_EVERY = 0.1  # seconds between two looks at the memory
_COST = 10  # looking takes at most one part in this many of the time


@dataclass(frozen=True)
class Run:
    """What became of a command.

    Attributes
    ----------
    seconds, cpu : float
        By the clock and of the processors, children included, as the command told them: without
        the start of Python and imports.
    megabytes : float
        Most memory held at one moment by the command and its children: the sum of their
        proportional set sizes (PSS), so that a shared page counts once.
    facts : dict
        What else the command told.
    stopped : str
        Why it did not end by itself; empty if it did.
    """

    seconds: float
    cpu: float
    megabytes: float
    facts: dict[str, Any] = field(default_factory=dict)
    stopped: str = ""


def run_command(command: Sequence[str], *, time_limit: float) -> Run:
    """Run a command whose last line is JSON with its seconds.

    Raises
    ------
    RuntimeError
        It failed.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        started = time.monotonic()
        process = subprocess.Popen(
            command, stdout=told, stderr=subprocess.STDOUT, start_new_session=True
        )
        megabytes, stopped = _watch(process, started + time_limit)
        seconds = time.monotonic() - started
        told.seek(0)
        printed = told.read()
    if stopped:
        return Run(seconds, 0.0, megabytes, stopped=stopped)
    if process.returncode:
        message = f"{' '.join(command)} failed:\n{printed}"
        raise RuntimeError(message)
    facts = json.loads(printed.splitlines()[-1])
    return Run(facts.pop("seconds"), facts.pop("cpu"), megabytes, facts)


def _watch(process: "subprocess.Popen[str]", until: float) -> tuple[float, str]:
    most = 0.0
    try:
        while process.poll() is None:
            looked = time.monotonic()
            most = max(most, _megabytes(process.pid))
            if most > MEMORY_LIMIT_GB * 1024:
                return most, f"out of the memory limit of {MEMORY_LIMIT_GB} GB"
            if looked > until:
                return most, "out of time"
            time.sleep(max(_EVERY, _COST * (time.monotonic() - looked)))
        return most, ""
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # the session of its own that it was started in
            process.wait()


def _megabytes(pid: int) -> float:
    total = 0
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in family:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 2**20
