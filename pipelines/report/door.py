"""Data quality at the door: rows read and kept, and the rules that rows broke."""

from collections.abc import Mapping
from typing import Any, TypedDict

from leadlight.features.validation import RULES

from .formats import number, plain


class DoorRow(TypedDict):
    """A rule of the door that some row broke."""

    table: str
    meaning: str
    rows: int
    of: int
    share: float
    limit: float | None
    passed: bool


class TableCount(TypedDict):
    """Rows of a canonical table read and kept."""

    table: str
    read: int
    kept: int


class DoorSummary(TypedDict):
    """Data quality at the door."""

    tables: list[TableCount]
    rules: list[DoorRow]
    rules_clean: int
    notes: list[str]


def door_summary(door: Mapping[str, Any] | None) -> DoorSummary | None:
    """Sum the check of the data up; None where it was not kept.

    Parameters
    ----------
    door : mapping or None
        ``{counts: [{table, rule, rows, of, share, limit, passed}], rows_read: {table: n},
        rows_kept: {table: n}, notes: [str]}``.
    """
    if door is None:
        return None
    broken = [rule for rule in door["counts"] if rule["rows"]]
    kept = door.get("rows_kept", {})
    return DoorSummary(
        tables=[
            TableCount(table=plain(table), read=int(read), kept=int(kept.get(table, read)))
            for table, read in door.get("rows_read", {}).items()
        ],
        rules=[
            DoorRow(
                table=plain(rule["table"]),
                meaning=_meaning(rule["rule"]),
                rows=int(rule["rows"]),
                of=int(rule["of"]),
                share=float(rule["share"]),
                limit=number(rule["limit"]),
                passed=bool(rule["passed"]),
            )
            for rule in broken
        ],
        rules_clean=len(door["counts"]) - len(broken),
        notes=[plain(note) for note in door.get("notes", ())],
    )


def _meaning(rule: str) -> str:
    words = RULES[rule].meaning if rule in RULES else rule.replace("_", " ")
    return plain(words[:1].upper() + words[1:], 200)
