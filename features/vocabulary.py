"""The names that events, pages and columns go by, before any language has words for them.

The entries are data (``vocabulary.json``); the words themselves are those of ``wording``.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from .feature import Direction


@cache
def vocabulary() -> dict[str, Any]:
    """Return the entries of the vocabulary's file."""
    text = files("leadlight.features").joinpath("vocabulary.json").read_text(encoding="utf-8")
    entries: dict[str, Any] = json.loads(text)
    return entries


def same_kind(kind: str) -> str:
    """Return the name under which the vocabulary knows a kind of event, or the kind itself.

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
    if same_kind(kind) in words["kinds"]:
        return None
    for prefix in words["page_prefixes"]:
        if kind.startswith(prefix) and len(kind) > len(prefix):
            return kind.removeprefix(prefix)
    return None


def direction_of(kind: str) -> Direction:
    """Return the expected effect of more events of a kind on conversion; 0 where none is."""
    words, page = vocabulary(), page_of(kind)
    direction: Direction = (
        words["kinds"].get(same_kind(kind), {}).get("direction", 0)
        if page is None
        else words["pages"].get(page, 0)
    )
    return direction


def unit_of(kind: str) -> str:
    """Return what events of a kind are counted in: ``views``, ``visits``, ``times``."""
    if page_of(kind) is not None:
        return "visits"
    return str(vocabulary()["kinds"].get(same_kind(kind), {}).get("unit", "times"))


def spaced(text: str) -> str:
    """Return a technical name with its words apart: underscores and dots gone."""
    return " ".join(re.sub(r"[\W_]+", " ", text).split()) or text.strip(" _") or "unnamed"


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
