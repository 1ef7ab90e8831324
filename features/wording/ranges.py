"""Values of a feature under its name: "director", "3 to 5", "10 or more"."""

from leadlight.features.feature import Feature

from .profile import category_value, profile_sentence
from .texts import Wording

_SHARES = frozenset({"form_completeness", "email_rate", "evening_share", "weekend_share"})
# Their numbers stand for something else: a band of sizes, yes or no, a direction.
_TOLD_WHOLE = frozenset({"employees", "revenue", "email_role", "email_matches_company"})
_TRENDS = {-1.0: "fewer", 0.0: "same", 1.0: "more"}


def value_words(feature: Feature, value: float | str, wording: Wording) -> str:
    """Say one value of a feature whose name stands beside it.

    Parameters
    ----------
    feature : Feature
    value : number or str
        Not missing; a number as ``as_spoken`` rounds it.
    wording : Wording
    """
    if isinstance(value, str):
        return category_value(wording, feature, value)
    if feature.statistic in _TOLD_WHOLE:
        return profile_sentence(wording, feature, value)
    if feature.statistic == "trend":
        return wording.say(f"range.{_TRENDS[value]}")
    return _figure(feature, value, wording)


def range_words(feature: Feature, low: float, high: float | None, wording: Wording) -> str:
    """Say which values of a number lie together: from the lowest to the highest that is seen.

    Parameters
    ----------
    feature : Feature
    low : float
    high : float or None
        None for all from ``low`` on.
    wording : Wording
    """
    if high == low:
        return value_words(feature, low, wording)
    ends = {"low": _figure(feature, low, wording)}
    if high is None:
        return wording.say("range.from", **ends)
    return wording.say("range.between", **ends, high=_figure(feature, high, wording))


def _figure(feature: Feature, number: float, wording: Wording) -> str:
    return wording.percent(number) if feature.statistic in _SHARES else wording.figure(number)
