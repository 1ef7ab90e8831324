"""The buying group: what the other leads of the account do, and what became of its deals.

Each event makes its lead active from when it is known until a window's length after it occurred.
Counts at an instant are the starts before it less the ends before it: a sweep over the account's
time line, never events times snapshots.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from leadlight.features.account_catalog import ACCOUNT_WINDOWS

from .behaviour import Column, Measure
from .order import Ordered
from .timeline import MICROSECONDS_PER_DAY, Flags, Instants, Integers, Milestone, Timeline


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


def buying_group(
    events: Timeline, milestones: Timeline, snapshots: Instants
) -> Iterator[tuple[Measure, Column]]:
    """Yield the measures of the account for each snapshot, shape (n_snapshots,).

    Parameters
    ----------
    events : Timeline
        Of whole leads, those without snapshots among them, ordered by (lead, occurred_at).
    milestones : Timeline
        When the leads were created, and their titles: before it was created, nobody knew that a
        lead was one, and of this account.
    snapshots : Instants
    """
    events = events if events.own.all() else events.taken(events.own)
    created = _creation(milestones.milestones(Milestone.CREATED), events.lead)
    if (created > events.known_at).any():
        events = replace(events, known_at=np.maximum(events.known_at, created))
    titles = milestones.milestones(Milestone.TITLE)
    of_account, of_lead = _EventCounts.of(events, events.account), _EventCounts.of(events, None)
    for days in ACCOUNT_WINDOWS:
        own = of_lead.visible(snapshots.lead, snapshots.as_of, days)
        whole = of_account.visible(snapshots.account, snapshots.as_of, days)
        yield ("account_events", "", days), (whole - own).astype(np.int32)
        active = _merged(_spans(events, days))
        leads = active.holding(active.account, snapshots.account, snapshots.as_of)
        yield ("account_active_leads", "", days), (leads - (own > 0)).astype(np.int32)
    # Seniority looks at the longest of the windows.
    yield ("account_top_seniority", "", None), _top_rank(active, titles, snapshots)


@dataclass(frozen=True)
class _EventCounts:
    """Visible events of a lead or account in a window; late ones need two orders, others one."""

    prompt: Ordered
    late: Timeline
    late_key: Integers

    @classmethod
    def of(cls, events: Timeline, key: Integers | None) -> "_EventCounts":
        """Order events by a key; None for the lead, by which they are ordered already."""
        late = events.known_at > events.occurred_at
        keys = events.lead if key is None else key
        order = Ordered if key is None else Ordered.of
        if not late.any():
            return cls(order(keys, events.occurred_at), events.taken(late), keys[late])
        prompt = order(keys[~late], events.occurred_at[~late])
        return cls(prompt, events.taken(late), keys[late])

    def visible(self, key: Integers, as_of: Integers, days: int) -> Integers:
        """Count the events with ``known_at < as_of`` and ``as_of - days <= occurred_at``."""
        edge = as_of - days * MICROSECONDS_PER_DAY
        count = self.prompt.before(key, as_of) - self.prompt.before(key, edge)
        if len(self.late):
            spans = _spans(self.late, days)
            count += spans.holding(self.late_key[_is_ever_visible(self.late, days)], key, as_of)
        return count


def account_facts(timeline: Timeline, snapshots: Instants) -> Iterator[tuple[Measure, Column]]:
    """Yield what is known of the account's leads and deals, shape (n_snapshots,)."""
    created = timeline.milestones(Milestone.CREATED)
    born = Ordered.of(created.account, created.occurred_at)
    own = _creation(created, snapshots.lead)
    yield ("account_earlier_leads", "", None), born.before(snapshots.account, own).astype(np.int32)
    for statistic, which in (
        ("account_wins", Milestone.ACCOUNT_WON),
        ("account_losses", Milestone.ACCOUNT_LOST),
    ):
        deals = timeline.milestones(which)
        closed = Ordered.of(deals.account, deals.known_at)
        count = closed.before(snapshots.account, snapshots.as_of)
        yield (statistic, "", None), count.astype(np.int32)


def _is_ever_visible(events: Timeline, days: int) -> Flags:
    """Whether an event became known while it was still in the window."""
    return events.known_at < events.occurred_at + days * MICROSECONDS_PER_DAY


def _spans(events: Timeline, days: int) -> Spans:
    """When each event is visible and in the window."""
    end = events.occurred_at + days * MICROSECONDS_PER_DAY
    spans = Spans(events.lead, events.account, events.known_at, end)
    ever = _is_ever_visible(events, days)
    return spans if ever.all() else spans.taken(np.flatnonzero(ever))


def _merged(spans: Spans) -> Spans:
    """Join the overlapping spans of each lead, so that it counts once."""
    if not len(spans.lead):
        return spans
    same = spans.lead[1:] == spans.lead[:-1]
    reach = spans.end
    if (same & (spans.start[1:] < spans.start[:-1])).any():  # some became known out of turn
        spans = spans.taken(np.lexsort((spans.start, spans.lead)))
        reach = pd.Series(spans.end).groupby(spans.lead).cummax().to_numpy()
    elif (same & (reach[1:] < reach[:-1])).any():
        reach = pd.Series(reach).groupby(spans.lead).cummax().to_numpy()
    opens = np.ones(len(reach), bool)
    opens[1:] = (spans.lead[1:] != spans.lead[:-1]) | (spans.start[1:] > reach[:-1])
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(reach)) - 1
    return Spans(spans.lead[first], spans.account[first], spans.start[first], reach[last])


def _creation(created: Timeline, leads: Integers) -> Integers:
    """When leads were created; one that is not known comes before all."""
    order = np.argsort(created.lead, kind="stable")
    lead, at = created.lead[order], created.occurred_at[order]
    position = np.searchsorted(lead, leads)
    if not len(lead):
        return np.full(len(leads), np.iinfo(np.int64).min)
    inside = np.minimum(position, len(lead) - 1)
    return np.where(lead[inside] == leads, at[inside], np.iinfo(np.int64).min)


def _top_rank(active: Spans, titles: Timeline, snapshots: Instants) -> Column:
    """Return the highest rank of the other active leads, -1 where there is none."""
    spans, rank = _ranked(active, titles)
    top = np.full(len(snapshots), -1, np.int64)
    for level in np.unique(rank):
        held = spans.taken(np.flatnonzero(rank == level))
        whole = held.holding(held.account, snapshots.account, snapshots.as_of)
        own = held.holding(held.lead, snapshots.lead, snapshots.as_of)
        top[whole > own] = level
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
