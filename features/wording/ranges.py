"""Values of a feature under its name: "director", "3 to 5", "10 or more"."""

from leadlight.features.feature import Feature
from leadlight.features.sizes import EMPLOYEE_BANDS, REVENUE_BANDS, band_of

from .account import value_text
from .behaviour import behaviour_sentence
from .event_texts import event_text
from .profile import category_value, millions, profile_sentence
from .texts import Wording

_SHARES = frozenset({"form_completeness", "email_rate", "evening_share", "weekend_share"})
_BANDS = {"employees": EMPLOYEE_BANDS, "revenue": REVENUE_BANDS}
# Their numbers stand for something else, which only a sentence says.
_TOLD = frozenset({"email_role", "email_matches_company", "funnel_depth"})
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
        return _category(feature, value, wording)
    if feature.statistic in _TOLD:
        behaviour = behaviour_sentence(wording, feature, value, None)
        return behaviour or profile_sentence(wording, feature, value)
    if feature.statistic == "trend":
        return wording.say(f"range.{_TRENDS[value]}")
    if feature.statistic in _BANDS:
        low, beyond = band_of(value, _BANDS[feature.statistic])
        if beyond is not None and feature.statistic == "employees":
            beyond -= 1
        return _between(feature, low, beyond, wording)
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
    return _between(feature, low, high, wording)


def _between(feature: Feature, low: float, high: float | None, wording: Wording) -> str:
    ends = {"low": _figure(feature, low, wording)}
    if high is None:
        return wording.say("range.from", **ends)
    return wording.say("range.between", **ends, high=_figure(feature, high, wording))


def _figure(feature: Feature, number: float, wording: Wording) -> str:
    if feature.statistic == "revenue":
        return millions(wording, number)
    return wording.percent(number) if feature.statistic in _SHARES else wording.figure(number)


def _category(feature: Feature, text: str, wording: Wording) -> str:
    if feature.statistic in {"first_kind", "last_kind"}:
        return event_text(wording, text, "act")
    if feature.statistic == "account_top_seniority":
        return value_text(wording, "seniority", text)
    return category_value(wording, feature, text)
