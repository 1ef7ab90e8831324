"""A nightly run that keeps its events, beside one from nothing on the same tables."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
from features_agreement import agreement
from features_definitions import COMMON_KINDS, common_features, own_kinds, task_of
from features_measures import Contestant, Measure, leadlight_command, measured
from features_world import (
    DAYS,
    World,
    write_next_day,
    write_snapshots_of_all,
    written_world,
)


@dataclass(frozen=True)
class Nightly:
    """The night after one new day of events, all leads scored.

    Attributes
    ----------
    events : int
        In the tables, the new day's among them.
    filed : int
        Events that the night read from the tables and laid down in its store.
    bytes_an_event : float
        In the store.
    night, scratch : Measure
        With the store of the night before, and without one.
    """

    events: int
    filed: int
    bytes_an_event: float
    night: Measure
    scratch: Measure


def nightly(events: int, folder: Path) -> Nightly:
    """Measure a night on a world of so many events."""
    world = World(events)
    definition = common_features(own_kinds(world, COMMON_KINDS))
    with written_world(world, folder, snapshots_a_lead=1) as written:
        store, kept = written.folder / "store", written.folder / "features-of-the-night"

        def keep(output: Path) -> str:
            output.rename(kept)
            return ""

        task = replace(task_of(written, definition), store=store)
        write_snapshots_of_all(world, written.snapshots, DAYS)
        command = leadlight_command()
        measured([Contestant("the night before", task, command)], repeats=1)
        before = set(_held(store))
        new = write_next_day(written)
        write_snapshots_of_all(world, written.snapshots, DAYS + 1)
        after = Contestant("night after a new day", task, command, agreement=keep)
        (night,) = measured([after], repeats=1)
        held = _held(store)
        from_nothing = Contestant(
            "from nothing",
            replace(task, store=None),
            command,
            agreement=lambda output: agreement(kept, output),
        )
        (scratch,) = measured([from_nothing], repeats=1)
        return Nightly(
            events=events + new,
            filed=_rows(path for path in held if path not in before),
            bytes_an_event=sum(path.stat().st_size for path in held) / _rows(held),
            night=night,
            scratch=scratch,
        )


def _held(store: Path) -> list[Path]:
    return sorted((store / "events").rglob("*.parquet"))


def _rows(paths: Iterable[Path]) -> int:
    return sum(pq.read_metadata(path).num_rows for path in paths)
