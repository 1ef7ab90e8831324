"""What each lead had done, as far as it was known, at each of its snapshots.

Pure NumPy over the events of whole leads. This is the only place that decides whether a snapshot
sees an event; every feature of behaviour is computed from the pairs that pass here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MICROSECONDS_PER_DAY = 86_400_000_000
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """Events of whole leads, one entry each, in any order.

    Attributes
    ----------
    lead : ndarray of int64, shape (n_events,)
        Code of the lead.
    occurred_at, known_at : ndarray of int64, shape (n_events,)
        Microseconds since 1970 UTC; ``known_at`` is when the event became known as this lead's.
    kind : ndarray of int64, shape (n_events,)
        Code of the kind, ``0 .. n_kinds - 1``; ``n_kinds`` for a kind without features of its own.
    """

    lead: Integers
    occurred_at: Integers
    known_at: Integers
    kind: Integers


@dataclass(frozen=True)
class Instants:
    """Snapshots in any order: which lead, seen at which instant.

    Attributes
    ----------
    lead : ndarray of int64, shape (n_snapshots,)
    as_of : ndarray of int64, shape (n_snapshots,)
        Microseconds since 1970 UTC.
    """

    lead: Integers
    as_of: Integers


@dataclass(frozen=True)
class Behaviour:
    """Features of behaviour, one row a snapshot; the last window is all time.

    Attributes
    ----------
    counts : ndarray of int32, shape (n_snapshots, n_kinds, n_windows)
    totals : ndarray of int32, shape (n_snapshots, n_windows)
        Events of every kind, those without features of their own included.
    active_days : ndarray of int32, shape (n_snapshots, n_windows)
        Distinct UTC days with at least one event.
    days_since_last : ndarray of float64, shape (n_snapshots, n_kinds)
        NaN if there was none.
    days_since_any : ndarray of float64, shape (n_snapshots,)
    """

    counts: NDArray[np.int32]
    totals: NDArray[np.int32]
    active_days: NDArray[np.int32]
    days_since_last: NDArray[np.float64]
    days_since_any: NDArray[np.float64]


class _Visible(NamedTuple):
    """Pairs of snapshot and event that it sees, ordered by (snapshot, occurred_at)."""

    snapshot: Integers
    event: Integers


def behaviour(
    events: Events,
    snapshots: Instants,
    *,
    n_kinds: int,
    lookback_days: Sequence[int],
    chunk: int = 2_000_000,
) -> Behaviour:
    """Count what each snapshot sees: ``known_at < as_of``, strictly.

    Parameters
    ----------
    events : Events
        All events of every lead that has a snapshot here; others' are ignored.
    snapshots : Instants
    n_kinds : int
        Number of kinds with features of their own.
    lookback_days : sequence of int
        Ascending; a window holds ``as_of - n days <= occurred_at < as_of``.
    chunk : int
        Pairs of snapshot and event held in memory at once (one snapshot is never split).

    Returns
    -------
    Behaviour
        Rows in the order of ``snapshots``.
    """
    events = _by_lead_and_time(events)
    first, count = _slices(events, snapshots)
    n, windows = len(snapshots.lead), len(lookback_days) + 1
    result = Behaviour(
        counts=np.zeros((n, n_kinds, windows), np.int32),
        totals=np.zeros((n, windows), np.int32),
        active_days=np.zeros((n, windows), np.int32),
        days_since_last=np.full((n, n_kinds), np.nan),
        days_since_any=np.full(n, np.nan),
    )
    edges = np.asarray(lookback_days, np.int64) * MICROSECONDS_PER_DAY
    for rows in _chunks(count, limit=chunk, cells=(n_kinds + 1) * windows):
        pairs = _visible(events, snapshots.as_of[rows], first[rows], count[rows])
        _fill(result, rows, pairs, events, snapshots.as_of[rows], edges)
    return result


def _by_lead_and_time(events: Events) -> Events:
    order = np.lexsort((events.occurred_at, events.lead))
    occurred_at = events.occurred_at[order]
    return Events(
        lead=events.lead[order],
        occurred_at=occurred_at,
        known_at=np.maximum(events.known_at[order], occurred_at),
        kind=events.kind[order],
    )


def _slices(events: Events, snapshots: Instants) -> tuple[Integers, Integers]:
    """First event of each snapshot's lead, and how many of them occurred before ``as_of``."""
    n, m = len(events.lead), len(snapshots.lead)
    lead = np.concatenate((snapshots.lead, events.lead))
    time = np.concatenate((snapshots.as_of, events.occurred_at))
    is_event = np.repeat(np.array([0, 1], np.int64), [m, n])
    # A snapshot sorts before the events of the same instant, so it does not count them.
    order = np.lexsort((is_event, time, lead))
    seen = np.empty(m + n, np.int64)
    seen[order] = np.cumsum(is_event[order])
    first = np.searchsorted(events.lead, snapshots.lead, side="left")
    return first, seen[:m] - first


def _chunks(count: Integers, *, limit: int, cells: int) -> Iterator[slice]:
    """Yield runs of snapshots whose pairs and result cells stay below the limit; at least one."""
    load = np.cumsum(count + cells)
    start = 0
    while start < len(count):
        before = load[start - 1] if start else 0
        stop = max(int(np.searchsorted(load, before + limit, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def _visible(events: Events, as_of: Integers, first: Integers, count: Integers) -> _Visible:
    """Apply the one rule of visibility: known strictly before ``as_of``."""
    snapshot = np.repeat(np.arange(len(as_of)), count)
    offset = np.cumsum(count) - count
    event = np.arange(len(snapshot)) + np.repeat(first - offset, count)
    seen = events.known_at[event] < as_of[snapshot]
    return _Visible(snapshot[seen], event[seen])


def _fill(
    result: Behaviour,
    rows: slice,
    pairs: _Visible,
    events: Events,
    as_of: Integers,
    edges: Integers,
) -> None:
    n, n_kinds, windows = len(as_of), result.counts.shape[1], result.totals.shape[1]
    snapshot, event = pairs
    occurred_at = events.occurred_at[event]
    age = as_of[snapshot] - occurred_at
    # Each pair is counted in its narrowest window only; the running sum over windows, which lie
    # within one another, makes the cost independent of their number.
    window = np.searchsorted(edges, age, side="left")
    cell = snapshot * (n_kinds + 1) + events.kind[event]
    counts = (
        np.bincount(cell * windows + window, minlength=n * (n_kinds + 1) * windows)
        .reshape(n, n_kinds + 1, windows)
        .cumsum(axis=2)
    )
    result.counts[rows] = counts[:, :n_kinds]
    result.totals[rows] = counts.sum(axis=1)

    # The last visible event of a day stands for the day: it lies in a window exactly if any does.
    day = occurred_at // MICROSECONDS_PER_DAY
    last_of_day = np.ones(len(day), bool)
    last_of_day[:-1] = (snapshot[1:] != snapshot[:-1]) | (day[1:] != day[:-1])
    result.active_days[rows] = (
        np.bincount((snapshot * windows + window)[last_of_day], minlength=n * windows)
        .reshape(n, windows)
        .cumsum(axis=1)
    )

    # Pairs are in the order of time, and of repeated indices NumPy keeps the last value.
    days = age / MICROSECONDS_PER_DAY
    since = np.full(n * (n_kinds + 1), np.nan)
    since[cell] = days
    result.days_since_last[rows] = since.reshape(n, n_kinds + 1)[:, :n_kinds]
    since_any = np.full(n, np.nan)
    since_any[snapshot] = days
    result.days_since_any[rows] = since_any
