"""Sentences on who a lead is, and its company."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from babel.numbers import format_compact_decimal

from leadlight.features.feature import Feature
from leadlight.features.places import country_code
from leadlight.features.sizes import EMPLOYEE_BANDS, REVENUE_BANDS, band_of
from leadlight.features.vocabulary import spaced

from .account import value_text
from .labels import label
from .spoken_numbers import as_number
from .texts import Wording, sentence_case

_READ_VALUES = {"seniority": "seniority", "region": "region", "job_function": "function"}
_SHORT_WORDS = 3


def profile_sentence(wording: Wording, feature: Feature, value: object) -> str:
    """Say what a value of a profile column means, or of what is read from it."""
    number = as_number(value)
    if number is not None and feature.statistic in _TOLD:
        return _TOLD[feature.statistic](wording, number)
    text = None if isinstance(value, float) or value is None else str(value).strip()
    if number is None and (not text or text == "<NA>"):
        return _missing(wording, feature)
    if feature.kind == "category" or number is None:
        return _category(wording, feature, text or wording.figure(number or 0.0))
    if feature.unit == "people":
        return wording.say("profile.people", number)
    return wording.say("profile.value", label=label(feature, wording), value=wording.figure(number))


def who_sentence(
    wording: Wording, *, seniority: object, job_function: object, employees: object
) -> str | None:
    """Say in one line who a lead is: "Director in finance at a company of 51 to 200 people".

    Parameters
    ----------
    seniority, job_function : object
        As read from the title; missing where it is unknown.
    employees : object
        Least number of people in the company's band; missing where it is unknown.

    Returns
    -------
    str or None
        None where the title says nothing.
    """
    senior = value_text(wording, "seniority", seniority) if isinstance(seniority, str) else None
    function = (
        value_text(wording, "function", job_function) if isinstance(job_function, str) else None
    )
    if senior and function:
        who = wording.say("profile.who", seniority=senior, function=function)
    elif function:
        who = wording.say("profile.function_only", function=function)
    elif senior:
        who = senior
    else:
        return None
    who, least = sentence_case(who), as_number(employees)
    if least is None or least not in EMPLOYEE_BANDS:
        return who
    low, beyond = band_of(least, EMPLOYEE_BANDS)
    if beyond is None:
        return wording.say("profile.at_above", who=who, low=wording.figure(low - 1))
    ends = {"low": wording.figure(low), "high": wording.figure(beyond - 1)}
    return wording.say("profile.at_between", who=who, **ends)


def _employees(wording: Wording, least: float) -> str:
    low, beyond = band_of(least, EMPLOYEE_BANDS)
    if beyond is None:
        return wording.say("profile.people_above", low=wording.figure(low - 1))
    ends = {"low": wording.figure(low), "high": wording.figure(beyond - 1)}
    return wording.say("profile.people_between", **ends)


def _revenue(wording: Wording, least: float) -> str:
    low, beyond = band_of(least, REVENUE_BANDS)
    if beyond is None:
        return wording.say("profile.revenue_above", low=millions(wording, low))
    if not low:
        return wording.say("profile.revenue_below", high=millions(wording, beyond))
    ends = {"low": millions(wording, low), "high": millions(wording, beyond)}
    return wording.say("profile.revenue_between", **ends)


def millions(wording: Wording, amount: float) -> str:
    """Write a sum of money in short: "10 million"."""
    return str(format_compact_decimal(amount, format_type="long", locale=wording.locale))


def _role(wording: Wording, number: float) -> str:
    return wording.say("profile.role_address" if number else "profile.person_address")


def _matches(wording: Wording, number: float) -> str:
    return wording.say("profile.same_domain" if number else "profile.other_domain")


def _form(wording: Wording, share: float) -> str:
    return wording.say("profile.form", share=wording.percent(share))


_TOLD: Mapping[str, Callable[[Wording, float], str]] = MappingProxyType(
    {
        "employees": _employees,
        "revenue": _revenue,
        "email_role": _role,
        "email_matches_company": _matches,
        "form_completeness": _form,
    }
)


def _missing(wording: Wording, feature: Feature) -> str:
    if feature.statistic == "email_kind":
        return wording.say("profile.email_unknown")
    told = label(feature, wording)
    name = "unknown" if len(told.split()) <= _SHORT_WORDS else "unknown_long"
    return wording.say(f"profile.{name}", label=told)


def _category(wording: Wording, feature: Feature, text: str) -> str:
    value = category_value(wording, feature, text)
    if feature.statistic == "email_kind" and wording.has(f"value.email_kind.{text}"):
        return value
    if feature.statistic == "job_function":
        return wording.say("profile.works_in", value=value)
    return wording.say("profile.value", label=label(feature, wording), value=value)


def category_value(wording: Wording, feature: Feature, text: str) -> str:
    """Say the value of a category alone: "director", "Direct traffic", "Germany"."""
    if feature.statistic == "email_kind" and wording.has(f"value.email_kind.{text}"):
        return wording.say(f"value.email_kind.{text}")
    if feature.statistic in _READ_VALUES:
        return value_text(wording, _READ_VALUES[feature.statistic], text)
    readable = spaced(text) if "_" in text else text
    if "_" in text and text.isupper():  # a CRM's own constant: DIRECT_TRAFFIC
        readable = readable.capitalize()
    return _country(wording, text, readable) if feature.statistic == "country" else readable


def _country(wording: Wording, name: str, otherwise: str) -> str:
    # The reading gives names in English.
    code = None if wording.language == "en" else country_code(name)
    return otherwise if code is None else str(wording.locale.territories[code])
