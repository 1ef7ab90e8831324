"""Contestants' runs of a task, summed up."""

import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from features_runs import Run, run_command
from features_task import FeatureTask

HERE = Path(__file__).resolve().parent
REPEATS = 3
ENOUGH_SECONDS = 40.0  # no further repeat once the runs took this long together
TIME_LIMIT = 600.0


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


@dataclass(frozen=True)
class Contestant:
    """Someone who can do a task.

    Attributes
    ----------
    name : str
    task : FeatureTask
    command : sequence of str
        To which the path of the task's file is added.
    features : int
        How many it computes, if the command does not tell.
    agreement : callable
        Given the output of the first run, says whether it is right.
    """

    name: str
    task: FeatureTask
    command: Sequence[str]
    features: int = 0
    agreement: Callable[[Path], str] = lambda _: ""

    def run(self, *, first: bool) -> tuple[Run, str]:
        """Do the task once; return what it took and, of a first run, whether it is right."""
        place = self.task.output.parent
        place.mkdir(parents=True)
        self.task.save(place / "task.json")
        done = run_command([*self.command, str(place / "task.json")], time_limit=TIME_LIMIT)
        said = self.agreement(self.task.output) if first and not done.stopped else ""
        shutil.rmtree(place)
        return done, said


def measured(
    contestants: Sequence[Contestant], *, repeats: int = REPEATS, enough: float = ENOUGH_SECONDS
) -> tuple[Measure, ...]:
    """Let contestants run in turns, so that what else the machine does falls on all of them."""
    runs: dict[str, list[Run]] = {each.name: [] for each in contestants}
    said = {}
    for turn in range(repeats):
        for each in contestants:
            done = runs[each.name]
            if sum(run.seconds for run in done) < enough and not (done and done[-1].stopped):
                run, words = each.run(first=turn == 0)
                done.append(run)
                said.setdefault(each.name, words)
    return tuple(_summed_up(each, runs[each.name], said[each.name]) for each in contestants)


def _summed_up(contestant: Contestant, runs: Sequence[Run], agreement: str) -> Measure:
    stopped = [run for run in runs if run.stopped]
    facts = runs[0].facts
    return Measure(
        name=contestant.name,
        events=contestant.task.events,
        features=facts.get("features", contestant.features),
        seconds=statistics.median(run.seconds for run in stopped or runs),
        cpu=statistics.median(run.cpu for run in runs),
        megabytes=max(run.megabytes for run in runs),
        runs=len(runs),
        stopped=stopped[0].stopped if stopped else "",
        agreement=agreement,
        note=facts.get("version", ""),
    )


def leadlight_command() -> list[str]:
    return [sys.executable, str(HERE / "features_leadlight.py")]


def peer_command(python: str, peer: str) -> list[str]:
    return [python, str(HERE / "features_peers.py"), peer]
