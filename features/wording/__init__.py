"""A feature and its value as a sentence that a salesperson reads, in the languages of the catalog.

All texts are data: one file for each language (``en.json``), with plural forms as the Unicode CLDR
has them.
"""

from datetime import datetime

from leadlight.features.feature import Feature

from .account import account_sentence
from .behaviour import behaviour_sentence
from .labels import column_label, label
from .profile import profile_sentence, who_sentence
from .ranges import range_words, value_words
from .spoken_numbers import as_spoken
from .texts import LANGUAGES, Language, Wording

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "Language",
    "Wording",
    "as_spoken",
    "column_label",
    "label",
    "range_words",
    "sentence",
    "value_words",
    "who_sentence",
]

ENGLISH = Wording()


def sentence(
    feature: Feature, value: object, wording: Wording = ENGLISH, as_of: datetime | None = None
) -> str:
    """Say what a value of a feature means, in plain words.

    Parameters
    ----------
    feature : Feature
    value : number, str or missing (None, NaN)
    wording : Wording
    as_of : datetime, optional
        Aware; where it is given, "3 days ago" comes with the day.

    Returns
    -------
    str
        "Visited the pricing page 4 times in the last 7 days", without a full stop; never the raw
        name of a column. Text of the data (an industry, a source) comes through unescaped.
    """
    for told in (
        behaviour_sentence(wording, feature, value, as_of),
        account_sentence(wording, feature, value, as_of),
    ):
        if told is not None:
            return told
    return profile_sentence(wording, feature, value)
