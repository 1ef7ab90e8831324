"""Sentences on what a lead did."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .feature import Feature
from .spoken_numbers import ago, as_number, counted, figure, percent, times
from .vocabulary import event_words, window_words

_DEPTHS = (
    "Has not looked at content, products or prices",
    "Got as far as content",
    "Got as far as the product pages",
    "Got as far as the prices",
    "Raised a hand: asked for a demo, a trial, a price or sales",
)
_RATES = {
    "open": "Opens about {share} of e-mails",
    "click": "Clicks in about {share} of e-mails",
    "unsubscribe": "Unsubscribes from about {share} of e-mails",
}


def behaviour_sentence(feature: Feature, value: object) -> str | None:
    """Say what a value of a feature of behaviour means; None for any other feature."""
    if feature.statistic in {"first_kind", "last_kind"}:
        return _kind_of_activity(feature, value)
    number = as_number(value)
    if feature.statistic in _COUNTED:
        window = window_words(feature.lookback_days)
        return _COUNTED[feature.statistic](feature, number or 0.0, window)
    if feature.statistic in _MEASURED:
        return _MEASURED[feature.statistic](feature, number)
    return None


def _count(feature: Feature, number: float, window: str) -> str:
    words = event_words(feature.subject)
    if number == 0:
        return words.never if feature.lookback_days is None else f"{words.none} {window}"
    told = words.one if number == 1 else words.many.replace("{n}", figure(number))
    return f"{told} {window}"


def _active_days(feature: Feature, number: float, window: str) -> str:
    if feature.subject:
        if number == 0:
            return _count(feature, number, window)
        return f"{event_words(feature.subject).label} on {counted(number, 'day', 'days')} {window}"
    if number == 0:
        return f"No active days {window}"
    return f"Active on {counted(number, 'day', 'days')} {window}"


def _details(feature: Feature, number: float, window: str) -> str:
    if feature.subject:
        if number == 0:
            return _count(feature, number, window)
        return f"{event_words(feature.subject).label}: {figure(number)} different {window}"
    if number == 0:
        return f"No page, asset or campaign looked at {window}"
    seen = counted(number, "page, asset or campaign", "different pages, assets and campaigns")
    return f"Looked at {seen} {window}"


def _value(feature: Feature, number: float, window: str) -> str:
    what = event_words(feature.subject).label if feature.subject else "All activities"
    return f"{what}: value of {figure(number)} {window}"


def _intensity(feature: Feature, number: float, _: str) -> str:
    what = event_words(feature.subject).label if feature.subject else "Activities of any kind"
    if number < 0.01:
        return f"{what}: none of late" if number else _never(feature)
    return f"{what}, the recent ones counting most: {figure(number)}"


def _never(feature: Feature) -> str:
    return event_words(feature.subject).never if feature.subject else "Never active"


def _trend(feature: Feature, number: float, _: str) -> str:
    what = event_words(feature.subject).label if feature.subject else "Activities of any kind"
    if number == 0:
        return f"{what}: as many in the last week as in the weeks before"
    more = "more" if number > 0 else "fewer"
    return f"{what}: {more} in the last week than in the three weeks before"


def _since(feature: Feature, days: float | None) -> str:
    if days is None:
        return _never(feature)
    return f"Last {event_words(feature.subject).act if feature.subject else 'active'} {ago(days)}"


def _kind_of_activity(feature: Feature, value: object) -> str:
    if not isinstance(value, str):
        return "Never active"
    act = "of a rarer kind" if value == "other" else event_words(value).act
    return f"{feature.label}: {act}"


def _total(_: Feature, number: float, window: str) -> str:
    if number == 0:
        return f"No activity {window}"
    return f"{counted(number, 'activity', 'activities').capitalize()} {window}"


def _sessions(_: Feature, number: float, window: str) -> str:
    if number == 0:
        return f"No visits to the website {window}"
    return f"Visited the website {times(number)} {window}"


def _depth(_: Feature, number: float, window: str) -> str:
    return f"{_DEPTHS[min(int(number), len(_DEPTHS) - 1)]} {window}"


def _rate(feature: Feature, number: float, _: str) -> str:
    return _RATES[feature.subject].format(share=percent(number))


def _age(_: Feature, days: float | None) -> str:
    return "Age of the lead unknown" if days is None else f"Became a lead {ago(days)}"


def _longest_gap(_: Feature, days: float | None) -> str:
    if days is None:
        return "Fewer than two activities so far"
    long = "less than a day" if days < 1 else counted(int(days), "day", "days")
    return f"Longest pause between two activities: {long}"


def _after_hours(feature: Feature, share: float | None) -> str:
    if share is None:
        return "Never active"
    when = "in the evening or at night" if feature.statistic == "evening_share" else (
        "at the weekend"
    )  # fmt: skip
    return f"{percent(share).capitalize() if share else 'None'} of the activity {when}"


def _views(_: Feature, number: float | None) -> str:
    if number is None:
        return "Never visited the website"
    return f"Viewed {counted(number, 'page', 'pages')} in each visit to the website"


# Nothing known means none of it.
_COUNTED: Mapping[str, Callable[[Feature, float, str], str]] = MappingProxyType(
    {
        "count": _count,
        "total": _total,
        "active_days": _active_days,
        "details": _details,
        "value": _value,
        "intensity": _intensity,
        "trend": _trend,
        "funnel_depth": _depth,
        "sessions": _sessions,
        "email_rate": _rate,
    }
)
# Nothing known means that it never happened.
_MEASURED: Mapping[str, Callable[[Feature, float | None], str]] = MappingProxyType(
    {
        "days_since_last": _since,
        "age": _age,
        "longest_gap": _longest_gap,
        "evening_share": _after_hours,
        "weekend_share": _after_hours,
        "views_per_session": _views,
    }
)
