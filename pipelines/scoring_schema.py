"""The schema check before scoring: today's columns beside those of training."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import SchemaMismatchError
from leadlight.features.profile import types_sql
from leadlight.features.publication import published_file
from leadlight.features.schema_changes import (
    SchemaChange,
    as_trained_sql,
    holds,
    in_words,
    schema_changes,
)
from leadlight.features.sql import identifier
from leadlight.features.tables import CanonicalTables

from .registry import RegisteredVersion


@dataclass(frozen=True)
class CheckedTables:
    """Tables that a decision version can score, and how they differ from those of its training.

    Attributes
    ----------
    tables : CanonicalTables
    changes : tuple of SchemaChange
    notes : tuple of str
    """

    tables: CanonicalTables
    changes: tuple[SchemaChange, ...]
    notes: tuple[str, ...]


def schema_of(engine: DuckDBEngine, tables: CanonicalTables) -> dict[str, dict[str, str]]:
    """Return what the columns of each table hold, as a decision version keeps it."""
    return {
        table: {name: holds(sql_type) for name, sql_type in engine.rows(types_sql(tables, table))}
        for table in sorted(tables.columns)
    }


def checked_tables(
    engine: DuckDBEngine, tables: CanonicalTables, champion: RegisteredVersion, *, strict: bool
) -> CheckedTables:
    """Compare the tables with those of training, and make good what can be made good.

    A missing column of leads or accounts counts as empty, one of another type is read as what it
    was: the workspace's table is rewritten so. A table that is gone is refused later on.

    Raises
    ------
    SchemaMismatchError
        ``strict``, and a column that the model reads is missing or of another type.
    """
    then: Mapping[str, Mapping[str, str]] | None = champion.decision.metadata.get("schema")
    if then is None:  # an earlier leadlight trained it
        return CheckedTables(tables, (), ())
    now = schema_of(engine, tables)
    changes = tuple(
        change
        for change in schema_changes(then, now, champion.decision.definition)
        if change.change != "type" or _has_values(engine, tables, change)
    )
    notes = in_words(changes, now)
    grave = [each for each in changes if each.is_used and each.change != "extra"]
    if strict and grave:
        raise SchemaMismatchError(
            "\n".join(in_words(grave, now)),
            hint="Correct the source or train again; or score without --strict.",
        )
    return CheckedTables(_as_trained(engine, tables, changes), changes, notes)


def _has_values(engine: DuckDBEngine, tables: CanonicalTables, change: SchemaChange) -> bool:
    """Say whether a column holds anything: an empty one has no type to change."""
    name, rows = identifier(change.column), tables.relation(change.table)
    return bool(engine.rows(f"SELECT 1 FROM {rows} WHERE {name} IS NOT NULL LIMIT 1"))


def _as_trained(
    engine: DuckDBEngine, tables: CanonicalTables, changes: tuple[SchemaChange, ...]
) -> CanonicalTables:
    columns: dict[str, Any] = dict(tables.columns)
    for table in tables.columns:
        sql = as_trained_sql(tables.relation(table), table, tables.columns[table], changes)
        if sql is not None:
            path: Path = tables.path(table)
            with published_file(path) as partial:
                engine.write_parquet(sql, partial)
            columns[table] = tuple(name for name, _ in engine.rows(types_sql(tables, table)))
    return CanonicalTables(tables.directory, columns)
