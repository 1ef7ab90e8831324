"""Sentences on what a lead did."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from leadlight.features.feature import Feature

from .event_texts import event_text, window_text
from .spoken_numbers import ago, as_number, day_before
from .texts import Wording, sentence_case

_DEEPEST = 4
_LONG_IDLE_DAYS = 14
"""From here on the pause says more than the last activity before it."""


def behaviour_sentence(
    wording: Wording, feature: Feature, value: object, as_of: datetime | None
) -> str | None:
    """Say what a value of a feature of behaviour means; None for any other feature."""
    if feature.statistic in {"first_kind", "last_kind"}:
        return _kind_of_activity(wording, feature, value)
    number = as_number(value)
    if feature.statistic in _COUNTED:
        return _COUNTED[feature.statistic](wording, feature, number or 0.0)
    if feature.statistic in _MEASURED:
        return _MEASURED[feature.statistic](wording, feature, number)
    if feature.statistic in _TIMED:
        return _TIMED[feature.statistic](wording, feature, number, as_of)
    return None


def _window(wording: Wording, feature: Feature) -> str:
    return window_text(wording, feature.lookback_days)


def _label(wording: Wording, feature: Feature) -> str:
    if not feature.subject:
        return wording.say("behaviour.any")
    return event_text(wording, feature.subject, "label")


def _count(wording: Wording, feature: Feature, number: float) -> str:
    window = _window(wording, feature)
    if number == 0 and feature.lookback_days is None:
        return event_text(wording, feature.subject, "never")
    if number == 0:
        return event_text(wording, feature.subject, "none", window=window)
    return event_text(wording, feature.subject, "count", number, window=window)


def _any_or_of(name: str) -> Callable[[Wording, Feature, float], str]:
    """Return how to tell what is counted of any kind of event, or of one kind."""

    def told(wording: Wording, feature: Feature, number: float) -> str:
        window = _window(wording, feature)
        if not feature.subject:
            return wording.say(f"behaviour.{name}", number, window=window)
        if number == 0:
            return _count(wording, feature, number)
        label = _label(wording, feature)
        return wording.say(f"behaviour.{name}_of", number, label=label, window=window)

    return told


def _value(wording: Wording, feature: Feature, number: float) -> str:
    told = {"value": wording.figure(number), "window": _window(wording, feature)}
    if not feature.subject:
        return wording.say("behaviour.value", **told)
    return wording.say("behaviour.value_of", label=_label(wording, feature), **told)


def _never(wording: Wording, feature: Feature) -> str:
    if not feature.subject:
        return wording.say("behaviour.never")
    return event_text(wording, feature.subject, "never")


def _intensity(wording: Wording, feature: Feature, number: float) -> str:
    if number == 0:
        return _never(wording, feature)
    label = _label(wording, feature)
    if number < 0.01:
        return wording.say("behaviour.faded", label=label)
    return wording.say("behaviour.intensity", label=label, value=wording.figure(number))


def _trend(wording: Wording, feature: Feature, number: float) -> str:
    name = "same" if number == 0 else "more" if number > 0 else "fewer"
    return wording.say(f"behaviour.{name}", label=_label(wording, feature))


def _since(wording: Wording, feature: Feature, days: float | None, as_of: datetime | None) -> str:
    if days is None:
        return _never(wording, feature)
    if feature.subject:
        last = event_text(wording, feature.subject, "last")
        told = wording.say("behaviour.since", last=last, ago=ago(wording, days, as_of))
        return sentence_case(told)
    if days < _LONG_IDLE_DAYS:
        return wording.say("behaviour.since_any", ago=ago(wording, days, as_of))
    if as_of is None:
        return wording.say("behaviour.idle", math.floor(days))
    since = day_before(wording, days, as_of)
    return wording.say("behaviour.idle_dated", math.floor(days), date=since)


def _age(wording: Wording, _: Feature, days: float | None, as_of: datetime | None) -> str:
    if days is None:
        return wording.say("behaviour.age_unknown")
    return wording.say("behaviour.age", ago=ago(wording, days, as_of))


def _kind_of_activity(wording: Wording, feature: Feature, value: object) -> str:
    if not isinstance(value, str):
        return wording.say("behaviour.never")
    rare = value == "other"
    act = wording.say("behaviour.rare_act") if rare else event_text(wording, value, "act")
    return wording.say(f"behaviour.{feature.statistic}", act=act)


def _total(wording: Wording, feature: Feature, number: float) -> str:
    return wording.say("behaviour.total", number, window=_window(wording, feature))


def _sessions(wording: Wording, feature: Feature, number: float) -> str:
    return wording.say("behaviour.sessions", number, window=_window(wording, feature))


def _depth(wording: Wording, feature: Feature, number: float) -> str:
    deep = int(min(max(number, 0.0), _DEEPEST))
    return wording.say(f"behaviour.depth.{deep}", window=_window(wording, feature))


def _rate(wording: Wording, feature: Feature, number: float) -> str:
    return wording.say(f"behaviour.rate.{feature.subject}", share=wording.percent(number))


def _longest_gap(wording: Wording, _: Feature, days: float | None) -> str:
    if days is None:
        return wording.say("behaviour.longest_gap_unknown")
    return wording.say("behaviour.longest_gap", math.floor(days))


def _after_hours(wording: Wording, feature: Feature, share: float | None) -> str:
    if share is None:
        return wording.say("behaviour.never")
    if share == 0:
        return wording.say(f"behaviour.{feature.statistic}_none")
    told = wording.say(f"behaviour.{feature.statistic}", share=wording.percent(share))
    return sentence_case(told)


def _views(wording: Wording, _: Feature, number: float | None) -> str:
    if number is None:
        return wording.say("behaviour.views_never")
    return wording.say("behaviour.views", number)


# Nothing known means none of it.
_COUNTED: Mapping[str, Callable[[Wording, Feature, float], str]] = MappingProxyType(
    {
        "count": _count,
        "total": _total,
        "active_days": _any_or_of("active_days"),
        "details": _any_or_of("details"),
        "value": _value,
        "intensity": _intensity,
        "trend": _trend,
        "funnel_depth": _depth,
        "sessions": _sessions,
        "email_rate": _rate,
    }
)
# Nothing known means that it never happened.
_MEASURED: Mapping[str, Callable[[Wording, Feature, float | None], str]] = MappingProxyType(
    {
        "longest_gap": _longest_gap,
        "evening_share": _after_hours,
        "weekend_share": _after_hours,
        "views_per_session": _views,
    }
)
_TIMED: Mapping[str, Callable[[Wording, Feature, float | None, datetime | None], str]] = (
    MappingProxyType({"days_since_last": _since, "age": _age})
)
