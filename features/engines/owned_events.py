"""The kept events of a bucket, given to the leads that they count for."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Protocol, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.features.definition import FeatureDefinition
from leadlight.features.kernel import EventGroups, Timeline, by_lead_and_time

_EVENTS = ("name", "occurred_at", "known_at", "kind", "detail", "value")
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
    def of(cls, rows: pa.Table | None) -> Self:
        """Order what ``owners_sql`` gives; None stands for no rows."""
        if rows is None:
            none = np.empty(0, np.int64)
            return cls(none, none, none, none, none, np.empty(0, bool))
        order = np.argsort(rows["name"].to_numpy(), kind="stable")
        return cls(*(rows[each.name].to_numpy()[order] for each in fields(cls)))

    @cached_property
    def _stretches(self) -> tuple[Integers, Integers, Integers]:
        """The different names, where the owners of each begin, and their number."""
        names, first, count = np.unique(self.name, return_index=True, return_counts=True)
        return names, first, count

    def found(self, names: Integers) -> tuple[Integers, Integers]:
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


class KeptEvents(Protocol):
    """Where kept events are read from."""

    @property
    def kinds(self) -> tuple[int, ...]:
        """The kernel's code for each of the kept kinds; -1 for one that does not count."""

    @property
    def size(self) -> int:
        """How many there are."""

    def events(self, *columns: str) -> Iterator[pa.RecordBatch]:
        """Stream them, as ``filed_sql`` gives them."""


class OwnedEvents:
    """Events of a bucket as the kernel's timeline, some leads at a time if there are many.

    Parameters
    ----------
    bucket : KeptEvents
    owners : EventOwners
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
        bucket: KeptEvents,
        owners: EventOwners,
        definition: FeatureDefinition,
        at_once: int,
    ) -> None:
        self._bucket = bucket
        self._owners = owners
        self._kinds = np.array([*bucket.kinds, -1], np.int64)
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
        rows = self._bucket.size
        if self._owners.most <= 1 or not rows:
            return rows
        return sum(
            int(self._owners.found(_whole(each["name"]))[1].sum()) for each in self._read("name")
        )

    def _read(self, *columns: str) -> Iterator[dict[str, NDArray[np.generic]]]:
        for batch in self._bucket.events(*columns):
            yield {name: batch[name].to_numpy(zero_copy_only=False) for name in columns}

    def _timelines(self, part: int) -> Iterator[Timeline]:
        owners = self._owners
        for batch in self._read(*_EVENTS):
            first, count = owners.found(_whole(batch["name"]))
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
