"""Erased leads: rows that must not come through the door again, whatever a source still holds."""

import re
from collections.abc import Collection

from .sql import literal

_NAMES = {
    "leads": ("lead_id",),
    "events": ("lead_id",),
    "outcomes": ("lead_id",),
    "feedback": ("lead_id",),
    "profile_history": ("id",),
    "identities": ("alias", "lead_id"),
}


def is_of_erased(table: str, columns: Collection[str], erased: Collection[str]) -> str:
    """Return the SQL condition that a row of a canonical table belongs to an erased lead.

    Parameters
    ----------
    table : str
    columns : collection of str
        That the rows have.
    erased : collection of str
        Ids and aliases.
    """
    names = [name for name in _NAMES.get(table, ()) if name in columns]
    if not names or not erased:
        return "FALSE"
    listed = ", ".join(map(literal, sorted(erased)))
    found = " OR ".join(f"{name} IN ({listed})" for name in names)
    of_lead = "entity = 'lead' AND " if table == "profile_history" else ""
    return f"(({of_lead}({found})) IS TRUE)"


def mentions_erased(column: str, erased: Collection[str]) -> str:
    """Return the SQL condition that a text names an erased lead, as a word of its own.

    A quarantined row could not be read: what it says of whom is known from its text alone.
    """
    if not erased:
        return "FALSE"
    word = "|".join(map(re.escape, sorted(erased)))
    pattern = rf"(^|[^\w-])({word})($|[^\w-])"
    return f"(regexp_matches({column}, {literal(pattern)}) IS TRUE)"
