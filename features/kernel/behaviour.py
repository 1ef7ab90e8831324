"""What each lead had done, as far as it was known, at each of its snapshots."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.definition import FeatureDefinition
from leadlight.features.funnel import email_role, funnel_stage
from leadlight.features.taxonomy import is_page_view

from .pairs import Grouping, Pairs, running, weighted
from .timeline import MICROSECONDS_PER_DAY, Flags, Floats, Integers, Timeline

Measure = tuple[str, str, int | None]
"""What a column holds: statistic, subject, lookback in days (as in the catalog)."""

Column = NDArray[np.generic]

RECENT, BEFORE = 7, 28
"""Days of the trend: the last week against the three weeks before."""

SESSION_GAP = 30 * 60 * 1_000_000
"""Microseconds without a page view after which the next one starts a new session, as in web
analytics: https://support.google.com/analytics/answer/12798876"""

MORNING, EVENING, SATURDAY = 6, 18, 5
"""Working hours begin and end at these hours; days of the week count from Monday, 0."""

PSEUDO_EMAILS = 5.0
"""E-mails at the usual rate that are added to each lead's own: few say little."""


@dataclass(frozen=True)
class EventGroups:
    """Events that count once together, found once for all snapshots."""

    events: Timeline
    definition: FeatureDefinition

    @cached_property
    def day(self) -> Integers:
        """UTC day of each event, counted from 1970."""
        return self.events.occurred_at // MICROSECONDS_PER_DAY

    @cached_property
    def after_hours(self) -> dict[str, Floats]:
        """Whether each event lies in the evening or at night, and at the weekend, as 1.0 or 0.0."""
        clock = pd.to_datetime(self.events.occurred_at, unit="us", utc=True)
        local = clock.tz_convert(self.definition.timezone)
        hour, weekday = local.hour.to_numpy(), local.day_of_week.to_numpy()
        return {
            "evening_share": ((hour < MORNING) | (hour >= EVENING)).astype(np.float64),
            "weekend_share": (weekday >= SATURDAY).astype(np.float64),
        }

    @cached_property
    def kind_day(self) -> Grouping:
        """Events of one kind and day."""
        return Grouping.of(self.events, self.day * 256 + self.events.kind)

    @cached_property
    def detail(self) -> Grouping:
        """Events of one detail."""
        return Grouping.of(self.events, self.events.detail)

    @cached_property
    def kind_detail(self) -> Grouping:
        """Events of one kind and detail."""
        _, code = np.unique(self.events.detail, return_inverse=True)
        return Grouping.of(self.events, code * 256 + self.events.kind)


def windows(definition: FeatureDefinition) -> tuple[int, ...]:
    """Return the ascending lookbacks that are counted, those of the trend among them."""
    return tuple(sorted({*definition.lookback_days, RECENT, BEFORE}))


def behaviour(pairs: Pairs, groups: EventGroups) -> Iterator[tuple[Measure, Column]]:
    """Yield each measure of behaviour for the snapshots of some pairs, shape (n_snapshots,)."""
    definition = groups.definition
    counted = windows(definition)
    kept = [(counted.index(days), days) for days in definition.lookback_days]
    shown: list[tuple[int, int | None]] = [*kept, (len(counted), None)]
    yield from _counts(pairs, definition, counted, shown)
    yield from _any_kind(pairs, groups, shown)
    yield from _each_kind(pairs, groups, shown)
    yield from _recency(pairs, definition)
    yield from _ends(pairs, definition)
    yield from _after_hours(pairs, groups)


def _by_kind(pairs: Pairs, n_kinds: int) -> NDArray[np.int32]:
    """Count by window and kind, shape (n_windows, n_kinds, n_snapshots)."""
    n, width = len(pairs.rows), pairs.n_windows
    cell = (pairs.window * n_kinds + pairs.kind) * n + pairs.snapshot
    counts = np.bincount(cell, minlength=n * width * n_kinds).astype(np.int32)
    return running(counts.reshape(width, n_kinds, n))


