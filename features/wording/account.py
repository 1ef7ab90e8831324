"""Sentences on the buying group and on the lead's earlier way through the funnel."""

from datetime import datetime

from leadlight.features.feature import Feature
from leadlight.features.vocabulary import spaced

from .event_texts import window_text
from .spoken_numbers import ago, as_number
from .texts import Wording

_GROUP = {
    "account_active_leads": "active_leads",
    "account_events": "events",
    "account_earlier_leads": "earlier_leads",
    "account_wins": "wins",
    "account_losses": "losses",
    "earlier_mqls": "earlier_mqls",
    "earlier_rejections": "earlier_rejections",
    "times_recycled": "times_recycled",
}


def account_sentence(
    wording: Wording, feature: Feature, value: object, as_of: datetime | None
) -> str | None:
    """Say what a value of these features means; None for any other feature."""
    if feature.statistic == "account_top_seniority":
        if not isinstance(value, str):
            return wording.say("account.top_seniority_none")
        return wording.say("account.top_seniority", value=value_text(wording, "seniority", value))
    number = as_number(value)
    if feature.statistic == "days_since_sales_touch":
        if number is None:
            return wording.say("account.sales_touch_never")
        return wording.say("account.sales_touch", ago=ago(wording, number, as_of))
    if feature.statistic not in _GROUP:
        return None
    window = window_text(wording, feature.lookback_days)
    return wording.say(f"account.{_GROUP[feature.statistic]}", number or 0.0, window=window)


def value_text(wording: Wording, reading: str, value: str) -> str:
    """Return a value that leadlight itself reads out of a column, in the wording's language."""
    name = f"value.{reading}.{value}"
    return wording.say(name) if wording.has(name) else spaced(value)
