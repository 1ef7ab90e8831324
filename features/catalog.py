"""The catalog: what each feature is called, what it measures, and what it says of a lead."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from .account_catalog import account_features, history_features
from .behaviour_catalog import behaviour_features
from .definition import FeatureDefinition, ProfileColumn, Reading
from .feature import Direction, Feature
from .wording import ENGLISH, Wording, label

__all__ = ["KEYS", "Feature", "feature_catalog", "labelled", "unique_name"]

# Columns of the feature table that are not features.
KEYS = ("lead_id", "account_id", "as_of", "label", "position")


@lru_cache(maxsize=16)
def feature_catalog(definition: FeatureDefinition) -> tuple[Feature, ...]:
    """Describe each feature of a definition, in the order of the feature table's columns.

    Parameters
    ----------
    definition : FeatureDefinition

    Returns
    -------
    tuple of Feature
        Age, behaviour, buying group, earlier history, then profile; names are unique.
    """
    taken = {*KEYS, "form_completeness", *(column.name for column in definition.profile)}
    features = []
    for feature in (
        *_age(definition),
        *behaviour_features(definition),
        *account_features(definition),
        *history_features(definition),
    ):
        name = unique_name(feature.name, taken)
        taken.add(name)
        features.append(replace(feature, name=name))
    features += _form(definition)
    features += [_profile(column, definition.engagement) for column in definition.profile]
    return labelled(features, ENGLISH)


def labelled(features: Sequence[Feature], wording: Wording) -> tuple[Feature, ...]:
    """Return features with their labels in a language, and in the user's own names."""
    return tuple(replace(feature, label=label(feature, wording)) for feature in features)


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
            label="",
            unit="days",
            direction=0,
            statistic="age",
            subject="created_at",
        )


def _form(definition: FeatureDefinition) -> Iterator[Feature]:
    if definition.form:
        yield Feature(
            name="form_completeness",
            kind="numeric",
            family="fit",
            group="profile:form",
            label="",
            unit="share",
            direction=1,
            statistic="form_completeness",
            subject="",
        )


_DIRECTIONS: dict[Reading, Direction] = {
    "email_role": -1,
    "email_matches_company": 1,
}


def _profile(column: ProfileColumn, engagement: tuple[str, ...]) -> Feature:
    return Feature(
        name=column.name,
        kind=column.kind,
        family="engagement" if column.column in engagement else "fit",
        group=f"profile:{column.name}",
        label="",
        unit="people" if column.column == "employees" else "",
        direction=_DIRECTIONS.get(column.reading, 0),
        statistic="profile" if column.reading == "value" else column.reading,
        subject=column.column,
        table=column.table,
    )