def _counts(
    pairs: Pairs,
    definition: FeatureDefinition,
    counted: tuple[int, ...],
    shown: list[tuple[int, int | None]],
) -> Iterator[tuple[Measure, Column]]:
    kinds = definition.event_kinds
    counts = _by_kind(pairs, len(kinds) + 2)
    totals = counts.sum(axis=1, dtype=np.int32)
    for window, days in shown:
        yield ("total", "", days), totals[window]
        for code, kind in enumerate(kinds):
            yield ("count", kind, days), counts[window, code]
    week, month = counted.index(RECENT), counted.index(BEFORE)
    for code, kind in (*enumerate(kinds), (-1, "")):
        per_window = totals if kind == "" else counts[:, code]
        before = per_window[month] - per_window[week]
        yield ("trend", kind, None), per_window[week] / RECENT - before / (BEFORE - RECENT)
    yield from _funnel(counts, kinds, shown)
    yield from _email_rates(counts[-1], definition)
    if any(is_page_view(kind) for kind in kinds):
        yield from _sessions(pairs, kinds, shown)


def _funnel(
    counts: NDArray[np.int32], kinds: tuple[str, ...], shown: list[tuple[int, int | None]]
) -> Iterator[tuple[Measure, Column]]:
    stages = np.array([funnel_stage(kind) for kind in kinds], np.int32)
    for window, days in shown:
        reached = (counts[window, : len(kinds)] > 0) * stages[:, None]
        yield ("funnel_depth", "", days), reached.max(axis=0, initial=0).astype(np.int32)


def _email_rates(
    counts: NDArray[np.int32], definition: FeatureDefinition
) -> Iterator[tuple[Measure, Column]]:
    roles = [email_role(kind) for kind in definition.event_kinds]

    def number(role: str) -> Floats:
        of_role = [at for at, each in enumerate(roles) if each == role]
        total: Floats = counts[of_role].sum(axis=0, dtype=np.float64)
        return total

    for role, usual in definition.email_rates:
        rate = (number(role) + PSEUDO_EMAILS * usual) / (number("send") + PSEUDO_EMAILS)
        yield ("email_rate", role, None), rate


def _sessions(
    pairs: Pairs, kinds: tuple[str, ...], shown: list[tuple[int, int | None]]
) -> Iterator[tuple[Measure, Column]]:
    is_view = np.array([*map(is_page_view, kinds), True, False])
    views = pairs.chosen(is_view[pairs.kind])
    last = views.changes.copy()
    last[:-1] |= views.age[:-1] - views.age[1:] > SESSION_GAP
    sessions = views.count(last)
    for window, days in shown:
        yield ("sessions", "", days), sessions[window]
    total = np.bincount(views.snapshot, minlength=len(pairs.rows))
    with np.errstate(invalid="ignore"):
        yield ("views_per_session", "", None), total / sessions[-1]


def _any_kind(
    pairs: Pairs, groups: EventGroups, shown: list[tuple[int, int | None]]
) -> Iterator[tuple[Measure, Column]]:
    last_of_day = pairs.changes.copy()
    day = groups.day[pairs.event]
    last_of_day[:-1] |= day[1:] != day[:-1]
    measures: dict[str, Column] = {"active_days": pairs.count(last_of_day)}
    if "" in groups.definition.details_of:
        last = _with_detail(pairs) & pairs.last_of(groups.detail)
        measures["details"] = pairs.count(last)
    if "" in groups.definition.values_of:
        valued = ~np.isnan(pairs.events.value[pairs.event])
        weights = pairs.events.value[pairs.event[valued]]
        measures["value"] = pairs.sum(valued, weights)
    for statistic, values in measures.items():
        for window, days in shown:
            yield (statistic, "", days), values[window]


def _with_detail(pairs: Pairs) -> Flags:
    return pairs.events.detail[pairs.event] >= 0


