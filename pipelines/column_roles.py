"""Columns by their role: what a raw table's columns are called and what they look like."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .column_words import (
    ACCOUNT_LINKS,
    FILE_WORDS,
    KEYS,
    LEAD_LINKS,
    NAMES,
    SECONDARY_FILE_WORDS,
    compact,
)
from .raw_tables import RawColumn, RawTable, ValueKind

_KINDS: Mapping[str, tuple[ValueKind, ...]] = {
    "created_at": ("time",),
    "occurred_at": ("time",),
    "recorded_at": ("time",),
    "closed_at": ("time",),
    "opened_at": ("time",),
    "decided_at": ("time",),
    "linked_at": ("time",),
    "employees": ("number",),
    "revenue": ("number",),
    "amount": ("number",),
    "value": ("number",),
    "event_type": ("text", "number"),
    "accepted": ("boolean", "number"),
    "won": ("boolean", "number", "text"),
}


@dataclass(frozen=True)
class Recognised:
    """A raw table and the canonical one that it can feed.

    Attributes
    ----------
    table : str
        Canonical table.
    raw : RawTable
    columns : mapping of str to str
        Canonical column -> column of the raw table.
    settings : mapping of str to str
        Further keys of the source: ``won``, ``where``, ``event_type``, ``order_by``.
    remarks : tuple of str
        What a person should check.
    label : str or None
        Where leads carry it themselves: the column that ``won`` reads.
    """

    table: str
    raw: RawTable
    columns: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    label: str | None = None


def key_column(table: RawTable, meaning: str, links: tuple[str, ...]) -> RawColumn | None:
    """Return the column whose values name the rows of ``leads`` or ``accounts``."""
    names = (*links, *KEYS)
    for column in by_rank(table, names):
        if column.is_key and column.kind in {"number", "text"}:
            return column
    for column in table.columns[:3]:
        ends_like_an_id = compact(column.name).endswith("id") and compact(column.name) not in (
            ACCOUNT_LINKS if meaning == "leads" else LEAD_LINKS
        )
        if ends_like_an_id and column.is_key and column.kind in {"number", "text"}:
            return column
    return None


def link_column(table: RawTable, names: tuple[str, ...]) -> RawColumn | None:
    """Return the column of ids that is called by one of these names, best name first."""
    return next(
        (c for c in by_rank(table, names) if c.values and c.kind in {"number", "text"}), None
    )


def named_columns(
    table: RawTable, meaning: str, used: set[str | None] | set[str]
) -> dict[str, str]:
    """Map canonical columns to those of the table that are called and look like them."""
    found: dict[str, str] = {}
    for canonical, names in NAMES[meaning].items():
        allowed = _KINDS.get(canonical, ("text", "number", "boolean"))
        for column in by_rank(table, names):
            if column.kind in allowed and column.name not in {*used, *found.values()}:
                found[canonical] = column.name
                break
    return found


def by_rank(table: RawTable, names: tuple[str, ...]) -> list[RawColumn]:
    """Return the columns that are called by one of these names, best name first."""
    fitting = [column for column in table.columns if compact(column.name) in names]
    return sorted(fitting, key=lambda column: rank(column.name, names))


def rank(name: str, names: tuple[str, ...]) -> int:
    """Return the place of a name among these, or their number."""
    return names.index(compact(name)) if compact(name) in names else len(names)


def same_name(name: str, key: str) -> bool:
    """Say whether a column is called as the key, and the key is not just called ``id``."""
    return compact(name) == compact(key) and compact(key) not in KEYS


def is_called(table: RawTable, meaning: str) -> bool:
    """Say whether the file is called after this canonical table: ``contacts.csv``."""
    return table.noun in FILE_WORDS[meaning]


def is_secondary(table: RawTable) -> bool:
    """Say whether the file repeats another one's rows: histories, snapshots, backups."""
    return bool(set(table.stem.split("_")) & set(SECONDARY_FILE_WORDS))
