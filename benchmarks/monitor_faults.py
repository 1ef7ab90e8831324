"""Faults put into a night's exports, each with the alarm that names it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from monitor_worlds import EARLIER, Exported

from leadlight.models.alarms import Alarm, Kind
from leadlight.pipelines.demo.events import KINDS

DAY = timedelta(days=1)
MAILS = ("email_send", "email_open", "email_click")
SOURCES: Mapping[str, tuple[str, ...]] = {
    "page views": ("page_view",),
    "mails": MAILS,
    "activities": tuple(kind for kind in KINDS if kind != "page_view" and kind not in MAILS),
}
BUSY = 10.0
"""Events a day of a source whose fault can show; besides, it was heard of on each of 28 days."""

Spoil = Callable[[Exported], Exported]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong from one night on.

    Attributes
    ----------
    kind : Kind
        Of the alarm that names it.
    about : tuple of str
        One of which the alarm must mention.
    spoil : callable
        What a night's sources hold -> what they hold with the fault.
    columns : tuple of str
        Prefixes of the features that it touches, for those who name columns only.
    """

    kind: Kind
    about: tuple[str, ...]
    spoil: Spoil
    columns: tuple[str, ...]

    def named_by(self, alarm: Alarm) -> bool:
        """Whether an alarm says what is wrong, and where."""
        return alarm.kind == self.kind and any(about in alarm.what for about in self.about)


@dataclass(frozen=True)
class Start:
    """Where a fault begins.

    Attributes
    ----------
    exported : Exported
        Of the first night, with nothing wrong.
    rng : numpy Generator
        Draws what is struck.
    """

    exported: Exported
    rng: np.random.Generator

    @property
    def begun(self) -> datetime:
        """The first midnight of the day before the first night: its rows are struck, too."""
        return self.exported.as_of - DAY

    def heard_daily(self, groups: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Return the groups of kinds that are busy enough for their faults to show in a day."""
        events = self.exported.events
        recent = events[events["occurred_at"].between(self.begun - 28 * DAY, self.begun)]
        day = recent["occurred_at"].dt.floor("D")
        mine = {name: day[recent["event_type"].isin(kinds)] for name, kinds in groups.items()}
        return [
            name for name, days in mine.items() if len(days) >= 28 * BUSY and days.nunique() == 28
        ]


def tracker_that_dies(start: Start) -> Fault:
    """One kind of event is not recorded any more."""
    begun = start.begun
    kind = str(start.rng.choice(start.heard_daily({kind: (kind,) for kind in KINDS})))

    def spoil(exported: Exported) -> Exported:
        events = exported.events
        lost = (events["event_type"] == kind) & (events["occurred_at"] >= begun)
        return replace(exported, events=events[~lost])

    return Fault("silent tracker", (kind,), spoil, (kind,))


def source_two_days_late(start: Start) -> Fault:
    """Each night's export is the one that was due two nights before."""
    kinds = SOURCES[str(start.rng.choice(start.heard_daily(SOURCES)))]

    def spoil(exported: Exported) -> Exported:
        events = exported.events
        known = events["recorded_at"].fillna(events["occurred_at"])
        lost = events["event_type"].isin(kinds) & (known >= exported.as_of - 2 * DAY)
        return replace(exported, events=events[~lost])

    return Fault("late source", kinds, spoil, kinds)


def doubled_import(start: Start) -> Fault:
    """A source is loaded twice each night: the door refuses the rows, unless a stamp differs."""
    begun = start.begun
    kinds = SOURCES[str(start.rng.choice(start.heard_daily(SOURCES)))]
    refused = start.rng.random() < 0.5

    def spoil(exported: Exported) -> Exported:
        events = exported.events
        again = events[events["event_type"].isin(kinds) & (events["occurred_at"] >= begun)]
        if refused:
            return replace(exported, refused=len(again))
        again = again.assign(recorded_at=again["recorded_at"] + timedelta(minutes=20))
        return replace(exported, events=pd.concat([events, again]))

    return Fault("doubled import", (*kinds, "events"), spoil, kinds)


def timestamps_shifted(start: Start) -> Fault:
    """The page views, or all sources, are exported in another zone: an hour early or late."""
    begun = start.begun
    kinds = SOURCES["page views"] if start.rng.random() < 0.5 else KINDS
    by = timedelta(hours=int(start.rng.choice([-1, 1])))

    def spoil(exported: Exported) -> Exported:
        events = exported.events.copy()
        moved = events["event_type"].isin(kinds) & (events["occurred_at"] >= begun)
        for column in ("occurred_at", "recorded_at"):
            events.loc[moved, column] += by
        return replace(exported, events=events)

    return Fault("shifted clock", (*kinds, "events"), spoil, ("evening", "weekend"))


def constant_column(start: Start) -> Fault:
    """A form gives one value for all its new leads, or an export for all leads there are."""
    begun = start.begun
    column = str(start.rng.choice(["country", "source"]))
    value = str(start.rng.choice(start.exported.leads[column].dropna().unique()))
    since = begun if start.rng.random() < 0.5 else None

    def spoil(exported: Exported) -> Exported:
        leads = exported.leads.copy()
        same = leads["created_at"] >= since if since else np.full(len(leads), fill_value=True)
        leads.loc[same, column] = value
        return replace(exported, leads=leads)

    return Fault("constant column", (column,), spoil, (column,))


def country_that_floods_in(start: Start) -> Fault:
    """For two days twice as many leads as usual come on top, all from one country."""
    begun = start.begun
    leads = start.exported.leads
    country = str(start.rng.choice(leads["country"].dropna().unique()))
    usual = (leads["created_at"] >= begun - 28 * DAY).sum() / 28
    extra = leads.iloc[start.rng.integers(0, len(leads), int(4 * usual))].copy()
    extra["lead_id"] = [f"F{number}" for number in range(len(extra))]
    hours = np.sort(start.rng.integers(0, 48 * 3600, len(extra)))
    extra["created_at"] = pd.Timestamp(begun) + pd.to_timedelta(hours, unit="s")
    extra["country"] = country

    def spoil(exported: Exported) -> Exported:
        here = extra[extra["created_at"] < exported.as_of]
        return replace(exported, leads=pd.concat([exported.leads, here]))

    return Fault("flood", (f"country = {country}",), spoil, ("country",))


def base_rate_that_halves(start: Start) -> Fault:
    """Since the newest mature scores every second deal that would have been won is lost."""
    begun = start.begun
    since = begun - EARLIER[0] * DAY
    lost = start.rng.random(len(start.exported.outcomes)) < 0.5

    def spoil(exported: Exported) -> Exported:
        outcomes = exported.outcomes.copy()
        changed = lost & outcomes["won"] & (outcomes["closed_at"] >= since)
        outcomes.loc[changed, "won"] = False
        outcomes.loc[changed, "stage"] = "closedlost"
        return replace(exported, outcomes=outcomes)

    return Fault("base rate", ("conversion",), spoil, ("label",))


FAULTS: Mapping[str, Callable[[Start], Fault]] = {
    "a tracker that dies": tracker_that_dies,
    "a country that floods in": country_that_floods_in,
    "a base rate that halves": base_rate_that_halves,
    "a column that becomes constant": constant_column,
    "timestamps shifted by an hour": timestamps_shifted,
    "a doubled import": doubled_import,
    "a source two days late": source_two_days_late,
}
