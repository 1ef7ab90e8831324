"""A feature and its value as a sentence that a salesperson reads."""

import math
from typing import SupportsFloat

from .catalog import Feature
from .vocabulary import event_words, spaced, vocabulary, window_words


def sentence(feature: Feature, value: object) -> str:
    """Say what a value of a feature means, in plain words.

    Parameters
    ----------
    feature : Feature
    value : number, str or missing (None, NaN)

    Returns
    -------
    str
        "Visited the pricing page 4 times in the last 7 days", without a full stop; never the raw
        name of a column. Text of the data (an industry, a source) comes through unescaped.
    """
    match feature.statistic:
        case "count":
            return _count(feature, _number(value) or 0.0)
        case "total":
            return _total(feature, _number(value) or 0.0)
        case "active_days":
            return _active_days(feature, _number(value) or 0.0)
        case "days_since_last":
            return _since(feature, _number(value))
        case "age":
            return _age(_number(value))
        case _:
            return _profile(feature, value)


def _number(value: object) -> float | None:
    """Return the value as a float; None if it is missing."""
    if value is None or not isinstance(value, SupportsFloat):
        return None
    number = float(value)
    return None if math.isnan(number) else number


def _figure(number: float) -> str:
    """Whole numbers whole, others to three significant digits; thousands apart."""
    if number == round(number) and abs(number) < 1e15:
        return f"{number:,.0f}"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def _count(feature: Feature, count: float) -> str:
    words, window = event_words(feature.subject), window_words(feature.lookback_days)
    if count == 0:
        return words.never if feature.lookback_days is None else f"{words.none} {window}"
    told = words.one if count == 1 else words.many.replace("{n}", _figure(count))
    return f"{told} {window}"


def _total(feature: Feature, count: float) -> str:
    window = window_words(feature.lookback_days)
    if count == 0:
        return f"No activity {window}"
    return f"{'One activity' if count == 1 else f'{_figure(count)} activities'} {window}"


def _active_days(feature: Feature, days: float) -> str:
    window = window_words(feature.lookback_days)
    if days == 0:
        return f"No active days {window}"
    return f"Active on {'one day' if days == 1 else f'{_figure(days)} days'} {window}"


def _since(feature: Feature, days: float | None) -> str:
    if not feature.subject:
        return "Never active" if days is None else f"Last active {_ago(days)}"
    words = event_words(feature.subject)
    return words.never if days is None else f"Last {words.act} {_ago(days)}"


def _age(days: float | None) -> str:
    return "Age of the lead unknown" if days is None else f"Became a lead {_ago(days)}"


def _ago(days: float) -> str:
    """Whole days, rounded down: what happened 47 hours ago was a day ago."""
    whole = math.floor(days)
    if whole <= 0:
        return "less than a day ago"
    return "a day ago" if whole == 1 else f"{whole:,} days ago"


def _profile(feature: Feature, value: object) -> str:
    number = _number(value)
    text = None if isinstance(value, float) or value is None else str(value).strip()
    if number is None and (not text or text == "<NA>"):
        return _missing(feature)
    if feature.kind == "category" or number is None:
        return _category(feature, text or _figure(number or 0.0))
    if feature.unit == "people":
        return f"Company with {'one employee' if number == 1 else f'{_figure(number)} employees'}"
    return f"{feature.label}: {_figure(number)}"


def _missing(feature: Feature) -> str:
    if feature.statistic == "email_kind":
        return "E-mail address unknown"
    short = len(feature.label.split()) <= 3
    return f"{feature.label} unknown" if short else f"{feature.label}: unknown"


def _category(feature: Feature, text: str) -> str:
    readable = spaced(text) if "_" in text else text
    if "_" in text and text.isupper():  # a CRM's own constant: DIRECT_TRAFFIC
        readable = readable.capitalize()
    if feature.statistic == "email_kind":
        return str(vocabulary()["email_kinds"].get(text, f"{feature.label}: {readable}"))
    if feature.statistic == "job_function":
        return f"Works in {readable}"
    return f"{feature.label}: {readable}"
