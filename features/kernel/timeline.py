"""The timeline: everything that happened to the leads of whole accounts, as arrays.

An event is one entry; so is each milestone of the lead's way (created, handed to sales, won), so
that one rule of visibility holds for all: a snapshot sees an entry if ``known_at < as_of``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

MICROSECONDS_PER_DAY = 86_400_000_000
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Milestone(IntEnum):
    """Entries that are no events, by their ``kind``."""

    CREATED = -1
    TITLE = -2
    """The lead's seniority from here on; its rank is the entry's ``value``."""
    WON = -3
    LOST = -4
    ACCOUNT_WON = -5
    ACCOUNT_LOST = -6
    ACCEPTED = -7
    REJECTED = -8
    SALES_TOUCH = -9


@dataclass(frozen=True)
class Timeline:
    """Entries of whole accounts, one each, in any order.

    Attributes
    ----------
    lead : ndarray of int64, shape (n,)
        Code of the lead; -1 for an entry of the account itself.
    account : ndarray of int64, shape (n,)
        Code of the account; a lead without one has an account to itself.
    occurred_at, known_at : ndarray of int64, shape (n,)
        Microseconds since 1970 UTC; ``known_at`` is when it became known as this lead's.
    kind : ndarray of int64, shape (n,)
        Code of the event's kind: ``0 .. n_kinds - 1``, ``n_kinds`` for a page view without
        features of its own, ``n_kinds + 1`` for any other event without; negative: a milestone.
    detail : ndarray of int64, shape (n,)
        What names the page, asset or campaign; -1 for none.
    value : ndarray of float64, shape (n,)
        An amount that belongs to the entry; NaN for none.
    own : ndarray of bool, shape (n,)
        Whether the event names the lead; not so where it names the whole account.
    """

    lead: Integers
    account: Integers
    occurred_at: Integers
    known_at: Integers
    kind: Integers
    detail: Integers
    value: Floats
    own: Flags

    def taken(self, rows: NDArray[np.int64] | Flags) -> "Timeline":
        """Return some of the entries, in the order given."""
        return Timeline(*(getattr(self, each.name)[rows] for each in fields(self)))

    @classmethod
    def of(cls, timelines: Sequence["Timeline"]) -> "Timeline":
        """Return the entries of several; of none, a timeline without entries."""
        if not timelines:
            none = np.empty(0, np.int64)
            return cls(none, none, none, none, none, none, np.empty(0), np.empty(0, bool))
        if len(timelines) == 1:
            return timelines[0]
        return cls(
            *(
                np.concatenate([getattr(timeline, each.name) for timeline in timelines])
                for each in fields(cls)
            )
        )

    @property
    def events(self) -> "Timeline":
        """The events, without the milestones."""
        return self.taken(self.kind >= 0)

    def milestones(self, *which: Milestone) -> "Timeline":
        """Return the entries that are one of these milestones."""
        return self.taken(np.isin(self.kind, which))

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.lead)


@dataclass(frozen=True)
class Instants:
    """Snapshots in any order: which lead of which account, seen at which instant.

    Attributes
    ----------
    lead, account : ndarray of int64, shape (n_snapshots,)
    as_of : ndarray of int64, shape (n_snapshots,)
        Microseconds since 1970 UTC.
    """

    lead: Integers
    account: Integers
    as_of: Integers

    def taken(self, rows: Integers) -> "Instants":
        """Return some of the snapshots."""
        return Instants(self.lead[rows], self.account[rows], self.as_of[rows])

    def __len__(self) -> int:
        """Return the number of snapshots."""
        return len(self.lead)


def by_lead_and_time(events: Timeline) -> Timeline:
    """Return events ordered by (lead, occurred_at, kind, value), nothing known before it happened.

    The order is complete as far as any feature can tell, so that the order of the rows in a source
    changes no bit.
    """
    ordered = events.taken(_by_lead_and_instant(events))
    ties = _ties_in_order(ordered)
    if ties is not None:
        ordered = ordered.taken(ties)
    return replace(ordered, known_at=np.maximum(ordered.known_at, ordered.occurred_at))


def _by_lead_and_instant(events: Timeline) -> Integers:
    """Return an order by lead and time; by one number, which is sorted fast, where that fits."""
    if not len(events):
        return np.empty(0, np.int64)
    lead, time = events.lead - events.lead.min(), events.occurred_at - events.occurred_at.min()
    span = int(time.max()) + 1
    if (int(lead.max()) + 1) * span < np.iinfo(np.int64).max:
        return np.argsort(lead * span + time)
    return np.lexsort((time, lead))


def _ties_in_order(events: Timeline) -> Integers | None:
    """Return the order that sorts events of one lead and instant by kind and value, if any tie."""
    same = (events.lead[1:] == events.lead[:-1]) & (
        events.occurred_at[1:] == events.occurred_at[:-1]
    )
    if not same.any():
        return None
    run = np.concatenate(([0], np.cumsum(~same)))
    tied = np.flatnonzero(np.concatenate((same, [False])) | np.concatenate(([False], same)))
    order = np.arange(len(events))
    order[tied] = tied[np.lexsort((events.value[tied], events.kind[tied], run[tied]))]
    return order


def dense(codes: Integers) -> NDArray[np.uint16] | Integers:
    """Return codes in 16 bits where they fit: NumPy sorts those in linear time."""
    if not len(codes):
        return codes
    lowest = int(codes.min())
    if int(codes.max()) - lowest > np.iinfo(np.uint16).max:
        return codes
    narrow: NDArray[np.uint16] = (codes - lowest).astype(np.uint16)
    return narrow
