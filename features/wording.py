"""A feature and its value as a sentence that a salesperson reads."""

from .account_wording import account_sentence
from .behaviour_wording import behaviour_sentence
from .feature import Feature
from .spoken_numbers import as_number, figure
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
    text = None if isinstance(value, float) or value is None else str(value).strip()
    if number is None and (not text or text == "<NA>"):
        return _missing(feature)
    if feature.kind == "category" or number is None:
        return _category(feature, text or figure(number or 0.0))
    if feature.unit == "people":
        return f"Company with {'one employee' if number == 1 else f'{figure(number)} employees'}"
    return f"{feature.label}: {figure(number)}"


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
