"""Countries and their regions, whatever code or language they are written in."""

import json
import unicodedata
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.core import get_global

_LANGUAGES = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "da", "sv", "nb", "fi", "hu", "ro"),
    *("tr", "el", "ru", "uk", "ja", "ko", "zh"),
)
# What people write and no dictionary of names holds.
_ALSO = {
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "great britain": "GB",
    "holland": "NL",
    "usa": "US",
    "united states of america": "US",
    "us of a": "US",
    "america": "US",
    "czech republic": "CZ",
    "ivory coast": "CI",
    "burma": "MM",
    "macedonia": "MK",
    "korea": "KR",
    "republic of korea": "KR",
    "russian federation": "RU",
    "viet nam": "VN",
    "uae": "AE",
}


def country_of(text: str) -> str | None:
    """Return a country's name in English; None for what names no country.

    Names are those of the Unicode CLDR (https://cldr.unicode.org) in some twenty languages, codes
    those of ISO 3166, of two or three letters.

    Examples
    --------
    >>> country_of("Deutschland"), country_of("USA"), country_of(" fr "), country_of("Atlantis")
    ('Germany', 'United States', 'France', None)
    """
    code = country_code(text)
    return None if code is None else str(Locale("en").territories[code])


def country_code(text: str) -> str | None:
    """Return the code (ISO 3166, two letters) of what names a country; None for what names none."""
    return _codes().get(_plain(text))


def region_of(text: str) -> str | None:
    """Return the region of a country: a subregion of the UN's M49 standard.

    Source: https://unstats.un.org/unsd/methodology/m49/

    Examples
    --------
    >>> region_of("Österreich"), region_of("Atlantis")
    ('Western Europe', None)
    """
    return _regions().get(country_code(text) or "")


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    words = "".join(letter if letter.isalnum() else " " for letter in kept.replace(".", "")).split()
    return " ".join(words).removeprefix("the ")


@cache
def _codes() -> dict[str, str]:
    """Return the code of each plain name or code of a country."""
    regions = _regions()
    codes = {_plain(code): code for code in regions}
    for alias, current in get_global("territory_aliases").items():
        if len(current) == 1 and current[0] in regions and alias.isalpha():
            codes.setdefault(_plain(alias), current[0])
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in regions:
                codes.setdefault(_plain(name), code)
    return codes | _ALSO


@cache
def _regions() -> dict[str, str]:
    text = files(__package__).joinpath("regions.json").read_text(encoding="utf-8")
    return {code: region for region, codes in json.loads(text).items() for code in codes.split()}
