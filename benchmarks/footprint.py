"""Work in a process of its own, with the memory that it and its children hold, over time."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Generic, ParamSpec, TypeVar

import psutil

_EVERY = 0.02  # seconds between two looks
_CHILDREN_EVERY = 0.5  # finding children means listing all processes, which costs some ms

Done = TypeVar("Done")
Arguments = ParamSpec("Arguments")


@dataclass(frozen=True)
class Held:
    """Memory of a process and its children at one moment.

    Attributes
    ----------
    moment : float
        Seconds on the clock that all processes share, ``time.monotonic``.
    megabytes : float
        Resident.
    """

    moment: float
    megabytes: float


@dataclass(frozen=True)
class Watched(Generic[Done]):
    """What a piece of work returned, how long it took by the clock, and what it held."""

    returned: Done
    seconds: float
    held: tuple[Held, ...]

    def peak(self, started: float = float("-inf"), ended: float = float("inf")) -> float:
        """Return the most megabytes held between two moments; if too close, just before them."""
        before = [held.megabytes for held in self.held if held.moment <= started]
        during = [held.megabytes for held in self.held if started < held.moment <= ended]
        return max(during or before[-1:])


def watch_call(
    work: Callable[Arguments, Done], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Watched[Done]:
    """Call a function in a fresh process; its start and imports are not part of the time.

    Parameters
    ----------
    work : callable
        Importable by name; arguments and result can be pickled.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        worker = pool.submit(_process_ready_for, work).result()
        started = time.monotonic()
        future = pool.submit(work, *args, **kwargs)
        held = _watch(worker, future.done)
        seconds = time.monotonic() - started
        return Watched(future.result(), seconds, held)


def _process_ready_for(_work: Callable[..., object]) -> int:
    """Return the number of a process that has imported the work, for it was handed over."""
    return os.getpid()


def watch_command(command: Sequence[str]) -> Watched[str]:
    """Run a command and return what it printed; start and imports are part of the time."""
    started = time.monotonic()
    # A file, not a pipe: a full pipe would stop the command while nobody reads.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        with subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT) as process:
            held = _watch(process.pid, lambda: process.poll() is not None)
            seconds = time.monotonic() - started
        told.seek(0)
        printed = told.read()
    if process.returncode:
        message = f"{' '.join(command)} failed:\n{printed}"
        raise RuntimeError(message)
    return Watched(printed, seconds, held)


def _watch(pid: int, finished: Callable[[], bool]) -> tuple[Held, ...]:
    process = psutil.Process(pid)
    family = [process]
    found_at = time.monotonic()
    held = [Held(found_at, _megabytes(family))]
    while not finished():
        moment = time.monotonic()
        if moment - found_at > _CHILDREN_EVERY:
            family = _family(process)
            found_at = moment
        held.append(Held(moment, _megabytes(family)))
        time.sleep(_EVERY)
    return tuple(held)


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return [process]


def _megabytes(family: Sequence[psutil.Process]) -> float:
    total = 0
    for process in family:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20
