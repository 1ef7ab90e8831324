"""The catalog's entries for the buying group and for the lead's earlier way through the funnel."""

from collections.abc import Iterator

from .definition import FeatureDefinition
from .feature import Direction, Family, Feature
from .vocabulary import window_words

ACCOUNT_WINDOWS = (30, 90)
"""Days in which another lead of the account counts as active."""


def account_features(definition: FeatureDefinition) -> Iterator[Feature]:
    """Yield the features of the other leads and the deals of the lead's account."""
    on = definition.account
    if "activity" in on:
        for days in ACCOUNT_WINDOWS:
            words = window_words(days)
            active = f"Other active people of the company {words}"
            yield _entry("account_active_leads", active, "people", days=days)
            events = f"Activities of other people of the company {words}"
            yield _entry("account_events", events, "activities", days=days)
    if "seniority" in on:
        yield _entry(
            "account_top_seniority",
            "Most senior other active person of the company",
            "",
            direction=0,
            category=True,
        )
    if "leads" in on:
        label = "People of the company who became leads earlier"
        yield _entry("account_earlier_leads", label, "people", family="fit", direction=0)
    if "deals" in on:
        wins, losses = "Deals won with the company before", "Deals lost with the company before"
        yield _entry("account_wins", wins, "deals", family="fit")
        yield _entry("account_losses", losses, "deals", family="fit", direction=-1)


def history_features(definition: FeatureDefinition) -> Iterator[Feature]:
    """Yield the features of what marketing and sales did with the lead before."""
    on = definition.history
    if "earlier_mqls" in on:
        yield _entry("earlier_mqls", "Times handed to sales before", "times", direction=0)
        rejections = "Times rejected by sales before"
        yield _entry("earlier_rejections", rejections, "times", family="fit", direction=-1)
    if "times_recycled" in on:
        label = "Deals lost with this lead before"
        yield _entry("times_recycled", label, "deals", family="fit", direction=-1)
    if "sales_touch" in on:
        label = "Days since the last contact with sales"
        yield _entry("days_since_sales_touch", label, "days", direction=-1)


def _entry(
    statistic: str,
    label: str,
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
        label=label,
        unit=unit,
        direction=direction,
        statistic=statistic,
        subject="",
        lookback_days=days,
    )
