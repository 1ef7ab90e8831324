"""What would lift a lead: its own possible acts, tried out through the kernel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from leadlight.features.actions import is_action, needs_mail, what_comes_before
from leadlight.features.engines.event_kinds import event_kinds
from leadlight.features.engines.event_stream import address_sql
from leadlight.features.funnel import email_role
from leadlight.features.taxonomy import feature_name
from leadlight.models.decision import DecisionVersion
from leadlight.models.what_lifts import Action, Judgement, Plan, WhatLifts, what_lifts

from .kernel import LeadKernel

DAYS = 7
"""Time that a lead has for what it might do, in days."""

_LOOK_BACK_DAYS = 180
_MOST_KINDS, _MOST_OF_A_KIND = 14, 4
_ROWS_AT_ONCE = 400_000
_FIRST_HOUR, _WORKING_DAYS = 10, 5
_KINDS = "kinds_of_acts"


@dataclass(frozen=True)
class Act:
    """An event of a kind, as this project's sources write it.

    Attributes
    ----------
    kind : str
    most : int
        Nine in ten leads who do it in a week do it no more often.
    row : dict
        ``event_type``, and ``detail`` and ``value`` where events have them.
    """

    kind: str
    most: int
    row: dict[str, Any]


def lifts_of(
    kernel: LeadKernel, decision: DecisionVersion, as_of: datetime, named: Sequence[str] = ()
) -> WhatLifts | None:
    """Search the smallest things that a lead could do within ``DAYS`` to be an MQL by then.

    Every plan is played through: its events are put behind the lead's real ones, on working days
    from 10 o'clock, with what has to come before them, and the lead is scored as of the end of
    that time. What is found is scored once more, by itself.

    Parameters
    ----------
    kernel : LeadKernel
    decision : DecisionVersion
    as_of : datetime
        UTC.
    named : sequence of str
        Further kinds of event that are a lead's own acts.

    Returns
    -------
    WhatLifts or None
        None where no kind of event of the project is known to be an act of the lead's own.
    """
    acts = acts_of(kernel, decision, as_of)
    possible = [
        act
        for act in acts.values()
        if is_action(act.kind) or act.kind in named or act.row["event_type"] in named
    ]
    if _opted_out(kernel, as_of):
        possible = [act for act in possible if not needs_mail(act.kind)]
    possible = possible[:_MOST_KINDS]
    if not possible:
        return None
    until = as_of + timedelta(days=DAYS)

    def judge(plans: Sequence[Plan]) -> Judgement:
        per_plan = sum(len(table) for table in kernel.tables.values()) + 20
        at_once = max(1, _ROWS_AT_ONCE // per_plan)
        found = [
            _judged(kernel, decision, plans[start : start + at_once], possible, acts, as_of)
            for start in range(0, len(plans), at_once)
        ]
        return Judgement(
            *(
                np.concatenate([getattr(part, name) for part in found])
                for name in ("points", "probability", "mql")
            )
        )

    found = what_lifts([Action(act.kind, act.most) for act in possible], judge)
    by_kind = {act.kind: act for act in possible}
    confirmed = tuple(
        way
        for way in found.ways
        if _alone(kernel, decision, [by_kind[kind] for kind, n in way.plan for _ in range(n)], acts,
                  as_of, until)
    )  # fmt: skip
    return replace(found, ways=confirmed)


def acts_of(kernel: LeadKernel, decision: DecisionVersion, as_of: datetime) -> dict[str, Act]:
    """Return the kinds of event that have features, as the sources write them, by kind.

    The commonest detail and the middling value stand for all of a kind; most leads first.
    """
    tables = kernel.whole
    if not tables.has("events", "lead_id"):
        return {}
    since = as_of - timedelta(days=_LOOK_BACK_DAYS)
    events = (
        f"(SELECT * FROM {tables.relation('events')} WHERE lead_id IS NOT NULL"
        f" AND occurred_at >= TIMESTAMPTZ '{since.isoformat()}'"
        f" AND occurred_at < TIMESTAMPTZ '{as_of.isoformat()}')"
    )
    detail = "e.detail" if tables.has("events", "detail") else "NULL::VARCHAR"
    value = "e.value" if tables.has("events", "value") else "NULL::DOUBLE"
    week = f"(epoch_us(e.occurred_at) // {DAYS * 86_400_000_000})"
    rules = decision.definition.page_rules
    with event_kinds(kernel.engine, tables, rules, events, name=_KINDS) as page_types:
        address = address_sql(tables, page_types, "e.")
        rows = kernel.engine.rows(
            f"""
            WITH told AS (
                SELECT k.kind, e.event_type, {detail} AS detail, {value} AS value, e.lead_id,
                    {week} AS week
                FROM {events} e JOIN {_KINDS} k ON e.event_type = k.event_type
                    AND {address} IS NOT DISTINCT FROM k.address
            ),
            weekly AS (SELECT kind, lead_id, week, count(*) AS n FROM told GROUP BY ALL),
            most AS (
                SELECT kind, quantile_disc(n, 0.9) AS most, count(DISTINCT lead_id) AS leads
                FROM weekly GROUP BY kind
            ),
            common AS (
                SELECT *, row_number() OVER (PARTITION BY kind ORDER BY n DESC, event_type, detail)
                    AS place
                FROM (
                    SELECT kind, event_type, detail, median(value) AS value, count(*) AS n
                    FROM told GROUP BY kind, event_type, detail
                )
            )
            SELECT kind, most, event_type, detail, value FROM most JOIN common USING (kind)
            WHERE place = 1 ORDER BY leads DESC, kind
            """
        )
    own = set(decision.definition.event_kinds)
    return {
        kind: Act(
            kind,
            max(1, min(int(most), _MOST_OF_A_KIND)),
            {"event_type": event_type, "detail": detail, "value": value},
        )
        for kind, most, event_type, detail, value in rows
        if kind in own
    }


def _opted_out(kernel: LeadKernel, as_of: datetime) -> bool:
    events = kernel.tables["events"]
    return any(
        lead == kernel.lead_id and at < as_of and email_role(feature_name(kind)) == "unsubscribe"
        for lead, at, kind in zip(
            events["lead_id"].to_pylist(),
            events["occurred_at"].to_pylist(),
            events["event_type"].to_pylist(),
            strict=True,
        )
    )


def _alone(
    kernel: LeadKernel,
    decision: DecisionVersion,
    taken: Sequence[Act],
    acts: Mapping[str, Act],
    as_of: datetime,
    until: datetime,
) -> bool:
    """Score a plan by itself, as the serving path would; say whether it makes an MQL."""
    events = pa.concat_tables(
        [kernel.tables["events"], planned_events(kernel, decision, taken, acts, as_of)]
    )
    frame = kernel.frame(decision, {**kernel.tables, "events": events}, until)
    return bool(decision.judge(frame).mql[0])


def _judged(
    kernel: LeadKernel,
    decision: DecisionVersion,
    plans: Sequence[Plan],
    possible: Sequence[Act],
    acts: Mapping[str, Act],
    as_of: datetime,
) -> Judgement:
    supposed = [
        planned_events(
            kernel,
            decision,
            [act for act, n in zip(possible, plan, strict=True) for _ in range(n)],
            acts,
            as_of,
        )
        for plan in plans
    ]
    judged = decision.judge(kernel.frames(decision, supposed, as_of + timedelta(days=DAYS)))
    points = decision.reference.point_scale.points(judged.margin)
    return Judgement(points, judged.probability, judged.mql)


def planned_events(
    kernel: LeadKernel,
    decision: DecisionVersion,
    taken: Sequence[Act],
    acts: Mapping[str, Act],
    as_of: datetime,
) -> pa.Table:
    """Return what a lead would do as events: one act a working day, as long as days suffice.

    Parameters
    ----------
    kernel : LeadKernel
    decision : DecisionVersion
        Its zone tells when a working day begins.
    taken : sequence of Act
        In their order.
    acts : mapping of str to Act
        Of the project: what has to come before is taken from them.
    as_of : datetime
        UTC; when the lead begins.
    """
    zone = ZoneInfo(decision.definition.timezone)
    first = as_of.astimezone(zone).replace(hour=_FIRST_HOUR, minute=0, second=0, microsecond=0)
    if first < as_of:
        first += timedelta(days=1)
    days = [
        day for day in (first + timedelta(days=at) for at in range(DAYS))
        if day.weekday() < _WORKING_DAYS and day < as_of + timedelta(days=DAYS)
    ]  # fmt: skip
    rows = []
    for at, act in enumerate(taken):
        when = days[at % len(days)] + timedelta(hours=at // len(days))
        chain = [*(acts[kind] for kind in _known_before(act, acts)), act]
        for step, each in enumerate(chain):
            moment = when + timedelta(minutes=step)
            rows.append({**each.row, "lead_id": kernel.lead_id, "occurred_at": moment})
    schema = kernel.tables["events"].schema
    return pa.Table.from_pylist(
        [{name: row.get(name) for name in schema.names} for row in rows], schema
    )


def _known_before(act: Act, acts: Mapping[str, Act]) -> list[str]:
    """Return the kinds that come before an act, as far as the project records them."""
    names = {feature_name(kind): kind for kind in acts}
    return [names[kind] for kind in what_comes_before(act.kind) if kind in names]
