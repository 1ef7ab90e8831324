"""Event streams: whether each kind of event arrives as it should, and what is wrong if not.

A stream that has fallen silent is told apart by what it showed at the last look. A dead tracker
stays where it stopped while the days go on; a late source keeps its distance, or even takes back a
day that it had delivered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

from .alarms import Finding, Kind, Limits
from .clock_shift import HOURS, ClockShift, clock_shift
from .rhythm import silent_days, surprise

Counts = NDArray[np.int64]

_SPANS = (1, 3)
# A shift shows best where no day before it is mixed in.
_SHIFT_SPANS = (1, 2)
# Share of the log-likelihood a lead must give: below it hours differ, but not by a shift.
_SHIFT_GAIN = 0.02
# The door counts all sources together, so a doubled one is a smaller share there.
_SHARE_AT_DOOR = 1 / 3


@dataclass(frozen=True, eq=False)
class EventStream:
    """One kind of event, by day and hour.

    Attributes
    ----------
    kind : str
        Event type.
    last_day : date
        The day of the last row: the one before the look.
    events : array of shape (n,)
        Events of each day.
    repeats : array of shape (n,)
        Of them, those that were there already: same lead, instant, type and detail.
    leads_by_hour : array of shape (n, 24)
        Leads heard of in each hour (UTC).
    """

    kind: str
    last_day: date
    events: Counts
    repeats: Counts
    leads_by_hour: Counts

    @property
    def newest(self) -> date | None:
        """The newest day with an event."""
        heard = np.flatnonzero(self.events)
        if not len(heard):
            return None
        return self.last_day - timedelta(days=len(self.events) - 1 - int(heard[-1]))


@dataclass(frozen=True)
class EarlierLook:
    """What an earlier run of the monitor had seen.

    Attributes
    ----------
    last_day : date
    newest : mapping of event type to date
        The newest day of each stream then.
    """

    last_day: date
    newest: Mapping[str, date]


def event_streams(activity: pd.DataFrame, last_day: date, days: int) -> tuple[EventStream, ...]:
    """Lay counts out by stream.

    Parameters
    ----------
    activity : DataFrame
        ``event_type``, ``day`` (date), ``hour`` (0 to 23), ``events``, ``repeats``, ``leads``; one
        row for each hour in which anything happened.
    last_day : date
    days : int
        How many days to lay out, up to and with the last.
    """
    ordinal = np.array([day.toordinal() for day in activity["day"]], dtype=np.int64)
    back = last_day.toordinal() - ordinal
    streams = []
    within = (back >= 0) & (back < days)
    for kind, rows in activity[within].groupby("event_type", sort=True):
        at = days - 1 - back[rows.index.to_numpy()]
        by_hour = np.zeros((days, HOURS), dtype=np.int64)
        np.add.at(by_hour, (at, rows["hour"].to_numpy(dtype=np.int64)), rows["leads"].to_numpy())
        streams.append(
            EventStream(
                str(kind),
                last_day,
                _daily(at, rows["events"], days),
                _daily(at, rows["repeats"], days),
                by_hour,
            )
        )
    return tuple(streams)


def stream_findings(
    streams: tuple[EventStream, ...], limits: Limits, earlier: EarlierLook | None = None
) -> list[Finding]:
    """Look at volume, freshness, repetition and clock of each stream.

    Parameters
    ----------
    streams : tuple of EventStream
    limits : Limits
    earlier : EarlierLook, optional
        The last run before; without it a late source and a dead tracker look alike on their first
        days, and the alarm says so.
    """
    findings = _silence(streams, earlier)
    silent = {kind for one in findings if one.matters for kind in one.subjects}
    for stream in streams:
        if stream.kind not in silent:
            findings += volume_findings(stream.kind, stream.events, limits)
        findings += _repeats(stream, limits)
    return findings + _shifts(streams)


def volume_findings(what: str, counts: Counts, limits: Limits) -> list[Finding]:
    """Hold the last day, and the last three, against a stream's own weekly rhythm.

    Parameters
    ----------
    what : str
        Name of the stream.
    counts : array of shape (n,)
        By day.
    limits : Limits
    """
    findings = []
    for span in _SPANS:
        found = surprise(counts, span)
        if found is None:
            continue
        far = not 1 / limits.volume_ratio < found.ratio < limits.volume_ratio
        days = "yesterday" if span == 1 else f"in the last {span} days"
        findings.append(
            Finding(
                "volume",
                what,
                min(1.0, 2 * min(found.low, found.high)),
                far and found.unprecedented,
                "attention",
                f"{what}: {found.observed:,.0f} {days}, where its weekly rhythm makes "
                f"{found.expected:,.0f} likely.",
                (what,),
            )
        )
    return findings


def _silence(streams: tuple[EventStream, ...], earlier: EarlierLook | None) -> list[Finding]:
    """Find streams that have fallen silent, those that lag like one late source together."""
    quiet = [stream for stream in streams if silent_days(stream.events)[0]]
    lagging = [stream for stream in quiet if _is_late(stream, earlier)]
    findings = [_silent(stream.kind, (stream,), "silent tracker") for stream in quiet]
    if lagging:
        # Sparse kinds of the same source may have ended a little earlier by chance.
        end = max(stream.newest for stream in lagging if stream.newest)
        with_them = tuple(one for one in quiet if one.newest is None or one.newest <= end)
        kinds = {one.kind for one in with_them}
        findings = [one for one in findings if one is None or one.what not in kinds]
        busiest = sorted(with_them, key=lambda one: -int(one.events.sum()))
        findings.append(_silent(", ".join(one.kind for one in busiest), with_them, "late source"))
    return [one for one in findings if one is not None]


def _silent(what: str, streams: tuple[EventStream, ...], kind: Kind) -> Finding | None:
    """Judge the silence of some streams as one."""
    events = np.sum([stream.events for stream in streams], axis=0)
    gap, longest = silent_days(events)
    found = surprise(events, gap) if gap else None
    if found is None:
        return None
    newest = streams[0].last_day - timedelta(days=gap)
    return Finding(
        kind,
        what,
        found.low,
        gap > longest,
        "act",
        f"{what}: the newest event is of {newest}, {gap} {'day' if gap == 1 else 'days'} before "
        f"the end of the data; its rhythm makes {found.expected:,.0f} likely since.",
        tuple(stream.kind for stream in streams),
    )


def _is_late(stream: EventStream, earlier: EarlierLook | None) -> bool:
    """Whether a silent stream has moved since the last look: what is dead does not."""
    before = earlier.newest.get(stream.kind) if earlier else None
    if earlier is None or before is None or stream.newest is None:
        return False
    gap = (stream.last_day - stream.newest).days
    return gap >= 2 and earlier.last_day < stream.last_day and stream.newest != before


def _repeats(stream: EventStream, limits: Limits) -> list[Finding]:
    findings = []
    for span in _SPANS:
        now, twice = int(stream.events[-span:].sum()), int(stream.repeats[-span:].sum())
        before, again = int(stream.events[:-span].sum()), int(stream.repeats[:-span].sum())
        if not now:
            continue
        usual = (again + 1) / (before + 2)
        findings.append(
            Finding(
                "doubled import",
                stream.kind,
                float(binom.sf(twice - 1, now, min(usual, 1.0))),
                twice / now >= max(limits.repeated_share, 3 * usual),
                "act",
                f"{stream.kind}: {twice:,} of {now:,} events of the last {span} days repeat "
                f"another; before, {usual:.1%} did.",
                (stream.kind,),
            )
        )
    return findings


def _shifts(streams: tuple[EventStream, ...]) -> list[Finding]:
    """Look at each stream's clock, and at all together; one alarm for the streams that moved."""
    if not streams:
        return []
    everything = np.sum([stream.leads_by_hour for stream in streams], axis=0)
    looks: list[tuple[str, ClockShift]] = []
    for what, table in [
        *((stream.kind, stream.leads_by_hour) for stream in streams),
        ("all events", everything),
    ]:
        looks += [(what, found) for span in _SHIFT_SPANS if (found := clock_shift(table, span))]
    plain = [(what, one) for what, one in looks if one.p_value < 1e-3 and one.gain >= _SHIFT_GAIN]
    moved = {what: one.hours for what, one in plain if what != "all events"}
    findings = []
    for what, found in looks:
        kinds = tuple(kind for kind, hours in moved.items() if hours == found.hours)
        subjects = kinds if what == "all events" else (what,)
        findings.append(
            Finding(
                "shifted clock",
                ", ".join(kinds) if kinds and what == "all events" else what,
                found.p_value,
                found.gain >= _SHIFT_GAIN,
                "act",
                f"{what}: the hours of the last {found.days} days are those of the weeks before, "
                f"{abs(found.hours)} h {'later' if found.hours > 0 else 'earlier'} "
                f"({found.leads:,.0f} leads heard of).",
                (*subjects, "evening_share", "weekend_share"),
            )
        )
    return findings


def _daily(at: NDArray[Any], values: "pd.Series[Any]", days: int) -> Counts:
    return np.bincount(at, weights=values.to_numpy(dtype=np.float64), minlength=days).astype(
        np.int64
    )


def door_finding(now: tuple[int, int], before: tuple[int, int], limits: Limits) -> Finding | None:
    """Look at the rows that the door has refused as repeated since the last look.

    Parameters
    ----------
    now, before : (rows read, rows repeated)
        Of all events, at this look and at the last one.
    limits : Limits
    """
    read, repeated = now[0] - before[0], now[1] - before[1]
    if read <= 0:
        return None
    usual = (before[1] + 1) / (before[0] + 2)
    return Finding(
        "doubled import",
        "events",
        float(binom.sf(repeated - 1, read, usual)),
        repeated / read >= max(_SHARE_AT_DOOR * limits.repeated_share, 3 * usual),
        "act",
        f"events: {repeated:,} of {read:,} rows that are new since the last look repeat another; "
        f"before, {usual:.1%} did. They were refused at the door.",
        ("events",),
    )
