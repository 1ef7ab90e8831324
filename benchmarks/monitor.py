"""Alarms on demo worlds: faults named for what they are, and quiet worlds left alone."""

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
from monitor_faults import FAULTS, Fault, Start
from monitor_worlds import Champion, World, train_champion
from results import Result, at_least, at_most, write_results
from threadpoolctl import threadpool_limits

from leadlight.models.alarms import Alarm

SEED = 0
LEADS = 10_000
CHAMPIONS = ((10_000, 575), (10_001, 590), (10_002, 605))
"""Seed of each champion's world, none of those that are monitored, and the day of its training."""
RUNS = 2


@dataclass
class Told:
    """What the monitor said.

    Attributes
    ----------
    runs : list of (seed, alarms)
        On quiet worlds.
    named : dict of fault to list of int
        The run, 1 or 2, in which each world's fault was named; 0 for never.
    alone : dict of fault to int
        Worlds in which nothing else was said in that run.
    said : dict of fault to list
        For each world whose fault was not named, what was said instead.
    seconds : list of float
        Of one run of scoring and monitoring.
    """

    runs: list[tuple[int, tuple[Alarm, ...]]] = field(default_factory=list)
    named: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in FAULTS})
    alone: Counter[str] = field(default_factory=Counter)
    said: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FAULTS})
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 worlds, 20 quiet ones")
    quick = parser.parse_args().quick
    faulty, quiet = (10, 20) if quick else (100, 200)
    told = Told()
    with tempfile.TemporaryDirectory() as place, threadpool_limits(limits=1):
        champions = [
            train_champion(Path(place) / f"champion-{seed}", leads=LEADS, seed=seed, days=days)
            for seed, days in CHAMPIONS[: 1 if quick else None]
        ]
        for seed in range(quiet):
            champion = champions[seed % len(champions)]
            watch(champion, Path(place) / "watched", seed, told, with_faults=seed < faulty)
    write_results("monitor", figures(told), seed=SEED, quick=quick)


def watch(champion: Champion, place: Path, seed: int, told: Told, *, with_faults: bool) -> None:
    """Run two quiet nights of a world, and then, if asked, the same nights with each fault."""
    world = World(champion, place, leads=LEADS, seed=seed)
    nights = [world.night + timedelta(days=later) for later in range(RUNS)]
    for as_of in nights:
        began = time.perf_counter()
        alarms = world.run(world.exported(as_of))[0].alarms
        told.seconds.append(time.perf_counter() - began)
        told.runs.append((seed, alarms))
    for number, (name, make) in enumerate(FAULTS.items()):
        if not with_faults:
            break
        rng = np.random.default_rng([seed, 8, number])
        _name(world, name, make(Start(world.exported(nights[0]), rng)), told)
    world.close()


def _name(world: World, name: str, fault: Fault, told: Told) -> None:
    """Run the monitor until it names a fault, twice at most."""
    world.forget(world.night)
    for run in range(RUNS):
        as_of = world.night + timedelta(days=run)
        alarms = world.run(fault.spoil(world.exported(as_of)))[0].alarms
        if any(fault.named_by(alarm) for alarm in alarms):
            told.named[name].append(run + 1)
            told.alone[name] += len(alarms) == 1
            return
    told.named[name].append(0)
    told.said[name].append(", ".join(alarm.title for alarm in alarms) or "nothing")


def figures(told: Told) -> list[Result]:
    """Return the table."""
    loud = [alarms for _, alarms in told.runs if alarms]
    worlds = {seed for seed, alarms in told.runs if alarms}
    found = [
        at_most(
            "quiet worlds: runs that raise an alarm", 100 * len(loud) / len(told.runs),
            f"% of {len(told.runs)}", 5.0,
        ),
        Result("quiet worlds: worlds with any in two runs", len(worlds),
               f"of {len({seed for seed, _ in told.runs})}"),
    ]  # fmt: skip
    kinds = Counter(alarm.kind for alarms in loud for alarm in alarms)
    found += [Result(f"quiet worlds: of them {kind}", times, "alarms")
              for kind, times in kinds.most_common()]  # fmt: skip
    for name, named in told.named.items():
        first = 100 * float(np.mean([run == 1 for run in named]))
        within = 100 * float(np.mean([run > 0 for run in named]))
        alone = 100 * told.alone[name] / max(sum(run > 0 for run in named), 1)
        found.append(at_least(f"{name}: named within two runs", within,
                              f"% of {len(named)}, {first:.0f} in the first", 95.0))  # fmt: skip
        found.append(Result(f"{name}: of them by the only alarm", alone, "%"))
        found += [
            Result(f"{name}: not named, but said: {said}", times, "worlds")
            for said, times in Counter(told.said[name]).most_common(3)
        ]
    return [*found, Result("scoring and monitoring of a night, median",
                           float(np.median(told.seconds)), "s")]  # fmt: skip


if __name__ == "__main__":
    main()
