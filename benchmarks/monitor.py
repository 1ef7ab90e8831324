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
from monitor_peers import Shown, peer_figures, show
from monitor_worlds import Champion, World, train_champion
from results import Result, at_least, at_most, write_results
from threadpoolctl import threadpool_limits

from leadlight.models.alarms import Alarm

SEED = 0
LEADS = 10_000
CHAMPIONS = ((10_000, 575), (10_001, 590), (10_002, 605))
"""Seed of each champion's world, none of those that are monitored, and the day of its training."""
RUNS = 2
SHOWN = 5
"""Worlds that peers are shown, too: their second quiet night, and the second of each fault. More
would take an hour: Evidently needs 20 seconds for a night."""
_AFTER_WORK = (1, 2, 3, 4)
"""Nights whose own day before and day after are working days: Monday to Friday."""


@dataclass
class Told:
    """What the monitor said.

    Attributes
    ----------
    runs : list of (seed, alarms)
        On quiet worlds.
    named : dict of fault to list of int
        The run, 1 or 2, in which each world's fault was named; 0 for never.
    working : list of bool
        Whether the first two days of a world's faults were working days.
    alone : dict of fault to int
        Worlds in which nothing else was said in that run.
    said : dict of fault to list
        For each world whose fault was not named, what was said instead.
    seconds : list of float
        Of one run of scoring and monitoring.
    shown : list of Shown
        Nights that the peers are shown.
    """

    runs: list[tuple[int, tuple[Alarm, ...]]] = field(default_factory=list)
    named: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in FAULTS})
    working: list[bool] = field(default_factory=list)
    alone: Counter[str] = field(default_factory=Counter)
    said: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FAULTS})
    seconds: list[float] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 worlds, 20 quiet ones")
    quick = parser.parse_args().quick
    faulty, quiet, shown = (10, 20, 1) if quick else (100, 200, SHOWN)
    told = Told()
    with tempfile.TemporaryDirectory() as place, threadpool_limits(limits=1):
        champions = [
            train_champion(Path(place) / f"champion-{seed}", leads=LEADS, seed=seed, days=days)
            for seed, days in CHAMPIONS[: 1 if quick else None]
        ]
        for seed in range(quiet):
            champion = champions[seed % len(champions)]
            cases = Path(place) / "cases" / str(seed) if seed < shown else None
            watch(champion, Path(place) / "watched", seed, told, seed < faulty, cases)
        results = [*figures(told), *peer_figures(told.shown, Path(place))]
    write_results("monitor", results, seed=SEED, quick=quick)


def watch(
    champion: Champion, place: Path, seed: int, told: Told, with_faults: bool, cases: Path | None
) -> None:
    """Run two quiet nights of a world, and then, if asked, the same nights with each fault.

    Parameters
    ----------
    champion : Champion
    place : Path
        For the world's files, for a while.
    seed : int
    told : Told
        Is added to.
    with_faults : bool
    cases : Path or None
        Folder for the nights that peers are shown; None for none.
    """
    world = World(champion, place, leads=LEADS, seed=seed)
    for run in range(RUNS):
        exported = world.exported(world.night + timedelta(days=run))
        began = time.perf_counter()
        monitored, frame = world.run(exported)
        told.seconds.append(time.perf_counter() - began)
        told.runs.append((seed, monitored.alarms))
    if cases:
        told.shown.append(show(world, frame, world.mature(exported), None, cases / "quiet"))
    if with_faults:
        told.working.append(world.night.weekday() in _AFTER_WORK)
        for number, (name, make) in enumerate(FAULTS.items()):
            rng = np.random.default_rng([seed, 8, number])
            fault = make(Start(world.exported(world.night), rng))
            _name(world, name, fault, told, cases / str(number) if cases else None)
    world.close()


def _name(world: World, name: str, fault: Fault, told: Told, case: Path | None) -> None:
    """Run the monitor until it names a fault, twice at most; peers are shown the second night."""
    world.forget(world.night)
    named, alarms = 0, ()
    for run in range(RUNS):
        exported = fault.spoil(world.exported(world.night + timedelta(days=run)))
        monitored, frame = world.run(exported)
        if not named:
            alarms = monitored.alarms
            named = run + 1 if any(fault.named_by(alarm) for alarm in alarms) else 0
        if named and not case:
            break
    if case:
        told.shown.append(show(world, frame, world.mature(exported), (name, fault), case))
    told.named[name].append(named)
    if named:
        told.alone[name] += len(alarms) == 1
    else:
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
        worked = [run > 0 for run, both in zip(named, told.working, strict=True) if both]
        if worked:
            found.append(Result(f"{name}: where both days are working days",
                                100 * float(np.mean(worked)), f"% of {len(worked)}"))  # fmt: skip
        found.append(Result(f"{name}: of those named, by the only alarm", alone, "%"))
        found += [
            Result(f"{name}: not named, but said: {said}", times, "worlds")
            for said, times in Counter(told.said[name]).most_common(3)
        ]
    return [*found, Result("scoring and monitoring of a night, median",
                           float(np.median(told.seconds)), "s")]  # fmt: skip


if __name__ == "__main__":
    main()
