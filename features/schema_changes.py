"""What changed in the columns since training, and the tables as training would have had them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .definition import FeatureDefinition
from .errors import did_you_mean
from .profile import is_number
from .sql import identifier

Schema = Mapping[str, Mapping[str, str]]
"""For each canonical table, what its columns hold: numbers, text, times, or yes and no."""

_SQL_TYPES = {
    "numbers": "DOUBLE",
    "text": "VARCHAR",
    "times": "TIMESTAMPTZ",
    "yes and no": "BOOLEAN",
}
# Only people and companies have columns of the user's own; without these nothing can be placed.
_PATCHED = ("leads", "accounts")
_NEVER_EMPTY = {"lead_id", "account_id", "created_at"}


@dataclass(frozen=True)
class SchemaChange:
    """A column that is not what it was at training.

    Attributes
    ----------
    table, column : str
    change : {"missing", "extra", "type"}
    was, now : str
        What it held, and holds; empty where it is not there.
    is_used : bool
        Whether the model reads it.
    """

    table: str
    column: str
    change: Literal["missing", "extra", "type"]
    was: str = ""
    now: str = ""
    is_used: bool = False


def holds(sql_type: str) -> str:
    """Return what a column of an SQL type holds, in words."""
    if is_number(sql_type):
        return "numbers"
    if sql_type.startswith(("TIMESTAMP", "DATE")):
        return "times"
    return "yes and no" if sql_type == "BOOLEAN" else "text"


def schema_changes(
    then: Schema, now: Schema, definition: FeatureDefinition
) -> tuple[SchemaChange, ...]:
    """Compare the tables of training with those of today, column by column.

    Parameters
    ----------
    then, now : mapping of table to mapping of column to what it holds
    definition : FeatureDefinition
        Says which columns the model reads.
    """
    used = _used(definition)
    changes = []
    for table in sorted({*then, *now}):
        before, today = then.get(table, {}), now.get(table, {})
        for column in sorted({*before, *today}):
            was, is_now = before.get(column, ""), today.get(column, "")
            if was != is_now:
                kind: Literal["missing", "extra", "type"] = (
                    "missing" if not is_now else "extra" if not was else "type"
                )
                is_used = (table, column) in used
                changes.append(SchemaChange(table, column, kind, was, is_now, is_used))
    return tuple(changes)


def _used(definition: FeatureDefinition) -> set[tuple[str, str]]:
    used = {(column.table, column.column) for column in definition.profile}
    used |= {(column.site_table, column.site) for column in definition.profile if column.site}
    return used | {("leads", column) for column in definition.form}


def as_trained_sql(
    relation: str, table: str, columns: Sequence[str], changes: Sequence[SchemaChange]
) -> str | None:
    """Return SQL for a table with the columns of training: what is missing there is empty.

    A column of another type is read as the type it was; what cannot be read is empty. Ids and
    ``created_at`` are left as they are: whoever needs them refuses.

    Parameters
    ----------
    relation : str
    table : str
    columns : sequence of str
        That the table has today.
    changes : sequence of SchemaChange

    Returns
    -------
    str or None
        None where the table is as it was.
    """
    mine = [
        each
        for each in changes
        if each.table == table and each.change != "extra" and each.column not in _NEVER_EMPTY
    ]
    if table not in _PATCHED or not mine:
        return None
    retyped = {each.column: _read_as(each) for each in mine if each.change == "type"}
    kept = [f"{retyped.get(name, identifier(name))} AS {identifier(name)}" for name in columns]
    missing = [
        f"NULL::{_SQL_TYPES[each.was]} AS {identifier(each.column)}"
        for each in mine
        if each.change == "missing"
    ]
    return f"SELECT {', '.join((*kept, *missing))} FROM {relation}"


def _read_as(change: SchemaChange) -> str:
    name = identifier(change.column)
    if change.was == "text" and change.now == "numbers":
        # A whole number must not become '3.0' where training knew '3'.
        whole = f"{name} = floor({name}) AND abs({name}) < 1e15"
        return f"CASE WHEN {whole} THEN {name}::BIGINT::VARCHAR ELSE {name}::VARCHAR END"
    return f"TRY_CAST({name} AS {_SQL_TYPES[change.was]})"


def in_words(changes: Sequence[SchemaChange], now: Schema) -> tuple[str, ...]:
    """Say what changed, what the model makes of it, and what may be meant."""
    told = [_sentence(change, now) for change in changes if change.change != "extra"]
    for table in sorted({change.table for change in changes}):
        extra = [
            f"'{each.column}'" for each in changes if each.table == table and each.change == "extra"
        ]
        if extra:
            more = f" and {len(extra) - 5} more" if len(extra) > 5 else ""
            told.append(
                f"{table}: new since training, and not used until the next: "
                f"{', '.join(extra[:5])}{more}."
            )
    return tuple(told)


def _sentence(change: SchemaChange, now: Schema) -> str:
    what = f"{change.table}: column '{change.column}'"
    if change.change == "missing":
        near = did_you_mean(change.column, now.get(change.table, {}))
        effect = (
            "it counts as empty for every lead" if change.is_used else "the model does not read it"
        )
        return f"{what} held {change.was} in training and is missing; {effect}.{near}"
    effect = (
        f"what cannot be read as {change.was} counts as empty"
        if change.is_used
        else "the model does not read it"
    )
    return f"{what} held {change.was} in training and now holds {change.now}; {effect}."
