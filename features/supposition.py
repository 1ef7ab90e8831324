"""Suppositions: the records of a lead as they would be had less been known, or more happened."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

_TIMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "leads": ("created_at",),
        "events": ("occurred_at", "recorded_at"),
        "outcomes": ("opened_at", "closed_at"),
        "feedback": ("decided_at",),
        "identities": ("linked_at",),
        "profile_history": ("changed_at",),
    }
)
_IDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "leads": ("lead_id", "account_id"),
        "accounts": ("account_id",),
        "events": ("lead_id", "account_id"),
        "outcomes": ("deal_id", "lead_id", "account_id"),
        "feedback": ("lead_id",),
        "identities": ("alias", "lead_id"),
        "profile_history": ("id",),
    }
)
HISTORY = "profile_history"
HAPPENINGS = tuple(table for table in _TIMES if table != HISTORY)
"""Tables that tell what happened, rather than who somebody is."""


def put_off(
    tables: Mapping[str, pa.Table], which: Collection[str], *, since: datetime, until: datetime
) -> dict[str, pa.Table]:
    """Return the records as if nothing had become known in ``[since, until)``.

    All that happened from ``since`` on is put off by the length of that time, so that at ``until``
    none of it is seen, while all before is as old as it is then.

    Parameters
    ----------
    tables : mapping of str to Table
        Canonical tables.
    which : collection of str
        Tables that this is supposed of.
    since, until : datetime
        UTC.
    """
    supposed = dict(tables)
    for name in supposed.keys() & set(which):
        table = supposed[name]
        for column in _TIMES[name]:
            if column in table.column_names:
                times = table[column].cast(pa.timestamp("us", tz="UTC"))
                later = pc.add(times, pa.scalar(until - since, pa.duration("us")))
                is_new = pc.greater_equal(times, pa.scalar(since, times.type))
                at = table.column_names.index(column)
                table = table.set_column(at, column, pc.if_else(is_new, later, times))
        supposed[name] = table
    return supposed


def copies_of(tables: Mapping[str, pa.Table], count: int) -> dict[str, pa.Table]:
    """Return the records several times over, each copy a company of its own that knows no other.

    Parameters
    ----------
    tables : mapping of str to Table
        Canonical tables.
    count : int
        Copies; the ids of copy ``i`` are those of ``id_of_copy``.
    """
    return {
        name: pa.concat_tables([_renamed(table, _IDS[name], at) for at in range(count)])
        for name, table in tables.items()
    }


def id_of_copy(name: str, copy: int) -> str:
    """Return the id that a lead, account or alias has in one of the copies."""
    return f"{name}#{copy}"


def _renamed(table: pa.Table, ids: tuple[str, ...], copy: int) -> pa.Table:
    for column in ids:
        if column in table.column_names:
            mark = pa.scalar(id_of_copy("", copy), table[column].type)
            renamed = pc.binary_join_element_wise(table[column], mark, pa.scalar("", mark.type))
            table = table.set_column(table.column_names.index(column), column, renamed)
    return table
