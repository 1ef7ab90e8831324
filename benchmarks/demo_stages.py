"""The commands of the main job, each telling when its stages began and ended."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from leadlight.features.catalog import Feature, feature_catalog
from leadlight.pipelines.config import load_config
from leadlight.pipelines.demo.world import WorldSpec, generate_world
from leadlight.pipelines.progress import Progress, Told
from leadlight.pipelines.report.job import write_report
from leadlight.pipelines.score import score
from leadlight.pipelines.train import train

GENERATING = "Generating the demo world"
REPORTING = "Writing the report"
CONFIG = "leadlight.yaml"


@dataclass(frozen=True)
class Stage:
    """A finished stage: its name, wall time in seconds, and its place in time.

    Attributes
    ----------
    name : str
    seconds : float
        As ``Progress`` counts them.
    started, ended : float
        Seconds on ``time.monotonic``, the clock that all processes share.
    """

    name: str
    seconds: float
    started: float
    ended: float


@dataclass
class StageClock(Progress):
    """Progress that also keeps when each stage began and ended."""

    quiet: bool = True
    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Told]:
        before = self.seconds.get(name, 0.0)
        started = time.monotonic()
        with super().stage(name) as tell:
            yield tell
        ended = time.monotonic()
        self.stages.append(Stage(name, self.seconds[name] - before, started, ended))


@dataclass(frozen=True)
class Command:
    """A finished command of the main job.

    Attributes
    ----------
    stages : sequence of Stage
    processor : float
        Seconds of processor time, all threads; other work on the machine lengthens it less than
        the time by the clock.
    counts : dict of str to int
        How much was worked on.
    features : tuple of Feature
        Of the trained model.
    """

    stages: Sequence[Stage]
    processor: float
    counts: dict[str, int]
    features: tuple[Feature, ...] = ()


def run_generate(directory: Path, leads: int, seed: int) -> Command:
    clock, spent = StageClock(), time.process_time()
    with clock.stage(GENERATING):
        generate_world(WorldSpec(leads=leads, seed=seed), directory)
    return Command(clock.stages, time.process_time() - spent, {})


def run_train(directory: Path) -> Command:
    clock, spent = StageClock(), time.process_time()
    trained = train(load_config(directory / CONFIG), clock)
    features = feature_catalog(trained.decision.definition)
    counts = {
        "leads": trained.door.rows_kept["leads"],
        "events": trained.door.rows_kept["events"],
        "snapshots to train on": trained.story["snapshots"]["rows"],
        "features": len(features),
    }
    return Command(clock.stages, time.process_time() - spent, counts, features)


def run_score(directory: Path) -> Command:
    clock, spent = StageClock(), time.process_time()
    scored = score(load_config(directory / CONFIG), clock, csv=directory / "scores.csv")
    return Command(clock.stages, time.process_time() - spent, {"leads scored": scored.leads})


def run_night(directory: Path, as_of: datetime) -> Command:
    """Score as of a midnight, without a CSV file."""
    clock, spent = StageClock(), time.process_time()
    scored = score(load_config(directory / CONFIG), clock, as_of=as_of)
    counts = {"leads scored": scored.leads}
    return Command(clock.stages, time.process_time() - spent, counts)


def run_report(directory: Path) -> Command:
    clock, spent = StageClock(), time.process_time()
    with clock.stage(REPORTING):
        write_report(load_config(directory / CONFIG))
    return Command(clock.stages, time.process_time() - spent, {})
