"""Job titles: how senior they are, and which part of a company they speak of.

Keywords are data (``titles.json``) in English, German, French, Spanish, Italian, Portuguese and
Dutch, without accents and in small letters. The first match wins: a "vice president" is no
president, an "assistant to the CEO" no chief, and a "student assistant" a student. A title that no
keyword knows stays unknown.
"""

import json
from functools import cache
from importlib.resources import files

from .sql import literal

SENIORITIES = (
    "student",
    "junior",
    "assistant",
    "specialist",
    "manager",
    "director",
    "vice president",
    "C-level",
    "owner",
)
"""From the least to the most senior."""


def seniority_sql(title: str) -> str:
    """Return SQL for the seniority that a job title speaks of: ``director``, ``C-level``."""
    return _first_match(title, "seniority")


def job_function_sql(title: str) -> str:
    """Return SQL for the part of a company that a job title speaks of: ``marketing``."""
    return _first_match(title, "job_function")


def _first_match(title: str, reading: str) -> str:
    # Without accents all is ASCII, whose patterns are prepared a hundred times faster than those
    # of any alphabet's letters.
    plain = f"lower(strip_accents({title}))"
    cases = " ".join(
        f"WHEN regexp_matches({plain}, {literal(pattern)}) THEN {literal(name)}"
        for name, pattern in _patterns()[reading]
    )
    return f"CASE {cases} END"


@cache
def _patterns() -> dict[str, tuple[tuple[str, str], ...]]:
    text = files(__package__).joinpath("titles.json").read_text(encoding="utf-8")
    return {
        reading: tuple((name, rf"\b({'|'.join(words)})\b") for name, words in rules)
        for reading, rules in json.loads(text).items()
    }
