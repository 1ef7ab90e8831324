"""The kept events of a bucket, given to the leads that they count for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from leadlight.features.definition import FeatureDefinition
from leadlight.features.kernel import EventGroups, Timeline, by_lead_and_time

_EVENTS = ("name", "occurred_at", "known_at", "kind", "detail", "value")
_BATCH = 500_000

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class EventOwners:
    """Whose the events of a name are, ordered by name.

    Attributes
    ----------
    name, lead, account : ndarray of int64, shape (n,)
    linked_at, last_as_of : ndarray of int64, shape (n,)
        Since when the name is known as the lead's, and the account's last snapshot; microseconds
        since 1970 UTC.
    own : ndarray of bool, shape (n,)
        Whether the name is the lead's, not its account's.
    """

    name: Integers
    lead: Integers
    account: Integers
    linked_at: Integers
    last_as_of: Integers
    own: NDArray[np.bool_]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what ``owners_sql`` gives, from a folder of Parquet files."""
        names = [each.name for each in fields(cls)]
        files = sorted(folder.glob("*.parquet"))
        tables = [pq.read_table(file, columns=names, partitioning=None) for file in files]
        columns = {
            name: np.concatenate(
                [np.empty(0, bool if name == "own" else np.int64)]
                + [table[name].to_numpy() for table in tables]
            )
            for name in names
        }
        order = np.argsort(columns["name"], kind="stable")
        return cls(**{name: values[order] for name, values in columns.items()})

    @cached_property
    def _stretches(self) -> tuple[Integers, Integers, Integers]:
        """The different names, where the owners of each begin, and their number."""
        names, first, count = np.unique(self.name, return_index=True, return_counts=True)
        return names, first, count

    def of(self, names: Integers) -> tuple[Integers, Integers]:
        """Return the first owner and the number of owners of each name."""
        known, first, count = self._stretches
        if not len(known):
            none = np.zeros(len(names), np.int64)
            return none, none
        at = np.minimum(np.searchsorted(known, names), len(known) - 1)
        return first[at], np.where(known[at] == names, count[at], 0)

    @property
    def most(self) -> int:
        """The greatest number of owners that a name has."""
        return int(self._stretches[2].max(initial=0))


class OwnedEvents:
    """Events of a bucket as the kernel's timeline, some leads at a time if there are many.

    Parameters
    ----------
    files : sequence of Path
        Kept events, as ``filed_sql`` gives them.
    owners : EventOwners
    kinds : sequence of int
        The kernel's code for each of the kept kinds; -1 for one that does not count.
    definition : FeatureDefinition
    at_once : int
        Events in memory at once; the events of one lead are never parted.

    Attributes
    ----------
    parts : int
        Every ``parts``-th lead is in the same part.
    """

    def __init__(
        self,
        files: Sequence[Path],
        owners: EventOwners,
        kinds: Sequence[int],
        definition: FeatureDefinition,
        at_once: int,
    ) -> None:
        self._files = files
        self._owners = owners
        self._kinds = np.array([*kinds, -1], np.int64)
        self._definition = definition
        self._loaded: tuple[int, EventGroups] | None = None
        self.parts = max(1, -(-self._size() // at_once))

    def part(self, number: int) -> EventGroups:
        """Return the events of some leads, in the kernel's order."""
        if self._loaded is None or self._loaded[0] != number:
            self._loaded = None
            timelines = list(self._timelines(number))
            events = by_lead_and_time(Timeline.of(timelines))
            self._loaded = (number, EventGroups(events, self._definition))
        return self._loaded[1]

    def _size(self) -> int:
        """Entries of the timeline: an event of the account is one for each of its leads."""
        rows: int = sum(pq.read_metadata(file).num_rows for file in self._files)
        if self._owners.most <= 1 or not rows:
            return rows
        return sum(
            int(self._owners.of(_whole(each["name"]))[1].sum()) for each in self._read("name")
        )

    def _read(self, *columns: str) -> Iterator[dict[str, NDArray[np.generic]]]:
        for file in self._files:
            with pq.ParquetFile(file) as source:
                for batch in source.iter_batches(batch_size=_BATCH, columns=list(columns)):
                    yield {name: batch[name].to_numpy(zero_copy_only=False) for name in columns}

    def _timelines(self, part: int) -> Iterator[Timeline]:
        owners = self._owners
        for batch in self._read(*_EVENTS):
            first, count = owners.of(_whole(batch["name"]))
            event = np.repeat(np.arange(len(count)), count)
            owner = np.arange(len(event)) + np.repeat(first - (np.cumsum(count) - count), count)
            kind = self._kinds[_whole(batch["kind"])][event]
            occurred_at = _whole(batch["occurred_at"])[event]
            # What occurred after the account's last snapshot is left out, which saves work; what
            # a snapshot sees is decided by the kernel alone.
            kept = (kind >= 0) & (occurred_at < owners.last_as_of[owner])
            if self.parts > 1:
                kept &= owners.lead[owner] % self.parts == part
            event, owner = event[kept], owner[kept]
            yield Timeline(
                owners.lead[owner],
                owners.account[owner],
                occurred_at[kept],
                np.maximum(_whole(batch["known_at"])[event], owners.linked_at[owner]),
                kind[kept],
                _whole(batch["detail"])[event],
                batch["value"][event].astype(np.float64, copy=False),
                owners.own[owner],
            )


def _whole(values: NDArray[np.generic]) -> Integers:
    return values.astype(np.int64, copy=False)
