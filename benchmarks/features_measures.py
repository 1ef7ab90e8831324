"""A contestant's runs on one world, summed up."""

import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from features_runs import Run, run_command
from features_task import FeatureTask

HERE = Path(__file__).resolve().parent
REPEATS = 3
ENOUGH_SECONDS = 40.0  # no further repeat once the runs took this long together


@dataclass(frozen=True)
class Measure:
    """What a contestant needed for one task.

    Attributes
    ----------
    name : str
    events : int
    features : int
    seconds, cpu : float
        By the clock and of the processors; medians over the runs.
    megabytes : float
        The most that any run held.
    runs : int
    stopped : str
        Why it did not end; empty if it did. Its seconds are those until it was stopped.
    agreement : str
        Whether its features equal leadlight's.
    note : str
    """

    name: str
    events: int
    features: int
    seconds: float
    cpu: float
    megabytes: float
    runs: int = 1
    stopped: str = ""
    agreement: str = ""
    note: str = ""

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def measure(
    name: str,
    task: FeatureTask,
    command: Sequence[str],
    *,
    features: int = 0,
    time_limit: float = 900.0,
    repeats: int = REPEATS,
    enough: float = ENOUGH_SECONDS,
    agreement: Callable[[Path], str] = lambda _: "",
) -> Measure:
    """Run a task some times; the output is removed.

    Parameters
    ----------
    command : sequence of str
        To which the path of the task's file is added.
    features : int
        How many there are, if the command does not tell.
    agreement : callable
        Given the last run's output, says whether it is right.
    """
    place = task.output.parent
    runs: list[Run] = []
    said = ""
    while len(runs) < repeats and sum(run.seconds for run in runs) < enough:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        task.save(place / "task.json")
        runs.append(run_command([*command, str(place / "task.json")], time_limit=time_limit))
        if runs[-1].stopped:
            break
    last = runs[-1]
    if not last.stopped:
        said = agreement(task.output)
    shutil.rmtree(place, ignore_errors=True)
    found = Measure(
        name=name,
        events=task.events,
        features=last.facts.get("features", features),
        seconds=statistics.median(run.seconds for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        megabytes=max(run.megabytes for run in runs),
        runs=len(runs),
        agreement=said,
        note=last.facts.get("version", ""),
    )
    return replace(found, stopped=last.stopped, seconds=last.seconds) if last.stopped else found


def leadlight_command() -> list[str]:
    return [sys.executable, str(HERE / "features_leadlight.py")]


def peer_command(python: str, peer: str) -> list[str]:
    return [python, str(HERE / "features_peers.py"), peer]
