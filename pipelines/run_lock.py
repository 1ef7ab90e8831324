"""The run lock: one job at a time writes to a workspace."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from filelock import FileLock, Timeout

from leadlight.features.errors import WorkspaceError, disk_is_full, says_disk_is_full

from .config import Config
from .progress import Progress

P = ParamSpec("P")
R = TypeVar("R")


def one_at_a_time(
    job: str,
) -> Callable[
    [Callable[Concatenate[Config, Progress, P], R]], Callable[Concatenate[Config, Progress, P], R]
]:
    """Let a job hold its workspace while it runs; while another process does, it is refused.

    Parameters
    ----------
    job : str
        What another process is told: ``train``.
    """

    def held(
        run: Callable[Concatenate[Config, Progress, P], R],
    ) -> Callable[Concatenate[Config, Progress, P], R]:
        @wraps(run)
        def wrapper(config: Config, progress: Progress, /, *args: P.args, **kwargs: P.kwargs) -> R:
            with run_lock(config.workspace_directory, job) as crashed:
                if crashed:
                    progress.note(f"An earlier run did not end well: {crashed}. This one goes on.")
                return run(config, progress, *args, **kwargs)

        return wrapper

    return held


@contextmanager
def run_lock(workspace: Path, job: str) -> Iterator[str]:
    """Hold a workspace; a job that calls another in the same process holds it once.

    The system lets go of the lock when its process ends, however it ends: a crash leaves the file
    with the process's number, and locks nobody out.

    Yields
    ------
    str
        What is known of an earlier run that did not end; empty after a good end.

    Raises
    ------
    WorkspaceError
        Another process holds it, or the workspace cannot be written.
    """
    path = workspace / "run.lock"
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, is_singleton=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise WorkspaceError(
            f"the workspace {workspace} is in use: {_holder(path)}",
            hint="Wait until it has ended, then run the same command again.",
        ) from None
    except OSError as error:
        raise _not_writable(workspace, error) from error
    is_outermost = lock.lock_counter == 1
    try:
        crashed = _holder(path) if is_outermost and _read(path) else ""
        if is_outermost:
            _write(path, job, workspace)
        yield crashed
    finally:
        if is_outermost:
            with suppress(OSError):
                path.write_text("", encoding="utf-8")
        lock.release()


def _write(path: Path, job: str, workspace: Path) -> None:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        path.write_text(json.dumps({"job": job, "pid": os.getpid(), "started": started}))
    except OSError as error:
        raise _not_writable(workspace, error) from error


def _read(path: Path) -> dict[str, object]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _holder(path: Path) -> str:
    told = _read(path)
    if {"job", "pid", "started"} - set(told):
        return "another process has it"
    return f"`leadlight {told['job']}`, process {told['pid']}, started {told['started']}"


def _not_writable(workspace: Path, error: OSError) -> WorkspaceError:
    if says_disk_is_full(error):
        return disk_is_full(workspace)
    return WorkspaceError(
        f"cannot write the workspace {workspace}: {error.strerror}",
        hint="Check the folder's owner and permissions, or set `workspace:` to another.",
    )
