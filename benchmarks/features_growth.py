"""How leadlight's cost grows: one thing at a time, all else as it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from features_definitions import COMMON_KINDS, LOOKBACKS, common_features, own_kinds, task_of
from features_measures import Contestant, Measure, leadlight_command, measured
from features_world import World, written_world

_LOOKBACKS = {
    3: LOOKBACKS,
    5: (7, 14, 30, 60, 90),
    8: (3, 7, 14, 21, 30, 60, 90, 180),
    13: (1, 3, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 365),
}
_SNAPSHOTS = (1, 3, 12, 36)
_KINDS = (3, 10, 20, 50)
_ENOUGH_SECONDS = 8.0


@dataclass(frozen=True)
class Growth:
    """Measures of one thing that grows; the first is what the others are held against."""

    what: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class _Case:
    name: str
    world: World
    kinds: int = COMMON_KINDS
    lookbacks: int = 3
    snapshots: int = 3


def growths(events: int, folder: Path) -> Iterator[Growth]:
    """Measure each thing that may grow, on worlds of so many events."""
    world = World(events)
    doubled = World(2 * events)
    plans = {
        "lookbacks": [_Case(f"{n}", world, lookbacks=n) for n in _LOOKBACKS],
        "snapshots a lead": [_Case(f"{n}", world, snapshots=n) for n in _SNAPSHOTS],
        "kinds of event": [_Case(f"{n}", replace(world, kinds=n), kinds=n) for n in _KINDS],
        "one giant account": [
            _Case(f"none of {2 * events:,} events", doubled),
            _Case(f"{events:,} of {2 * events:,} events", replace(doubled, giant_events=events)),
        ],
        "ids": [
            _Case("short", world),
            _Case("18 characters", replace(world, long_ids=True)),
        ],
        "late arrivals": [
            _Case("no time of recording", world),
            _Case("10 % up to ten days late", replace(world, late=0.1)),
        ],
    }
    known: dict[_Case, Measure] = {}
    for what, cases in plans.items():
        measures = []
        for case in cases:
            same = replace(case, name="")
            if same not in known:
                known[same] = _measure(case, folder)
            measures.append(replace(known[same], name=case.name))
        yield Growth(what, tuple(measures))


def _measure(case: _Case, folder: Path) -> Measure:
    kinds = own_kinds(case.world, case.kinds)
    definition = common_features(kinds, _LOOKBACKS[case.lookbacks])
    with written_world(case.world, folder, snapshots_a_lead=case.snapshots) as written:
        ours = Contestant(case.name, task_of(written, definition), leadlight_command())
        return measured([ours], enough=_ENOUGH_SECONDS)[0]
