"""Pairs of a snapshot and an event that it sees: the one place that decides visibility."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .order import Ordered, first_at_or_after
from .timeline import MICROSECONDS_PER_DAY, Flags, Floats, Instants, Integers, Timeline

Number = TypeVar("Number", np.int32, np.int64, np.float64)


@dataclass(frozen=True)
class Pairs:
    """What some snapshots see, ordered by (snapshot, occurred_at, kind).

    Attributes
    ----------
    rows : ndarray of int64, shape (n_snapshots,)
        The snapshots, as positions among all.
    snapshot : ndarray of int64, shape (n_pairs,)
        Position in ``rows``.
    window : ndarray of int64, shape (n_pairs,)
        The narrowest window that the event lies in. Windows lie within one another, so that
        running sums over them count every window at a cost independent of their number.
    event : ndarray of int64, shape (n_pairs,)
        Position in ``events``.
    events : Timeline
        Ordered by (lead, occurred_at, kind).
    as_of : ndarray of int64, shape (n_snapshots,)
    end : ndarray of int64, shape (n_snapshots,)
        Position in ``events`` of the first that the snapshot's lead did at or after ``as_of``.
    n_windows : int
        The last is all time.
    prompt : bool
        Whether the snapshots see all that occurred before them, nothing being known late.
    """

    rows: Integers
    snapshot: Integers
    window: Integers
    event: Integers
    events: Timeline
    as_of: Integers
    end: Integers
    n_windows: int
    prompt: bool

    @cached_property
    def slot(self) -> Integers:
        """Window and snapshot of each pair, as one number."""
        return self.window * len(self.rows) + self.snapshot

    @cached_property
    def age(self) -> Integers:
        """Age of each pair's event at the snapshot, in microseconds."""
        return self.as_of[self.snapshot] - self.events.occurred_at[self.event]

    @cached_property
    def kind(self) -> Integers:
        """Kind of each pair's event."""
        return self.events.kind[self.event]

    @cached_property
    def changes(self) -> Flags:
        """Whether a pair is the last of its snapshot, shape (n_pairs,)."""
        last = np.ones(len(self.snapshot), bool)
        last[:-1] = self.snapshot[1:] != self.snapshot[:-1]
        return last

    def chosen(self, which: Flags) -> "Pairs":
        """Return some of the pairs, in the same order."""
        return Pairs(
            self.rows,
            self.snapshot[which],
            self.window[which],
            self.event[which],
            self.events,
            self.as_of,
            self.end,
            self.n_windows,
            self.prompt,
        )

    def count(self, which: Flags) -> NDArray[np.int32]:
        """Count some of the pairs by window and snapshot, shape (n_windows, n_snapshots)."""
        counts = np.bincount(self.slot[which], minlength=self._size).astype(np.int32)
        return running(counts.reshape(self.n_windows, -1))

    def sum(self, which: Flags, weights: Floats) -> Floats:
        """Sum the weights of some pairs by window and snapshot, shape (n_windows, n_snapshots)."""
        sums = weighted(self.slot[which], weights, self._size)
        return running(sums.reshape(self.n_windows, -1))

    @property
    def _size(self) -> int:
        return self.n_windows * len(self.rows)

    def last_of(self, group: "Grouping") -> Flags:
        """Say which pairs are the last of their snapshot and group, shape (n_pairs,).

        The last lies in a window exactly if any does: so distinct days and pages are counted
        without a set of them.
        """
        if self.prompt:
            return group.next[self.event] >= self.end[self.snapshot]
        order = np.lexsort((np.arange(len(self.event)), group.code[self.event], self.snapshot))
        snapshot, code = self.snapshot[order], group.code[self.event[order]]
        last = np.ones(len(order), bool)
        last[:-1] = (snapshot[1:] != snapshot[:-1]) | (code[1:] != code[:-1])
        flags = np.empty(len(order), bool)
        flags[order] = last
        return flags


@dataclass(frozen=True)
class Grouping:
    """Events that count once together: of one lead and day, of one lead and page.

    Attributes
    ----------
    code : ndarray of int64, shape (n_events,)
        The same for events of one group within a lead.
    next : ndarray of int64, shape (n_events,)
        Position of the next event of the same lead and group, or beyond all.
    """

    code: Integers
    next: Integers

    @classmethod
    def of(cls, events: Timeline, code: Integers) -> "Grouping":
        """Group events, which are ordered by lead and time, by lead and code."""
        n = len(events)
        by_code = np.argsort(code, kind="stable")
        lead = _narrow(events.lead)
        order = by_code[np.argsort(lead[by_code], kind="stable")]
        same = (lead[order[1:]] == lead[order[:-1]]) & (code[order[1:]] == code[order[:-1]])
        following = np.full(n, n)
        following[order[:-1][same]] = order[1:][same]
        return cls(code, following)


