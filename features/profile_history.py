"""What a profile column held at the snapshot, where its history is known.

The latest change before ``as_of`` tells the value. Where all changes came later, the first of them
tells what had been there until then. A row without changes always held what it holds.
"""

from collections.abc import Sequence

from .definition import ProfileColumn, TableName
from .sql import identifier, literal
from .tables import CanonicalTables

_ENTITY: dict[TableName, str] = {"leads": "lead", "accounts": "account"}
_KEY: dict[TableName, str] = {"leads": "s.lead_id", "accounts": "p.account_id"}


def histories_sql(tables: CanonicalTables, columns: Sequence[ProfileColumn]) -> str:
    """Return the joins that bring the histories of some columns to the snapshots ``s``.

    Parameters
    ----------
    columns : sequence of ProfileColumn
        Those whose history is known; of a column that is read in several ways, one.
    """
    joins = ""
    for column in columns:
        before, after = _aliases(column.table, column.column)
        everything = tables.relation("profile_history")
        history = (
            f"(SELECT id, changed_at, old_value, new_value FROM {everything}"
            f" WHERE entity = {literal(_ENTITY[column.table])}"
            f" AND field = {literal(column.column)})"
        )
        key = _KEY[column.table]
        joins += (
            f" ASOF LEFT JOIN {history} {before}"
            f" ON {key} = {before}.id AND s.as_of > {before}.changed_at"
            f" ASOF LEFT JOIN {history} {after}"
            f" ON {key} = {after}.id AND s.as_of <= {after}.changed_at"
        )
    return joins


def value_then_sql(table: TableName, column: str, relation: str) -> str:
    """Return SQL for the text that a column held at the snapshot.

    Parameters
    ----------
    relation : str
        Alias of the column's table, which holds the current value.
    """
    before, after = _aliases(table, column)
    return (
        f"CASE WHEN {before}.id IS NOT NULL THEN {before}.new_value"
        f" WHEN {after}.id IS NOT NULL THEN {after}.old_value"
        f" ELSE CAST({relation}.{identifier(column)} AS VARCHAR) END"
    )


def _aliases(table: TableName, column: str) -> tuple[str, str]:
    return identifier(f"before {table} {column}"), identifier(f"after {table} {column}")
