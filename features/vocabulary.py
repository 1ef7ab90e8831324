"""The words for kinds of event, pages and columns; names without an entry are humanised.

The entries are data (``wording_en.json``), so that another language is another file.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal


@dataclass(frozen=True)
class EventWords:
    """How to speak of one kind of event.

    Attributes
    ----------
    one, many : str
        "Opened one e-mail", "Opened {n} e-mails".
    none : str
        Followed by a window: "No e-mails opened".
    never : str
        "Never opened an e-mail".
    act : str
        One such event, as a noun: "e-mail open".
    label : str
        Followed by a window: "E-mails opened".
    unit : str
    direction : {-1, 0, 1}
        Expected effect of more of them on conversion.
    """

    one: str
    many: str
    none: str
    never: str
    act: str
    label: str
    unit: str
    direction: Literal[-1, 0, 1]


@cache
def vocabulary() -> dict[str, Any]:
    """Return the entries of the wording file."""
    text = files("leadlight.features").joinpath("wording_en.json").read_text(encoding="utf-8")
    entries: dict[str, Any] = json.loads(text)
    return entries


@cache
def event_words(kind: str) -> EventWords:
    """Return the words for a kind of event: ``email_open``, ``page_view_pricing``, any other.

    Examples
    --------
    >>> event_words("email_opened").none
    'No e-mails opened'
    >>> event_words("page_view_partner_program").never
    'Never visited the partner program pages'
    >>> event_words("O_SENT_BACK").one
    'Had one event “o sent back”'
    """
    words = vocabulary()
    known = words["events"].get(same_kind(kind))
    if known is not None:
        return EventWords(**known)
    page = page_of(kind)
    if page is not None:
        return _page_words(page)
    return EventWords(**_filled(words["unknown_event"], kind=spaced(kind).lower()))


def same_kind(kind: str) -> str:
    """Return the name under which the wording file knows a kind of event, or the kind itself.

    Examples
    --------
    >>> same_kind("email_opened")
    'email_open'
    """
    return str(vocabulary()["same"].get(kind, kind))


def page_of(kind: str) -> str | None:
    """Return the page kind that a kind of event views: ``pricing``; None if it views none.

    Examples
    --------
    >>> page_of("page_view_pricing")
    'pricing'
    """
    words = vocabulary()
    if same_kind(kind) in words["events"]:
        return None
    for prefix in words["page_prefixes"]:
        if kind.startswith(prefix) and len(kind) > len(prefix):
            return kind.removeprefix(prefix)
    return None


def _page_words(page: str) -> EventWords:
    words = vocabulary()
    names = words["pages"].get(page) or _filled(words["unknown_page"], kind=spaced(page).lower())
    told = _filled(words["page"], the=names["the"], noun=names["noun"])
    return EventWords(**told, direction=names["direction"])


def _filled(entry: dict[str, Any], **values: str) -> dict[str, Any]:
    """Fill in the named places and leave the number's for later."""
    filled = dict(entry)
    for name, value in values.items():
        for key, text in filled.items():
            if isinstance(text, str):
                filled[key] = text.replace("{" + name + "}", value)
    return filled


def window_words(days: int | None) -> str:
    """Return "in the last 7 days", or "so far" for all time."""
    if days is None:
        return "so far"
    return "in the last day" if days == 1 else f"in the last {days} days"


def column_label(table: str, column: str, reading: str = "value") -> str:
    """Return the plain-language name of a profile column, or of what is read from it.

    Examples
    --------
    >>> column_label("leads", "TotalVisits")
    'Total visits'
    >>> column_label("accounts", "country")
    'Company’s country'
    """
    words = vocabulary()
    read = words["readings"].get(f"{table}.{reading}") or words["readings"].get(reading)
    if read:
        return str(read)
    known = words["columns"].get(f"{table}.{column}") or words["columns"].get(column)
    return str(known) if known else humanised(column)


def spaced(text: str) -> str:
    """Return a technical name with its words apart: underscores and dots gone."""
    return " ".join(re.sub(r"[\W_]+", " ", text).split()) or text.strip() or "unnamed"


def humanised(name: str) -> str:
    """Return a column's name as words; acronyms stay as they are.

    Examples
    --------
    >>> humanised("cons.price.idx")
    'Cons price idx'
    >>> humanised("Get updates on DM Content")
    'Get updates on DM content'
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = [
        word if word.isupper() and len(word) > 1 and not name.isupper() else word.lower()
        for word in spaced(apart).split()
    ]
    first = words[0]
    return " ".join((first if first.isupper() else first.capitalize(), *words[1:]))
