"""The buying group: what the other leads of the account do, and what became of its deals.

Each event makes its lead active from when it is known until a window's length after it occurred.
Counts at an instant are the starts before it less the ends before it: a sweep over the account's
time line, never events times snapshots.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadlight.features.account_catalog import ACCOUNT_WINDOWS

from .behaviour import Column, Measure
from .order import Ordered
from .timeline import MICROSECONDS_PER_DAY, Instants, Integers, Milestone, Timeline


@dataclass(frozen=True)
class Spans:
    """Times in which something holds, each ``start < as_of <= end``.

    Attributes
    ----------
    lead, account : ndarray of int64, shape (n,)
    start, end : ndarray of int64, shape (n,)
        Microseconds since 1970 UTC.
    """

    lead: Integers
    account: Integers
    start: Integers
    end: Integers

    def holding(self, key: Integers, asked: Integers, as_of: Integers) -> Integers:
        """Count the spans of each key that hold at an instant.

        Parameters
        ----------
        key : ndarray of int64, shape (n,)
            Key of each span.
        asked, as_of : ndarray of int64, shape (m,)
            Key and instant of each question.

        Returns
        -------
        ndarray of int64, shape (m,)
        """
        started = Ordered.of(key, self.start).before(asked, as_of)
        return started - Ordered.of(key, self.end).before(asked, as_of)

    def taken(self, rows: Integers) -> "Spans":
        """Return some of the spans."""
        return Spans(self.lead[rows], self.account[rows], self.start[rows], self.end[rows])


def buying_group(timeline: Timeline, snapshots: Instants) -> Iterator[tuple[Measure, Column]]:
    """Yield the measures of the account for each snapshot, shape (n_snapshots,).

    Parameters
    ----------
    timeline : Timeline
        Of whole accounts, the leads without snapshots among them.
    snapshots : Instants
    """
    events = timeline.taken((timeline.kind >= 0) & timeline.own)
    for days in ACCOUNT_WINDOWS:
        visible = _visible_spans(events, days)
        active = _merged(visible)
        for statistic, spans in (("account_events", visible), ("account_active_leads", active)):
            yield (statistic, "", days), _others(spans, snapshots).astype(np.int32)
    # Seniority looks at the longest of the windows.
    yield (
        ("account_top_seniority", "", None),
        _top_rank(active, timeline.milestones(Milestone.TITLE), snapshots),
    )


def account_facts(timeline: Timeline, snapshots: Instants) -> Iterator[tuple[Measure, Column]]:
    """Yield what is known of the account's leads and deals, shape (n_snapshots,)."""
    created = timeline.milestones(Milestone.CREATED)
    born = Ordered.of(created.account, created.occurred_at)
    own = _own_creation(created, snapshots)
    yield ("account_earlier_leads", "", None), born.before(snapshots.account, own).astype(np.int32)
    for statistic, which in (
        ("account_wins", Milestone.ACCOUNT_WON),
        ("account_losses", Milestone.ACCOUNT_LOST),
    ):
        deals = timeline.milestones(which)
        closed = Ordered.of(deals.account, deals.known_at)
        count = closed.before(snapshots.account, snapshots.as_of)
        yield (statistic, "", None), count.astype(np.int32)


def _visible_spans(events: Timeline, days: int) -> Spans:
    """When each event is visible and in the window; one that is known too late never is."""
    start = np.maximum(events.known_at, events.occurred_at)
    end = events.occurred_at + days * MICROSECONDS_PER_DAY
    spans = Spans(events.lead, events.account, start, end)
    return spans.taken(np.flatnonzero(start < end))


def _merged(spans: Spans) -> Spans:
    """Join the overlapping spans of each lead, so that it counts once."""
    by_start = np.argsort(spans.start, kind="stable")
    spans = spans.taken(by_start[np.argsort(spans.lead[by_start], kind="stable")])
    if not len(spans.lead):
        return spans
    reach = pd.Series(spans.end).groupby(spans.lead).cummax().to_numpy()
    opens = np.ones(len(reach), bool)
    opens[1:] = (spans.lead[1:] != spans.lead[:-1]) | (spans.start[1:] > reach[:-1])
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(reach)) - 1
    return Spans(spans.lead[first], spans.account[first], spans.start[first], reach[last])


def _others(spans: Spans, snapshots: Instants) -> Integers:
    """Count the spans of the account that hold at each snapshot, less the lead's own."""
    whole = spans.holding(spans.account, snapshots.account, snapshots.as_of)
    return whole - spans.holding(spans.lead, snapshots.lead, snapshots.as_of)


def _own_creation(created: Timeline, snapshots: Instants) -> Integers:
    """When the lead of each snapshot was created; one that is not known comes before all."""
    order = np.argsort(created.lead, kind="stable")
    lead, at = created.lead[order], created.occurred_at[order]
    position = np.searchsorted(lead, snapshots.lead)
    if not len(lead):
        return np.full(len(snapshots), np.iinfo(np.int64).min)
    inside = np.minimum(position, len(lead) - 1)
    return np.where(lead[inside] == snapshots.lead, at[inside], np.iinfo(np.int64).min)


def _top_rank(active: Spans, titles: Timeline, snapshots: Instants) -> Column:
    """Return the highest rank of the other active leads, -1 where there is none."""
    spans, rank = _ranked(active, titles)
    top = np.full(len(snapshots), -1, np.int64)
    for level in np.unique(rank):
        of_level = spans.taken(np.flatnonzero(rank == level))
        top[_others(of_level, snapshots) > 0] = level
    return top


def _ranked(active: Spans, titles: Timeline) -> tuple[Spans, Integers]:
    """Cut the spans where the lead's title changes; return the parts with their ranks."""
    order = np.lexsort((titles.known_at, titles.lead))
    titles = titles.taken(order)
    first = np.searchsorted(titles.lead, active.lead, side="left")
    count = np.searchsorted(titles.lead, active.lead, side="right") - first
    span = np.repeat(np.arange(len(count)), count)
    title = np.arange(len(span)) + np.repeat(first - (np.cumsum(count) - count), count)
    until = np.full(len(titles), np.iinfo(np.int64).max)
    same = titles.lead[1:] == titles.lead[:-1]
    until[:-1][same] = titles.known_at[1:][same]
    cut = Spans(
        active.lead[span],
        active.account[span],
        np.maximum(active.start[span], titles.known_at[title]),
        np.minimum(active.end[span], until[title]),
    )
    held = np.flatnonzero((cut.start < cut.end) & (titles.value[title] >= 0))
    return cut.taken(held), titles.value[title[held]].astype(np.int64)