def _each_kind(
    pairs: Pairs, groups: EventGroups, shown: list[tuple[int, int | None]]
) -> Iterator[tuple[Measure, Column]]:
    """Active days, details and values of single kinds, only of those for which they say more."""
    definition = groups.definition
    kinds = definition.event_kinds
    for statistic, listed in (
        ("active_days", definition.active_days_of),
        ("details", definition.details_of),
        ("value", definition.values_of),
    ):
        codes = [kinds.index(kind) for kind in listed if kind]
        if not codes:
            continue
        position = np.full(len(kinds) + 2, -1)
        position[codes] = np.arange(len(codes))
        asked = pairs.chosen(position[pairs.kind] >= 0)
        weights = None
        if statistic == "active_days":
            asked = asked.chosen(asked.last_of(groups.kind_day))
        elif statistic == "details":
            asked = asked.chosen(_with_detail(asked) & asked.last_of(groups.kind_detail))
        else:
            asked = asked.chosen(~np.isnan(asked.events.value[asked.event]))
            weights = asked.events.value[asked.event]
        n, width = len(asked.rows), asked.n_windows
        cell = (asked.window * len(codes) + position[asked.kind]) * n + asked.snapshot
        size = n * width * len(codes)
        shape = (width, len(codes), n)
        columns: Column
        if weights is None:
            counts = np.bincount(cell, minlength=size).astype(np.int32)
            columns = running(counts.reshape(shape))
        else:
            columns = running(weighted(cell, weights, size).reshape(shape))
        for window, days in shown:
            for at, code in enumerate(codes):
                yield (statistic, kinds[code], days), columns[window, at]


def _recency(pairs: Pairs, definition: FeatureDefinition) -> Iterator[tuple[Measure, Column]]:
    kinds = definition.event_kinds
    n, width = len(pairs.rows), len(kinds) + 2
    days = pairs.age / MICROSECONDS_PER_DAY
    cell = pairs.kind * n + pairs.snapshot
    # Pairs are in the order of time, and of repeated indices NumPy keeps the last value.
    since = np.full(width * n, np.nan)
    since[cell] = days
    decayed = np.exp2(days * (-1.0 / definition.half_life_days))
    intensity = weighted(cell, decayed, width * n).reshape(width, n)
    for code, kind in enumerate(kinds):
        yield ("days_since_last", kind, None), since[code * n : (code + 1) * n]
        yield ("intensity", kind, None), intensity[code]
    since_any = np.full(n, np.nan)
    since_any[pairs.snapshot[pairs.changes]] = days[pairs.changes]
    yield ("days_since_last", "", None), since_any
    # Kind after kind, so that a snapshot alone has the same sum to the last bit as among others.
    whole = np.zeros(n)
    for of_kind in intensity:
        whole += of_kind
    yield ("intensity", "", None), whole


def _ends(pairs: Pairs, definition: FeatureDefinition) -> Iterator[tuple[Measure, Column]]:
    """First and last kind, and the longest time between two events."""
    n = len(pairs.rows)
    names = np.array([*definition.event_kinds, "other", "other", None], dtype=object)
    last = np.full(n, -1)
    last[pairs.snapshot[pairs.changes]] = pairs.kind[pairs.changes]
    starts = np.concatenate(([True], pairs.changes[:-1]))[: len(pairs.snapshot)]
    first = np.full(n, -1)
    first[pairs.snapshot[starts]] = pairs.kind[starts]
    yield ("first_kind", "", None), names[first]
    yield ("last_kind", "", None), names[last]
    gap = np.full(n, np.nan)
    between = (pairs.age[:-1] - pairs.age[1:]) / MICROSECONDS_PER_DAY
    within = ~pairs.changes[:-1]
    np.fmax.at(gap, pairs.snapshot[1:][within], between[within])
    yield ("longest_gap", "", None), gap


def _after_hours(pairs: Pairs, groups: EventGroups) -> Iterator[tuple[Measure, Column]]:
    n = len(pairs.rows)
    total = np.bincount(pairs.snapshot, minlength=n)
    for statistic, flags in groups.after_hours.items():
        inside = weighted(pairs.snapshot, flags[pairs.event], n)
        with np.errstate(invalid="ignore"):
            yield (statistic, "", None), inside / total
