"""The taxonomy: from raw texts to the kinds that the field speaks of.

Every reading is an SQL expression over a column, built here and executed by an engine, so that a
URL or a title means the same in training, in tonight's scores and in an export. What no rule
knows stays unknown (NULL).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .sql import literal


@dataclass(frozen=True)
class PageRule:
    """A URL whose path matches ``pattern`` shows a page of this kind; the first match wins.

    Attributes
    ----------
    kind : str
        ``pricing``, ``product``, ``case_study``, ...
    pattern : str
        Regular expression (RE2 syntax) searched in the lower-case path of the URL.
    """

    kind: str
    pattern: str


def _segment(*words: str) -> str:
    """Return a pattern for a path with a segment that is, or begins with, one of the words."""
    return rf"(^|/)({'|'.join(words)})([/._-]|$)"


# A post about pricing is a blog post, and help on the product a page of the docs: the areas of a
# site come before the topics.
DEFAULT_PAGE_RULES: tuple[PageRule, ...] = (
    PageRule("careers", _segment("careers?", "jobs?", "karriere", "vacanc(y|ies)")),
    PageRule("blog", _segment("blog", "news", "articles?", "insights?")),
    PageRule("docs", _segment("docs?", "documentation", "api", "help", "support", "developers?")),
    PageRule("login", _segment("log-?in", "sign-?in", "password")),
    PageRule("case_study", _segment("case[-_]stud(y|ies)", "customers?", "success-stor(y|ies)")),
    PageRule("demo", _segment("demo", "(request|book|get)-a?-?demo", "(free-)?trial")),
    PageRule("pricing", _segment("pric(e|es|ing)", "plans?", "preise", "tarifs")),
    PageRule("contact", _segment("contact", "kontakt")),
    PageRule("product", _segment("products?", "features?", "platform", "solutions?", "produkte?")),
)

# Which kinds of event carry a page in their detail.
_PAGE_VIEW = re.compile(
    r"(^|_)(page|pages|pageview|pageviews|visit|visits|visited|screen)(_|$)|^view(s|ed)?$"
)
_URL_OR_PATH = r"^(/|https?://|www\.|[a-z0-9-]+(\.[a-z0-9-]+)+(/|$))"
_URL_PATH = r"^(?:[a-z][a-z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)"


@lru_cache(maxsize=4096)
def feature_name(text: str) -> str:
    """Turn a column's or an event type's name into a readable SQL identifier.

    Letters of any script stay; accents go; everything else separates words. The same rule in SQL
    is ``name_sql``.

    Examples
    --------
    >>> feature_name("What is your current occupation")
    'what_is_your_current_occupation'
    >>> feature_name("W_Valideren aanvraag")
    'w_valideren_aanvraag'
    >>> feature_name("TotalVisits")
    'total_visits'
    >>> feature_name("2nd call")
    'n2nd_call'
    """
    apart = re.sub("([a-z0-9])([A-Z])", r"\1 \2", text)
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFD", apart)
        if not unicodedata.category(letter).startswith("M")
    )
    words = "".join(letter if letter.isalnum() else " " for letter in plain.lower()).split()
    name = "_".join(words) or "unnamed"
    return f"n{name}" if name[0].isdigit() else name


def name_sql(text: str) -> str:
    """Return SQL that does what ``feature_name`` does."""
    apart = f"regexp_replace({text}, '([a-z0-9])([A-Z])', '\\1 \\2', 'g')"
    plain = f"lower(strip_accents({apart}))"
    words = f"trim(regexp_replace({plain}, '[^\\pL\\pN]+', '_', 'g'), '_')"
    named = f"coalesce(nullif({words}, ''), 'unnamed')"
    return f"regexp_replace({named}, '^([0-9])', 'n\\1')"


def page_kind_sql(detail: str, rules: Sequence[PageRule]) -> str:
    """Return SQL for the page kind of a URL or path; NULL if it is neither, or no rule matches.

    Parameters
    ----------
    detail : str
        SQL expression of the URL.
    rules : sequence of PageRule
        The first match wins.
    """
    address = f"lower({detail})"
    path = f"regexp_extract({address}, {literal(_URL_PATH)}, 1)"
    kind = _first_match(path, [(rule.kind, rule.pattern) for rule in rules])
    return f"CASE WHEN regexp_matches({address}, {literal(_URL_OR_PATH)}) THEN {kind} END"


def is_page_view(event_type: str) -> bool:
    """Say whether events of this type view a page, so that their detail may be its address."""
    return _PAGE_VIEW.search(feature_name(event_type)) is not None


def _first_match(text: str, rules: Iterable[tuple[str, str]]) -> str:
    cases = " ".join(
        f"WHEN regexp_matches({text}, {literal(pattern)}) THEN {literal(kind)}"
        for kind, pattern in rules
    )
    return f"CASE {cases} END"
