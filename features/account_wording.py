"""Sentences on the buying group and on the lead's earlier way through the funnel."""

from .feature import Feature
from .spoken_numbers import ago, as_number, counted, times
from .vocabulary import window_words


def account_sentence(feature: Feature, value: object) -> str | None:
    """Say what a value of these features means; None for any other feature."""
    if feature.statistic == "account_top_seniority":
        if not isinstance(value, str):
            return "No other active person of the company with a known title"
        return f"Most senior other active person of the company: {value}"
    number = as_number(value)
    if feature.statistic == "days_since_sales_touch":
        return (
            "Never in contact with sales"
            if number is None
            else f"Last contact with sales {ago(number)}"
        )
    return _group(feature, number or 0.0) or _history(feature, number or 0.0)


def _group(feature: Feature, number: float) -> str | None:
    window = window_words(feature.lookback_days)
    if feature.statistic == "account_active_leads":
        if number == 0:
            return f"No other person of the company was active {window}"
        others = counted(number, "other person", "other people").capitalize()
        return f"{others} of the company {'was' if number == 1 else 'were'} active {window}"
    if feature.statistic == "account_events":
        events = counted(number, "activity", "activities") if number else "no activities"
        return f"Other people of the company: {events} {window}"
    if feature.statistic == "account_earlier_leads":
        if number == 0:
            return "First lead of the company"
        people = counted(number, "person", "people").capitalize()
        return f"{people} of the company became {'a lead' if number == 1 else 'leads'} earlier"
    return None


def _history(feature: Feature, number: float) -> str | None:
    deals = counted(number, "deal", "deals").capitalize() if number else "No deal"
    often = times(number) if number else "never"
    return {
        "account_wins": f"{deals} won with the company before",
        "account_losses": f"{deals} lost with the company before",
        "earlier_mqls": f"Handed to sales before: {often}",
        "earlier_rejections": f"Rejected by sales before: {often}",
        "times_recycled": f"{deals} lost with this lead before",
    }.get(feature.statistic)
