"""What a lead did, day by day, for the timeline of its card."""

from collections import Counter
from datetime import date, datetime

import pyarrow as pa

from leadlight.features.engines.event_kinds import event_kinds
from leadlight.features.engines.event_stream import address_sql
from leadlight.features.taxonomy import PageRule

from .kernel import LeadKernel

_EVENTS, _KINDS = "events_of_lead", "kinds_of_lead"
Day = tuple[date, tuple[tuple[str, int], ...]]


def days_of(kernel: LeadKernel, rules: tuple[PageRule, ...], as_of: datetime) -> tuple[Day, ...]:
    """Return what the lead did on each day (UTC) before an instant: kinds and how often.

    Parameters
    ----------
    kernel : LeadKernel
    rules : tuple of PageRule
    as_of : datetime
    """
    if "events" not in kernel.tables or "lead_id" not in kernel.tables["events"].column_names:
        return ()
    names = {kernel.lead_id}
    if "identities" in kernel.tables:
        links = kernel.tables["identities"]
        names |= {
            alias
            for alias, lead in zip(
                links["alias"].to_pylist(), links["lead_id"].to_pylist(), strict=True
            )
            if lead == kernel.lead_id
        }
    events = kernel.tables["events"]
    own = [
        name in names and at < as_of
        for name, at in zip(
            events["lead_id"].to_pylist(), events["occurred_at"].to_pylist(), strict=True
        )
    ]
    own_events = events.filter(pa.array(own, pa.bool_()))
    with (
        kernel.engine.registered(_EVENTS, own_events),
        event_kinds(kernel.engine, kernel.whole, rules, _EVENTS, name=_KINDS) as page_types,
    ):
        address = address_sql(kernel.whole, page_types, "e.")
        rows = kernel.engine.rows(
            f"SELECT CAST(e.occurred_at AT TIME ZONE 'UTC' AS DATE), k.kind FROM {_EVENTS} e"
            f" JOIN {_KINDS} k ON e.event_type = k.event_type"
            f" AND {address} IS NOT DISTINCT FROM k.address"
        )
    days: dict[date, Counter[str]] = {}
    for day, kind in rows:
        days.setdefault(day, Counter())[kind] += 1
    return tuple(
        (day, tuple(sorted(kinds.items(), key=lambda each: (-each[1], each[0]))))
        for day, kinds in sorted(days.items())
    )
