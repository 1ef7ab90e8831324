"""leadlight beside its peers, on one world."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from demo_scan import scan
from features_agreement import agreement
from features_definitions import COMMON_KINDS, all_families, common_features, own_kinds, task_of
from features_measures import Contestant, Measure, leadlight_command, measured, peer_command
from features_world import World, WrittenWorld, written_world
from footprint import watch_call

from leadlight.features.catalog import feature_catalog

LEADLIGHT = "leadlight"
POLARS = "Polars"
NAMES = {
    "sql": "staged DuckDB SQL",
    "polars": POLARS,
    "pandas": "pandas",
    "featuretools": "featuretools",
}
"""Peers by the ending of their module's name."""

ON_A_SLICE = frozenset({"featuretools"})
SNAPSHOTS_A_LEAD = 3
_SLICE = 2_000
_MILLION = 1_000_000
_ALL_FAMILIES_UNTIL = 10 * _MILLION  # beyond, the common features tell enough
_ALL_COLUMNS_UNTIL = _MILLION  # beyond, every eighth column is compared


@dataclass(frozen=True)
class Comparison:
    """leadlight and its peers on one world.

    Attributes
    ----------
    events : int
    scan : float
        Seconds of a bare DuckDB to read every value of the events.
    measures : tuple of Measure
        leadlight's first.
    slices : tuple of Measure
        On a slice of the events, by those who do not survive more.
    """

    events: int
    scan: float
    measures: tuple[Measure, ...]
    slices: tuple[Measure, ...] = ()

    def named(self, name: str) -> Measure | None:
        """Return a contestant's measure; None if it did not take part or did not end."""
        found = (each for each in self.measures if each.name == name and not each.stopped)
        return next(found, None)


def compare(events: int, pythons: Mapping[str, str], folder: Path) -> Comparison:
    """Measure leadlight, then each peer.

    Parameters
    ----------
    pythons : mapping of str to str
        The Python of each peer that takes part.
    folder : Path
        For worlds and results.
    """
    world = World(events)
    with written_world(world, folder, snapshots_a_lead=SNAPSHOTS_A_LEAD) as written:
        scanned = watch_call(scan, [str(path) for path in written.tables.parts("events")]).returned
        survivors = {peer: pythons[peer] for peer in pythons if peer not in ON_A_SLICE}
        contestants = _contestants(written, survivors)
        if events <= _ALL_FAMILIES_UNTIL:
            task = task_of(written, all_families(world))
            whole = Contestant(f"{LEADLIGHT}, all families", task, leadlight_command())
            contestants.insert(1, whole)
        measures = measured(contestants)
    return Comparison(events, scanned, measures)


def compare_slices(pythons: Mapping[str, str], folder: Path) -> tuple[Measure, ...]:
    """Measure the peers that do not survive a million events on a few of them."""
    some = {peer: pythons[peer] for peer in pythons if peer in ON_A_SLICE}
    if not some:
        return ()
    with written_world(World(_SLICE), folder, snapshots_a_lead=SNAPSHOTS_A_LEAD) as written:
        _, *others = measured(_contestants(written, some), repeats=1)
    return tuple(others)


def _contestants(written: WrittenWorld, pythons: Mapping[str, str]) -> list[Contestant]:
    """leadlight first, whose features are kept, then peers, whose are held against them."""
    common = common_features(own_kinds(written.world, COMMON_KINDS))
    task = task_of(written, common)
    kept = written.folder / "features-of-leadlight"
    every = 1 if written.world.events <= _ALL_COLUMNS_UNTIL else 8

    def keep(output: Path) -> str:
        output.rename(kept)
        return ""

    peers = [
        Contestant(
            NAMES[peer],
            task,
            peer_command(python, peer),
            features=len(feature_catalog(common)),
            agreement=partial(agreement, kept, every=every),
        )
        for peer, python in pythons.items()
    ]
    return [Contestant(LEADLIGHT, task, leadlight_command(), agreement=keep), *peers]
