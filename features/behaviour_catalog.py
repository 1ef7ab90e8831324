"""The catalog's entries for what a lead does: events of any kind, of each kind, visits, e-mails."""

from collections.abc import Iterator

from .definition import FeatureDefinition
from .feature import Direction, Feature
from .funnel import funnel_stage
from .taxonomy import is_page_view
from .vocabulary import EventWords, event_words, window_words

_RATES = {
    "open": ("E-mails opened of those sent", 1),
    "click": ("Clicks for each e-mail sent", 1),
    "unsubscribe": ("Unsubscribes for each e-mail sent", -1),
}


def behaviour_features(definition: FeatureDefinition) -> Iterator[Feature]:
    """Yield the features of behaviour: of any kind of event first, then kind by kind."""
    if not definition.event_kinds:
        return
    yield from _activity(definition)
    yield from _rhythm()
    yield from _funnel(definition)
    if any(is_page_view(kind) for kind in definition.event_kinds):
        yield from _sessions(definition)
    yield from _emails(definition)
    for kind in definition.event_kinds:
        yield from _kind(definition, kind)


def windows(definition: FeatureDefinition) -> tuple[tuple[int | None, str], ...]:
    """Return the lookbacks in days, None for all time, each with its suffix in names."""
    days = tuple((days, f"{days}d") for days in definition.lookback_days)
    return (*days, (None, "all"))


def _engagement(
    name: str,
    statistic: str,
    label: str,
    *,
    group: str,
    unit: str = "",
    direction: Direction = 1,
    subject: str = "",
    days: int | None = None,
    category: bool = False,
) -> Feature:
    return Feature(
        name=name,
        kind="category" if category else "numeric",
        family="engagement",
        group=group,
        label=label,
        unit=unit,
        direction=direction,
        statistic=statistic,
        subject=subject,
        lookback_days=days,
    )


def _activity(definition: FeatureDefinition) -> Iterator[Feature]:
    for statistic, name, label, unit, on in (
        ("total", "activity_count", "Activities of any kind", "activities", True),
        ("active_days", "active_days", "Days with any activity", "days", True),
        ("details", "activity_details", "Different pages, assets and campaigns", "", None),
        ("value", "activity_value", "Value of all activities", "", None),
    ):
        listed = definition.details_of if statistic == "details" else definition.values_of
        if not (on or "" in listed):
            continue
        for days, suffix in windows(definition):
            text = f"{label} {window_words(days)}"
            yield _engagement(
                f"{name}_{suffix}", statistic, text, group="activity", unit=unit, days=days
            )
    yield _engagement(
        "activity_days_since_last",
        "days_since_last",
        "Days since the last activity of any kind",
        group="activity",
        unit="days",
        direction=-1,
    )
    yield _engagement(
        "activity_intensity", "intensity", "Recent activity of any kind, older ones counting less",
        group="activity", unit="activities",
    )  # fmt: skip
    yield _engagement(
        "activity_trend",
        "trend",
        "Activities a day in the last 7 days, against the 21 days before",
        group="activity_trend",
        unit="a day",
    )


def _rhythm() -> Iterator[Feature]:
    for end in ("first", "last"):
        yield _engagement(
            f"activity_{end}_kind",
            f"{end}_kind",
            f"{end.capitalize()} activity",
            group=f"{end}_activity",
            direction=0,
            category=True,
        )
    yield _engagement(
        "longest_gap_days",
        "longest_gap",
        "Longest time between two activities",
        group="gap",
        unit="days",
        direction=0,
    )
    for name, label in (("evening", "in the evening or at night"), ("weekend", "at the weekend")):
        yield _engagement(
            f"{name}_share",
            f"{name}_share",
            f"Share of activity {label}",
            group=f"{name}_share",
            unit="share",
            direction=0,
        )


def _funnel(definition: FeatureDefinition) -> Iterator[Feature]:
    if not any(funnel_stage(kind) for kind in definition.event_kinds):
        return
    for days, suffix in windows(definition):
        label = f"Depth of the funnel reached {window_words(days)}"
        yield _engagement(
            f"funnel_depth_{suffix}", "funnel_depth", label, group="funnel", unit="steps", days=days
        )


def _sessions(definition: FeatureDefinition) -> Iterator[Feature]:
    for days, suffix in windows(definition):
        label = f"Visits to the website {window_words(days)}"
        yield _engagement(
            f"sessions_{suffix}", "sessions", label, group="sessions", unit="visits", days=days
        )
    yield _engagement(
        "views_per_session", "views_per_session", "Pages viewed in each visit to the website",
        group="views_per_session", unit="pages",
    )  # fmt: skip


def _emails(definition: FeatureDefinition) -> Iterator[Feature]:
    for role, _ in definition.email_rates:
        label, direction = _RATES[role]
        yield _engagement(
            f"email_{role}_rate",
            "email_rate",
            label,
            group=f"email_{role}_rate",
            unit="share",
            direction=1 if direction == 1 else -1,
            subject=role,
        )


def _kind(definition: FeatureDefinition, kind: str) -> Iterator[Feature]:
    words = event_words(kind)
    group = f"event:{kind}"
    for statistic, listed in (
        ("count", definition.event_kinds),
        ("active_days", definition.active_days_of),
        ("details", definition.details_of),
        ("value", definition.values_of),
    ):
        if kind not in listed:
            continue
        for days, suffix in windows(definition):
            yield _engagement(
                f"{kind}_{statistic}_{suffix}",
                statistic,
                f"{_label(statistic, words)} {window_words(days)}",
                group=group,
                unit=_unit(statistic, words),
                direction=words.direction,
                subject=kind,
                days=days,
            )
    fewer: Direction = 0 if words.direction == 0 else (-1 if words.direction == 1 else 1)
    for statistic, label, unit, direction in (
        ("days_since_last", f"Days since the last {words.act}", "days", fewer),
        ("intensity", f"{words.label}, older ones counting less", words.unit, words.direction),
        (
            "trend",
            f"{words.label} a day in the last 7 days, against the 21 days before",
            "a day",
            words.direction,
        ),
    ):
        yield _engagement(
            f"{kind}_{statistic}",
            statistic,
            label,
            group=group,
            unit=unit,
            direction=direction,
            subject=kind,
        )


def _label(statistic: str, words: EventWords) -> str:
    match statistic:
        case "active_days":
            return f"{words.label}: days with at least one"
        case "details":
            return f"{words.label}: different ones"
        case "value":
            return f"{words.label}: summed value"
        case _:
            return words.label


def _unit(statistic: str, words: EventWords) -> str:
    return {"active_days": "days", "value": ""}.get(statistic, words.unit)
