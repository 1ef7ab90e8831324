"""What every feature of behaviour, buying group and history is: loops over one lead at a time.

Nothing here uses the kernel, the SQL builders or the catalog; names, kinds and windows are spelled
out anew, so that a mistake would have to be made twice.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from oracle import DAY, Event, Lead, World, kind_of, seen

NAN = float("nan")
STAGES = {
    "download": 1,
    "page_view_blog": 1,
    "page_view_product": 2,
    "page_view_pricing": 3,
    "demo_request": 4,
}
SENIORITY = {
    "Managing Director": "C-level",
    "Marketing Manager": "manager",
    "VP Sales": "vice president",
    "Student": "student",
}
RANKS = ("student", "manager", "director", "vice president", "C-level")
ROLES = {"open": "email_open", "click": "email_click", "unsubscribe": "unsubscribe"}


@dataclass(frozen=True)
class Choices:
    """What a definition decides."""

    kinds: tuple[str, ...]
    lookbacks: tuple[int, ...]
    half_life: float
    timezone: str
    active_days_of: tuple[str, ...]
    details_of: tuple[str, ...]
    values_of: tuple[str, ...]
    email_rates: dict[str, float]


def features_by_loop(world: World, lead: Lead, as_of: int, choices: Choices) -> dict[str, object]:
    """Every feature of one snapshot, by its name."""
    order = {kind: at for at, kind in enumerate(choices.kinds)}

    def rank(event: Event) -> tuple[int, int]:
        other = len(order) + (0 if kind_of(event).startswith("page_view") else 1)
        return event.occurred_at, order.get(kind_of(event), other)

    visible = sorted(seen(world, lead, as_of), key=rank)
    found: dict[str, object] = {"lead_age_days": (as_of - lead.created_at) / DAY}
    for lookback in (*choices.lookbacks, None):
        window = "all" if lookback is None else f"{lookback}d"
        inside = [event for event in visible if is_inside(event, as_of, lookback)]
        found |= windowed(inside, window, choices)
    for kind in ("", *choices.kinds):
        of_kind = [event for event in visible if kind in {"", kind_of(event)}]
        found |= recent(of_kind, kind or "activity", as_of, choices)
    found |= rhythm(visible, choices)
    found |= sessions(visible, as_of, choices.lookbacks)
    found |= emails(visible, choices)
    found |= buying_group(world, lead, as_of)
    found |= history(world, lead, as_of, visible)
    return found


def is_inside(event: Event, as_of: int, lookback: int | None) -> bool:
    return lookback is None or event.occurred_at >= as_of - lookback * DAY


def address(event: Event) -> str | None:
    if event.detail is None or event.event_type != "page_view":
        return event.detail
    return event.detail.split("?")[0].split("#")[0]


def windowed(inside: list[Event], window: str, choices: Choices) -> dict[str, object]:
    found: dict[str, object] = {}
    for kind in ("", *choices.kinds):
        events = [event for event in inside if kind in {"", kind_of(event)}]
        name = kind or "activity"
        found[f"{name}_count_{window}"] = len(events)
        days = len({event.occurred_at // DAY for event in events})
        if not kind:
            found[f"active_days_{window}"] = days
        elif kind in choices.active_days_of:
            found[f"{kind}_active_days_{window}"] = days
        if kind in choices.details_of:
            details = {address(event) for event in events} - {None}
            found[f"{name}_details_{window}"] = len(details)
        if kind in choices.values_of:
            found[f"{name}_value_{window}"] = sum(event.value or 0.0 for event in events)
    stages = [STAGES.get(kind_of(e), 0) for e in inside if kind_of(e) in choices.kinds]
    found[f"funnel_depth_{window}"] = max(stages, default=0)
    return found


def recent(events: list[Event], name: str, as_of: int, choices: Choices) -> dict[str, object]:
    ages = [(as_of - event.occurred_at) / DAY for event in events]
    week = sum(age <= 7 for age in ages)
    before = sum(7 < age <= 28 for age in ages)
    return {
        f"{name}_days_since_last": min(ages, default=NAN),
        f"{name}_intensity": sum(2 ** (-age / choices.half_life) for age in ages),
        f"{name}_trend": week / 7 - before / 21,
    }


def rhythm(visible: list[Event], choices: Choices) -> dict[str, object]:
    def name(event: Event) -> str:
        return kind_of(event) if kind_of(event) in choices.kinds else "other"

    gaps = [(b.occurred_at - a.occurred_at) / DAY for a, b in pairwise(visible)]
    clock = [
        datetime.fromtimestamp(event.occurred_at // 1_000_000, UTC).astimezone(
            ZoneInfo(choices.timezone)
        )
        for event in visible
    ]
    late = sum(at.hour >= 18 or at.hour < 6 for at in clock)
    weekend = sum(at.weekday() >= 5 for at in clock)
    return {
        "activity_first_kind": name(visible[0]) if visible else None,
        "activity_last_kind": name(visible[-1]) if visible else None,
        "longest_gap_days": max(gaps, default=NAN),
        "evening_share": late / len(clock) if clock else NAN,
        "weekend_share": weekend / len(clock) if clock else NAN,
    }


def sessions(visible: list[Event], as_of: int, lookbacks: tuple[int, ...]) -> dict[str, object]:
    """Visits to the website; each is a list of views, none more than 30 minutes after another."""
    visits: list[list[Event]] = []
    for view in sorted(
        (event for event in visible if event.event_type == "page_view"),
        key=lambda event: event.occurred_at,
    ):
        if not visits or view.occurred_at - visits[-1][-1].occurred_at > 30 * 60 * 1_000_000:
            visits.append([])
        visits[-1].append(view)
    found: dict[str, object] = {
        f"sessions_{'all' if days is None else f'{days}d'}": sum(
            any(is_inside(view, as_of, days) for view in visit) for visit in visits
        )
        for days in (*lookbacks, None)
    }
    views = sum(len(visit) for visit in visits)
    return found | {"views_per_session": views / len(visits) if visits else NAN}


def emails(visible: list[Event], choices: Choices) -> dict[str, object]:
    kinds = [kind_of(event) for event in visible]
    sends = kinds.count("email_send")
    return {
        f"email_{role}_rate": (kinds.count(ROLES[role]) + 5 * usual) / (sends + 5)
        for role, usual in choices.email_rates.items()
    }


def buying_group(world: World, lead: Lead, as_of: int) -> dict[str, object]:
    others = [
        each
        for each in world.leads
        if lead.account_id and each.account_id == lead.account_id and each is not lead
    ]
    found: dict[str, object] = {}
    active: list[Lead] = []
    known = [each for each in others if each.created_at < as_of]
    for days in (30, 90):
        own = {
            each.lead_id: [
                event
                for event in seen(world, each, as_of)
                if event.lead_id is not None and is_inside(event, as_of, days)
            ]
            for each in known
        }
        active = [each for each in known if own[each.lead_id]]
        found[f"account_active_leads_{days}d"] = len(active)
        found[f"account_events_{days}d"] = sum(map(len, own.values()))
    titles = {SENIORITY[each.job_title] for each in active if each.job_title in SENIORITY}
    found["account_top_seniority"] = max(titles, key=RANKS.index, default=None)
    earlier = [each for each in others if each.created_at < lead.created_at]
    found["account_earlier_leads"] = len(earlier)
    members = {each.lead_id for each in (lead, *others) if each.created_at < as_of}
    closed = [
        (deal.deal_id or f"row {row}", deal.won)
        for row, deal in enumerate(world.deals)
        if deal.closed_at is not None
        and deal.closed_at < as_of
        and (deal.lead_id in members or (lead.account_id and deal.account_id == lead.account_id))
    ]
    found["account_wins"] = len({deal for deal, won in closed if won})
    found["account_losses"] = len({deal for deal, won in closed if not won})
    return found


def history(world: World, lead: Lead, as_of: int, visible: list[Event]) -> dict[str, object]:
    judged = [
        each
        for each in world.judgements
        if each.lead_id == lead.lead_id and each.decided_at < as_of
    ]
    own = [deal for deal in world.deals if deal.lead_id == lead.lead_id]
    lost = [d for d in own if not d.won and d.closed_at is not None and d.closed_at < as_of]
    touches = [each.decided_at for each in judged]
    touches += [event.occurred_at for event in visible if kind_of(event) == "call"]
    for deal in own:
        moments = (deal.opened_at, deal.closed_at)
        touches += [at for at in moments if at is not None and at < as_of]
    return {
        "earlier_mqls": len(judged),
        "earlier_rejections": sum(not each.accepted for each in judged),
        "times_recycled": len(lost),
        "days_since_sales_touch": (as_of - max(touches)) / DAY if touches else NAN,
    }


def is_same(value: object, expected: object) -> bool:
    """Whether a value of a column is what the loop found, to 1e-9."""
    if expected is None or isinstance(expected, str):
        return value == expected
    number = float(value)  # type: ignore[arg-type]
    wanted = float(expected)  # type: ignore[arg-type]
    if math.isnan(wanted):
        return math.isnan(number)
    return math.isclose(number, wanted, rel_tol=1e-9, abs_tol=1e-9)
