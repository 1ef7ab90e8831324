"""The catalog's entries for the buying group and for the lead's earlier way through the funnel."""

from collections.abc import Iterator

from .definition import FeatureDefinition
from .feature import Direction, Family, Feature

ACCOUNT_WINDOWS = (30, 90)
"""Days in which another lead of the account counts as active."""


def account_features(definition: FeatureDefinition) -> Iterator[Feature]:
    """Yield the features of the other leads and the deals of the lead's account."""
    on = definition.account
    if "activity" in on:
        for days in ACCOUNT_WINDOWS:
            yield _entry("account_active_leads", "people", days=days)
            yield _entry("account_events", "activities", days=days)
    if "seniority" in on:
        yield _entry("account_top_seniority", "", direction=0, category=True)
    if "leads" in on:
        yield _entry("account_earlier_leads", "people", family="fit", direction=0)
    if "deals" in on:
        yield _entry("account_wins", "deals", family="fit")
        yield _entry("account_losses", "deals", family="fit", direction=-1)


def history_features(definition: FeatureDefinition) -> Iterator[Feature]:
    """Yield the features of what marketing and sales did with the lead before."""
    on = definition.history
    if "earlier_mqls" in on:
        yield _entry("earlier_mqls", "times", direction=0)
        yield _entry("earlier_rejections", "times", family="fit", direction=-1)
    if "times_recycled" in on:
        yield _entry("times_recycled", "deals", family="fit", direction=-1)
    if "sales_touch" in on:
        yield _entry("days_since_sales_touch", "days", direction=-1)


def _entry(
    statistic: str,
    unit: str,
    *,
    family: Family = "engagement",
    direction: Direction = 1,
    days: int | None = None,
    category: bool = False,
) -> Feature:
    return Feature(
        name=statistic if days is None else f"{statistic}_{days}d",
        kind="category" if category else "numeric",
        family=family,
        group=statistic,
        label="",
        unit=unit,
        direction=direction,
        statistic=statistic,
        subject="",
        lookback_days=days,
    )
