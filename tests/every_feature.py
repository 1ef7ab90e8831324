"""A definition of every family of features, for random worlds, and the same for the oracles."""

from feature_loops import Choices

from leadlight.features.definition import FeatureDefinition
from leadlight.features.taxonomy import DEFAULT_PAGE_RULES

# Downloads and views of the product pages have no features of their own: they are "other".
KINDS = (
    *("call", "demo_request", "email_click", "email_open", "email_send", "page_view"),
    *("page_view_blog", "page_view_other", "page_view_pricing", "unsubscribe"),
)
CHOICES = Choices(
    kinds=KINDS,
    lookbacks=(3, 7, 30),
    half_life=10.0,
    timezone="Europe/Berlin",
    active_days_of=("email_click", "page_view_pricing"),
    details_of=("", "page_view_blog", "page_view_pricing"),
    values_of=("", "email_open", "page_view_other"),
    email_rates={"open": 0.25, "click": 0.05, "unsubscribe": 0.01},
)
DEFINITION = FeatureDefinition(
    lookback_days=CHOICES.lookbacks,
    event_kinds=KINDS,
    page_rules=DEFAULT_PAGE_RULES,
    active_days_of=CHOICES.active_days_of,
    details_of=CHOICES.details_of,
    values_of=CHOICES.values_of,
    half_life_days=CHOICES.half_life,
    timezone=CHOICES.timezone,
    email_rates=tuple(CHOICES.email_rates.items()),
    account=("activity", "seniority", "leads", "deals"),
    history=("earlier_mqls", "times_recycled", "sales_touch"),
)
