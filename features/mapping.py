"""From a source's columns to canonical ones: which feeds which, and what is left over."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from .errors import ColumnNotFoundError, ConfigError, did_you_mean
from .sources.source import Source
from .tables import TABLES, Column, ColumnType, Table

Origin = Literal["column", "constant", "expression", "row"]

WON = "#won"
_DERIVED = {"converted", "position"}
_SINGULAR = {"leads": "lead", "accounts": "account"}


@dataclass(frozen=True)
class MappedColumn:
    """One column of the canonical table and where its values come from.

    Attributes
    ----------
    name : str
        Canonical, or a further profile column's own.
    type : str or None
        Canonical type; None for a further column, whose values decide.
    origin : {"column", "constant", "expression", "row"}
        A column of the source, one value for all, the ``won`` expression, or the row's number.
    raw : str
        Column of the source, or the constant.
    """

    name: str
    type: ColumnType | None
    origin: Origin
    raw: str = ""


@dataclass(frozen=True)
class ColumnMapping:
    """What one source gives to its canonical table.

    Attributes
    ----------
    columns : tuple of MappedColumn
        Canonical ones in canonical order, then further ones in the source's order.
    notes : tuple of str
        What a person should know: renamed columns.
    """

    columns: tuple[MappedColumn, ...]
    notes: tuple[str, ...] = ()


def is_flat(source: Source) -> bool:
    """Say whether the source is a flat table: leads that carry their own label."""
    return source.table == "leads" and (source.won is not None or "converted" in source.columns)


def required_columns(table: Table, *, flat: bool) -> tuple[tuple[str, ...], ...]:
    """Name the groups of canonical columns of which a source must have at least one each."""
    groups: list[tuple[str, ...]] = [(column.name,) for column in table.columns if column.required]
    if table.either:
        groups.append(table.either)
    if table.name == "leads" and not flat:
        groups.append(("created_at",))
    if table.name == "outcomes":
        groups.append(("closed_at",))
    return tuple(groups)


def map_columns(
    source: Source, columns: Collection[str], *, label: str, label_columns: Collection[str] = ()
) -> ColumnMapping:
    """Decide what each canonical column is read from.

    A canonical column that is not mapped takes the source's column of the same name, whatever its
    case. What is left comes along as profile columns where the table takes more, except the
    columns that made the label or the order of a flat table.

    Parameters
    ----------
    source : Source
    columns : collection of str
        Columns of the source.
    label : str
        Name of the source, for messages.
    label_columns : collection of str
        Columns that the ``won`` expression refers to.

    Raises
    ------
    ColumnNotFoundError
        A mapped or required column is not there.
    ConfigError
        The mapping names a canonical column that the table does not have.
    """
    table = TABLES[source.table]
    _check_names(source, table)
    by_lower = {name.lower(): name for name in columns}
    mapped = [
        found
        for column in table.columns
        if (found := _canonical(column, source, by_lower, label)) is not None
    ]
    _check_required(source, table, {column.name for column in mapped}, columns, label)
    if not table.takes_more:
        return ColumnMapping(tuple(mapped))
    renamed = [
        MappedColumn(name, None, "column", _find(raw, by_lower, source, name, label))
        for name, raw in source.columns.items()
        if name not in table.names
    ]
    used = {column.raw.lower() for column in (*mapped, *renamed) if column.origin == "column"}
    if is_flat(source):
        used |= {name.lower() for name in label_columns}
    further, notes = _further(table, columns, used, label)
    return ColumnMapping((*mapped, *renamed, *further), notes)


def _canonical(
    column: Column, source: Source, by_lower: Mapping[str, str], label: str
) -> MappedColumn | None:
    name = column.name
    raw = None
    if name == "event_type" and source.event_type is not None:
        return MappedColumn(name, column.type, "constant", source.event_type)
    if source.won is not None and name in {"won", "converted"}:
        return MappedColumn(name, column.type, "expression", WON)
    if name == "position" and source.order_by is not None:
        if source.order_by != "row":
            raw = _find(source.order_by, by_lower, source, "order_by", label)
    elif name in source.columns:
        raw = _find(source.columns[name], by_lower, source, name, label)
    elif name not in _DERIVED and name in by_lower:
        raw = by_lower[name]
    elif name != "lead_id" or not is_flat(source):
        return None
    return MappedColumn(name, column.type, "row" if raw is None else "column", raw or "")


def _find(raw: str, by_lower: Mapping[str, str], source: Source, name: str, label: str) -> str:
    if raw.lower() in by_lower:
        return by_lower[raw.lower()]
    place = "order_by" if name == "order_by" else f"columns.{name}"
    raise ColumnNotFoundError(
        f"{label}: column '{raw}' not found.{did_you_mean(raw, by_lower.values())} "
        f"It is mapped under {source.key}.{place}.",
        hint=_listed(by_lower.values()),
    )


def _check_names(source: Source, table: Table) -> None:
    for name in source.columns:
        if name not in table.names and not table.takes_more:
            raise ConfigError(
                f"{source.key}.columns: {table.name} have no column '{name}'."
                f"{did_you_mean(name, table.names)}",
                hint=f"They have: {', '.join(table.names)}.",
            )


def _check_required(
    source: Source, table: Table, mapped: set[str], columns: Collection[str], label: str
) -> None:
    for group in required_columns(table, flat=is_flat(source)):
        if mapped.isdisjoint(group):
            wanted = " or ".join(f"'{name}'" for name in group)
            guess = next((near for name in group if (near := did_you_mean(name, columns))), "")
            extra = ""
            if group == ("event_type",):
                extra = f" If all its rows are of one type, set {source.key}.event_type."
            if group == ("won",):
                extra = f" Or say it as an expression: {source.key}.won: \"stage = 'closedwon'\"."
            raise ColumnNotFoundError(
                f"{label}: no column for {wanted} ({table.column(group[0]).meaning}).{guess}",
                hint=f"Map it under {source.key}.columns.{group[0]}.{extra} {_listed(columns)}",
            )


def _further(
    table: Table, columns: Collection[str], used: set[str], label: str
) -> tuple[list[MappedColumn], tuple[str, ...]]:
    further, notes = [], []
    for raw in columns:
        if raw.lower() in used:
            continue
        name = raw
        if raw.lower() in table.names:
            name = f"{_SINGULAR[table.name]}_{raw}"
            notes.append(
                f"{label}: column '{raw}' comes along as '{name}', because "
                f"{table.name}.{raw.lower()} means something else or is read from elsewhere."
            )
        further.append(MappedColumn(name, None, "column", raw))
    return further, tuple(notes)


def _listed(columns: Collection[str]) -> str:
    names = list(columns)
    more = f" and {len(names) - 40} more" if len(names) > 40 else ""
    return f"The source has: {', '.join(names[:40])}{more}."