def running(per_window: NDArray[Number]) -> NDArray[Number]:
    """Add to each window, along the first axis, those within it; in place."""
    for window in range(1, len(per_window)):
        per_window[window] += per_window[window - 1]
    return per_window


def weighted(index: Integers, weights: Floats, size: int) -> Floats:
    """Sum weights by index, shape (size,); float64 even where there is nothing to sum."""
    return np.bincount(index, weights=weights, minlength=size).astype(np.float64, copy=False)


def visible_pairs(
    events: Timeline,
    snapshots: Instants,
    lookbacks: Sequence[int],
    *,
    limit: int,
    cells: int,
) -> Iterator[Pairs]:
    """Yield what the snapshots see, some snapshots at a time: ``known_at < as_of``, strictly.

    Parameters
    ----------
    events : Timeline
        Events of whole leads, ordered by (lead, occurred_at, kind).
    snapshots : Instants
    lookbacks : sequence of int
        Ascending, in days; a window holds ``as_of - n days <= occurred_at < as_of``.
    limit : int
        Pairs held in memory at once (one snapshot is never split).
    cells : int
        Results a snapshot, which count as pairs do.
    """
    starts = _starts(events, snapshots, lookbacks)
    count = starts[:, -1] - starts[:, 0]
    is_late = np.concatenate(([0], np.cumsum(events.known_at > events.occurred_at)))
    has_late = is_late[starts[:, -1]] > is_late[starts[:, 0]]
    for prompt in (True, False):
        among = np.flatnonzero(has_late != prompt)
        for part in _chunks(count[among] + cells, limit=limit):
            yield _pairs(events, snapshots, among[part], starts[among[part]], prompt=prompt)


def _starts(events: Timeline, snapshots: Instants, lookbacks: Sequence[int]) -> Integers:
    """Where the lead's events begin, each window begins (widest first), and the past ends."""
    first, beyond = Ordered(events.lead, events.occurred_at).stretch(snapshots.lead)
    starts = np.empty((len(snapshots), len(lookbacks) + 2), np.int64)
    starts[:, 0] = first
    low = first
    for at, days in enumerate((*reversed(lookbacks), 0), start=1):
        edge = snapshots.as_of - days * MICROSECONDS_PER_DAY
        low = first_at_or_after(events.occurred_at, low, beyond, edge)
        starts[:, at] = low
    return starts


def _chunks(load: Integers, *, limit: int) -> Iterator[slice]:
    """Yield runs of snapshots whose load stays below the limit; one run at the least."""
    total = np.cumsum(load)
    start = 0
    if not len(load):
        yield slice(0)
    while start < len(load):
        before = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, before + limit, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def _pairs(
    events: Timeline, snapshots: Instants, rows: Integers, starts: Integers, *, prompt: bool
) -> Pairs:
    """Pair snapshots with the events before them, and keep what was known."""
    n_windows = starts.shape[1] - 1
    lengths = np.diff(starts, axis=1)
    window = np.repeat(np.tile(np.arange(n_windows)[::-1], len(rows)), lengths.ravel())
    count = starts[:, -1] - starts[:, 0]
    snapshot = np.repeat(np.arange(len(rows)), count)
    offset = np.cumsum(count) - count
    event = np.arange(len(snapshot)) + np.repeat(starts[:, 0] - offset, count)
    as_of = snapshots.as_of[rows]
    pairs = Pairs(rows, snapshot, window, event, events, as_of, starts[:, -1], n_windows, prompt)
    if prompt:  # nothing before as_of became known later than it occurred
        return pairs
    return pairs.chosen(events.known_at[event] < as_of[pairs.snapshot])


def _narrow(lead: Integers) -> NDArray[np.uint16] | Integers:
    """Return codes of leads in order as 16 bits where they fit: sorted in linear time."""
    rank = np.concatenate(([0], np.cumsum(lead[1:] != lead[:-1])))[: len(lead)]
    return rank.astype(np.uint16) if len(rank) and rank[-1] <= np.iinfo(np.uint16).max else rank
