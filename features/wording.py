"""A feature and its value as a sentence that a salesperson reads."""

from collections.abc import Callable

from .account_wording import account_sentence
from .behaviour_wording import behaviour_sentence
from .feature import Feature
from .sizes import EMPLOYEE_BANDS, REVENUE_BANDS, band_of
from .spoken_numbers import as_number, figure, percent
from .vocabulary import spaced, vocabulary


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
    for told in (behaviour_sentence(feature, value), account_sentence(feature, value)):
        if told is not None:
            return told
    return _profile(feature, value)


def _profile(feature: Feature, value: object) -> str:
    number = as_number(value)
    if number is not None and feature.statistic in _TOLD:
        return _TOLD[feature.statistic](number)
    text = None if isinstance(value, float) or value is None else str(value).strip()
    if number is None and (not text or text == "<NA>"):
        return _missing(feature)
    if feature.kind == "category" or number is None:
        return _category(feature, text or figure(number or 0.0))
    if feature.unit == "people":
        return f"Company with {'one employee' if number == 1 else f'{figure(number)} employees'}"
    return f"{feature.label}: {figure(number)}"


def _employees(least: float) -> str:
    low, beyond = band_of(least, EMPLOYEE_BANDS)
    if beyond is None:
        return f"Company with more than {figure(low - 1)} employees"
    return f"Company with {figure(low)} to {figure(beyond - 1)} employees"


def _revenue(least: float) -> str:
    low, beyond = band_of(least, REVENUE_BANDS)
    if beyond is None:
        return f"Company with a yearly revenue of {_millions(low)} or more"
    if not low:
        return f"Company with a yearly revenue below {_millions(beyond)}"
    return f"Company with a yearly revenue of {_millions(low)} to {_millions(beyond)}"


def _millions(amount: int) -> str:
    if amount >= 1_000_000_000:
        return f"{amount // 1_000_000_000} billion"
    return f"{amount // 1_000_000} million"


def _role(number: float) -> str:
    return "E-mail address of a role (info@, sales@)" if number else "E-mail address of a person"


def _matches(number: float) -> str:
    if number:
        return "E-mail address of the company’s own domain"
    return "E-mail address of another domain than the company’s"


def _form(share: float) -> str:
    return f"Filled in {percent(share)} of the form"


_TOLD: dict[str, Callable[[float], str]] = {
    "employees": _employees,
    "revenue": _revenue,
    "email_role": _role,
    "email_matches_company": _matches,
    "form_completeness": _form,
}


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
