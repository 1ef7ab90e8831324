"""The catalog's entries for what a lead does: events of any kind, of each kind, visits, e-mails."""

from collections.abc import Iterator

from .definition import FeatureDefinition
from .feature import Direction, Feature
from .funnel import funnel_stage
from .taxonomy import is_page_view
from .vocabulary import direction_of, unit_of


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
        label="",
        unit=unit,
        direction=direction,
        statistic=statistic,
        subject=subject,
        lookback_days=days,
    )


def _activity(definition: FeatureDefinition) -> Iterator[Feature]:
    for statistic, name, unit, on in (
        ("total", "activity_count", "activities", True),
        ("active_days", "active_days", "days", True),
        ("details", "activity_details", "", "" in definition.details_of),
        ("value", "activity_value", "", "" in definition.values_of),
    ):
        if on:
            for days, suffix in windows(definition):
                yield _engagement(
                    f"{name}_{suffix}", statistic, group="activity", unit=unit, days=days
                )
    yield _engagement(
        "activity_days_since_last", "days_since_last", group="activity", unit="days", direction=-1
    )
    yield _engagement("activity_intensity", "intensity", group="activity", unit="activities")
    yield _engagement("activity_trend", "trend", group="activity_trend", unit="a day")


def _rhythm() -> Iterator[Feature]:
    for end in ("first", "last"):
        yield _engagement(
            f"activity_{end}_kind",
            f"{end}_kind",
            group=f"{end}_activity",
            direction=0,
            category=True,
        )
    yield _engagement("longest_gap_days", "longest_gap", group="gap", unit="days", direction=0)
    for name in ("evening_share", "weekend_share"):
        yield _engagement(name, name, group=name, unit="share", direction=0)


def _funnel(definition: FeatureDefinition) -> Iterator[Feature]:
    if not any(funnel_stage(kind) for kind in definition.event_kinds):
        return
    for days, suffix in windows(definition):
        yield _engagement(
            f"funnel_depth_{suffix}", "funnel_depth", group="funnel", unit="steps", days=days
        )


def _sessions(definition: FeatureDefinition) -> Iterator[Feature]:
    for days, suffix in windows(definition):
        yield _engagement(
            f"sessions_{suffix}", "sessions", group="sessions", unit="visits", days=days
        )
    yield _engagement(
        "views_per_session", "views_per_session", group="views_per_session", unit="pages"
    )


def _emails(definition: FeatureDefinition) -> Iterator[Feature]:
    for role, _ in definition.email_rates:
        yield _engagement(
            f"email_{role}_rate",
            "email_rate",
            group=f"email_{role}_rate",
            unit="share",
            direction=-1 if role == "unsubscribe" else 1,
            subject=role,
        )


def _kind(definition: FeatureDefinition, kind: str) -> Iterator[Feature]:
    unit, direction = unit_of(kind), direction_of(kind)
    fewer: Direction = 0 if direction == 0 else (-1 if direction == 1 else 1)
    group = f"event:{kind}"
    for statistic, listed, counted in (
        ("count", definition.event_kinds, unit),
        ("active_days", definition.active_days_of, "days"),
        ("details", definition.details_of, unit),
        ("value", definition.values_of, ""),
    ):
        if kind not in listed:
            continue
        for days, suffix in windows(definition):
            yield _engagement(
                f"{kind}_{statistic}_{suffix}",
                statistic,
                group=group,
                unit=counted,
                direction=direction,
                subject=kind,
                days=days,
            )
    for statistic, counted, expected in (
        ("days_since_last", "days", fewer),
        ("intensity", unit, direction),
        ("trend", "a day", direction),
    ):
        yield _engagement(
            f"{kind}_{statistic}",
            statistic,
            group=group,
            unit=counted,
            direction=expected,
            subject=kind,
        )
