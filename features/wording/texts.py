"""The texts of one language: found by name, put in the right plural, and filled in."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal, get_args

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent, format_scientific

Language = Literal["en", "de", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

Text = str | Mapping[str, str]
# English as it is written outside of America: 27 December 2025.
_LOCALES = {"en": "en_GB"}
_PLACE = re.compile(r"\{(\w+)\}")
_FORMS = {"=0", "=1", "=2", "zero", "one", "two", "few", "many", "other"}
_TINY = 0.005
# Longer numbers nobody reads, and the decimal context cannot hold.
_LONGEST = 1e15


@dataclass(frozen=True)
class Wording:
    """How leadlight speaks to marketing and sales: a language, and the user's own names.

    Attributes
    ----------
    language : {"en", "de", "es"}
    labels : tuple of (str, str)
        The user's names for columns (``accounts.tier`` or ``tier``) and kinds of event.
    """

    language: Language = "en"
    labels: tuple[tuple[str, str], ...] = ()

    @cached_property
    def own_labels(self) -> Mapping[str, str]:
        """The user's names, by column or kind of event."""
        return dict(self.labels)

    @cached_property
    def locale(self) -> Locale:
        """The language's plural rules and ways to write numbers and dates (Unicode CLDR)."""
        return Locale.parse(_LOCALES.get(self.language, self.language))

    def has(self, name: str) -> bool:
        """Whether the catalog file has a text of this name."""
        return name in _texts(self.language)

    def say(self, name: str, count: float | None = None, /, **values: str) -> str:
        """Return a text with its places filled in.

        Parameters
        ----------
        name : str
            Path in the catalog file: ``behaviour.total``.
        count : float, optional
            What is counted; chooses the plural form and fills ``{n}``.
        values : str
            What the other places hold; it is never read as a text with places itself.

        Raises
        ------
        KeyError
            The catalog has no such text, or one of its places is not given.
        """
        text = _texts(self.language)[name]
        if not isinstance(text, str):
            text = text[self._form(text, count or 0.0)]
        if count is not None:
            values["n"] = self.figure(count)
        return _PLACE.sub(lambda place: values[place[1]], text)

    def figure(self, number: float) -> str:
        """Write whole numbers whole, others to three significant digits, and monsters short."""
        if math.isinf(number):
            return str(format_decimal(number, locale=self.locale))
        if abs(number) >= _LONGEST:
            return str(format_scientific(number, "0.##E0", locale=self.locale))
        if number == round(number) or abs(number) >= 1000:
            return str(format_decimal(round(number), locale=self.locale))
        return str(format_decimal(float(f"{number:.3g}"), "#,##0.######", locale=self.locale))

    def percent(self, share: float) -> str:
        """Write a share as a whole percentage; a tiny one as "less than 1%"."""
        if 0 < share < _TINY:
            return self.say("tiny_share", share=str(format_percent(0.01, locale=self.locale)))
        return str(format_percent(share, locale=self.locale))

    def chance(self, probability: float) -> str:
        """Write a probability with one decimal: "23.1%"."""
        pattern = str(self.locale.percent_formats[None].pattern).replace("0", "0.0", 1)
        return str(format_percent(probability, pattern, locale=self.locale))

    def day(self, moment: date) -> str:
        """Write a day in words: "27 December 2025"; of an instant, its day in UTC."""
        day = moment.date() if isinstance(moment, datetime) else moment
        return str(format_date(day, format="long", locale=self.locale))

    def _form(self, forms: Mapping[str, str], count: float) -> str:
        exact = f"={count:g}"
        if exact in forms:
            return exact
        form = str(self.locale.plural_form(count)) if math.isfinite(count) else "other"
        return form if form in forms else "other"


def sentence_case(text: str) -> str:
    """Return a text with its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]


@cache
def _texts(language: Language) -> Mapping[str, Text]:
    file = files("leadlight.features.wording").joinpath(f"{language}.json")
    return dict(_flat(json.loads(file.read_text(encoding="utf-8"))))


def _flat(entries: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Text]]:
    """Name each text by its path; an entry of plural forms is one text."""
    found: list[tuple[str, Text]] = []
    for key, entry in entries.items():
        if isinstance(entry, str) or entry.keys() <= _FORMS:
            found.append((f"{prefix}{key}", entry))
        else:
            found += _flat(entry, f"{prefix}{key}.")
    return found
