"""Events a second of the demo world's generator, in memory and with its files."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from results import Result, against, at_least, peak_memory_mb, write_results

from leadlight.pipelines.demo.files import write_exports
from leadlight.pipelines.demo.world import (
    WorldSpec,
    WorldSummary,
    exports,
    generate_world,
    make_world,
)

MARK_EVENTS_A_SECOND = 1_000_000


Made = TypeVar("Made")


def timed(work: Callable[[], Made]) -> tuple[Made, float]:
    started = time.perf_counter()
    made = work()
    return made, time.perf_counter() - started


def without_truth(spec: WorldSpec, repeats: int) -> dict[str, float]:
    """Return the number of events, and median seconds by the clock and of the processors."""
    runs = []
    for _ in range(repeats):
        busy = time.process_time()
        world, in_memory = timed(lambda: make_world(spec, with_truth=False))
        with tempfile.TemporaryDirectory() as place:
            _, writing = timed(partial(write_exports, exports(world), Path(place)))
        busy = time.process_time() - busy
        runs.append((len(world.events), in_memory, in_memory + writing, busy))
    names = ("events", "in memory", "written", "processor")
    return dict(zip(names, map(statistics.median, zip(*runs, strict=True)), strict=True))


def whole(spec: WorldSpec) -> tuple[WorldSummary, float, float]:
    """Return the summary, the seconds, and the megabytes on disk."""
    with tempfile.TemporaryDirectory() as place:
        summary, seconds = timed(lambda: generate_world(spec, Path(place) / "world"))
        size = sum(path.stat().st_size for path in summary.directory.rglob("*") if path.is_file())
    return summary, seconds, size / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 thousand leads, one repeat")
    quick = parser.parse_args().quick
    spec = WorldSpec(leads=20_000 if quick else 100_000)
    make_world(WorldSpec(leads=100))
    run = without_truth(spec, 1 if quick else 5)
    summary, seconds, megabytes = whole(spec)
    rate, goal = "events/s", float(MARK_EVENTS_A_SECOND)
    figures = [
        Result("leads", spec.leads, "leads"),
        Result("events", run["events"], "events"),
        at_least("generated in memory", run["events"] / run["in memory"], rate, goal),
        at_least("generated and written", run["events"] / run["written"], rate, goal),
        Result("generated, written, true probabilities worked out", run["events"] / seconds, rate),
        Result("processor time to generate and write", run["processor"], "s"),
        Result("whole world", seconds, "s"),
        Result("on disk", megabytes, "MB"),
        Result("peak memory", peak_memory_mb(), "MB"),
        Result("base rate of a snapshot", summary.base_rate, "share"),
        against(
            "best achievable log loss", summary.best_log_loss, "nats", "base rate",
            summary.base_log_loss,
        ),
        Result("best achievable AUC", summary.best_auc, ""),
    ]  # fmt: skip
    write_results("world", figures, seed=spec.seed, quick=quick)


if __name__ == "__main__":
    main()
