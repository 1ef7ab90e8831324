"""Whether a name that only a machine uses is in a text for marketing and sales."""

import re
from collections.abc import Iterable

from leadlight.features.feature import Feature

_TECHNICAL = re.compile(r"[_.]|[a-z][A-Z]")


def raw_names(features: Iterable[Feature]) -> set[str]:
    """Every id of a feature or reason, column and kind of event that is no word by itself."""
    names = {
        name
        for feature in features
        for name in (feature.name, feature.group, feature.subject, feature.statistic)
    }
    return {name for name in names if _TECHNICAL.search(name)}


def raw_names_in(text: str, names: set[str]) -> list[str]:
    """The names that a text holds, and whatever else is written with underscores."""
    found = [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    return found + re.findall(r"\w+_\w+", text)
