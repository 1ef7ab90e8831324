"""The catalog: what each feature is called, what it measures, and what it says of a lead."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from .definition import FeatureDefinition, FeatureKind, ProfileColumn
from .vocabulary import column_label, event_words, window_words

Family = Literal["fit", "engagement", "timing"]
Direction = Literal[-1, 0, 1]


@dataclass(frozen=True)
class Feature:
    """One feature, described for people and for the model.

    Attributes
    ----------
    name : str
        Column in the feature table: ``page_view_pricing_count_7d``.
    kind : {"numeric", "category"}
    family : {"fit", "engagement", "timing"}
        Who the lead is, what it does, or how long it has been one: a young lead that does
        nothing is not engaged, so its age counts towards neither floor.
    group : str
        Near-duplicates share it (counts of the same event over 7, 30 and 90 days) and are told as
        one reason.
    label : str
        Plain-language name: "Pricing page visits in the last 7 days".
    unit : str
        "visits", "days", "people", or empty.
    direction : {-1, 0, 1}
        Expected effect of more of it on conversion; 0 where nothing is expected.
    statistic : str
        ``count``, ``active_days``, ``days_since_last``, ``total``, ``age``, ``profile`` (the
        column's own value), ``seniority``, ``job_function``, ``email_kind`` (what is read from it).
    subject : str
        The event kind (empty: any), or the source column of a profile feature.
    lookback_days : int or None
        Window before ``as_of``; None for all time or where there is no window.
    """

    name: str
    kind: FeatureKind
    family: Family
    group: str
    label: str
    unit: str
    direction: Direction
    statistic: str
    subject: str
    lookback_days: int | None = None


# Columns of the feature table that are not features.
KEYS = ("lead_id", "account_id", "as_of", "label", "position")


def feature_catalog(definition: FeatureDefinition) -> tuple[Feature, ...]:
    """Describe each feature of a definition, in the order of the feature table's columns.

    Parameters
    ----------
    definition : FeatureDefinition

    Returns
    -------
    tuple of Feature
        Age, totals, then kinds of event, then profile; names are unique.
    """
    taken = {*KEYS, *(column.name for column in definition.profile)}
    features = []
    for feature in (*_age(definition), *_activity(definition), *_kinds(definition)):
        name = unique_name(feature.name, taken)
        taken.add(name)
        features.append(replace(feature, name=name))
    features += [_profile(column, definition.engagement) for column in definition.profile]
    return tuple(features)


def unique_name(name: str, taken: set[str]) -> str:
    """Return the name, numbered if it is already taken."""
    number, candidate = 2, name
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _age(definition: FeatureDefinition) -> Iterator[Feature]:
    if definition.has_age:
        yield Feature(
            name="lead_age_days",
            kind="numeric",
            family="timing",
            group="lead_age",
            label="Days since the lead was created",
            unit="days",
            direction=0,
            statistic="age",
            subject="created_at",
        )


def _windows(definition: FeatureDefinition) -> tuple[tuple[int | None, str], ...]:
    days = tuple((days, f"{days}d") for days in definition.lookback_days)
    return (*days, (None, "all"))


def _activity(definition: FeatureDefinition) -> Iterator[Feature]:
    if not definition.event_kinds:
        return
    for statistic, name, label, unit in (
        ("total", "activity_count", "Activities of any kind", "activities"),
        ("active_days", "active_days", "Days with any activity", "days"),
    ):
        for days, suffix in _windows(definition):
            yield Feature(
                name=f"{name}_{suffix}",
                kind="numeric",
                family="engagement",
                group="activity",
                label=f"{label} {window_words(days)}",
                unit=unit,
                direction=1,
                statistic=statistic,
                subject="",
                lookback_days=days,
            )
    yield Feature(
        name="activity_days_since_last",
        kind="numeric",
        family="engagement",
        group="activity",
        label="Days since the last activity of any kind",
        unit="days",
        direction=-1,
        statistic="days_since_last",
        subject="",
    )


def _kinds(definition: FeatureDefinition) -> Iterator[Feature]:
    for kind in definition.event_kinds:
        words = event_words(kind)
        more: Direction = words.direction
        fewer: Direction = 0 if more == 0 else (-1 if more == 1 else 1)
        for days, suffix in _windows(definition):
            yield Feature(
                name=f"{kind}_count_{suffix}",
                kind="numeric",
                family="engagement",
                group=f"event:{kind}",
                label=f"{words.label} {window_words(days)}",
                unit=words.unit,
                direction=more,
                statistic="count",
                subject=kind,
                lookback_days=days,
            )
        yield Feature(
            name=f"{kind}_days_since_last",
            kind="numeric",
            family="engagement",
            group=f"event:{kind}",
            label=f"Days since the last {words.act}",
            unit="days",
            direction=fewer,
            statistic="days_since_last",
            subject=kind,
        )


def _profile(column: ProfileColumn, engagement: tuple[str, ...]) -> Feature:
    return Feature(
        name=column.name,
        kind=column.kind,
        family="engagement" if column.column in engagement else "fit",
        group=f"profile:{column.name}",
        label=column_label(column.table, column.column, column.reading),
        unit="people" if column.column == "employees" else "",
        direction=0,
        statistic="profile" if column.reading == "value" else column.reading,
        subject=column.column,
    )
