"""What a feature definition needs of the tables: columns that are there, of the type they had."""

from leadlight.features.definition import FeatureDefinition
from leadlight.features.errors import SchemaMismatchError
from leadlight.features.profile import changed_columns, types_sql
from leadlight.features.sql import identifier
from leadlight.features.tables import CanonicalTables

from .duckdb import DuckDBEngine


def require_inputs(
    engine: DuckDBEngine, tables: CanonicalTables, definition: FeatureDefinition
) -> bool:
    """Refuse columns that are gone or of another type; an empty column has no type to change.

    Returns
    -------
    bool
        Whether all types are those of the training, so that other rows of these types are too.

    Raises
    ------
    SchemaMismatchError
        A table or column of the definition is missing, or of another type.
    """
    _require_tables(tables, definition)
    used = sorted({column.table for column in definition.profile if tables.has(column.table)})
    types = {table: dict(engine.rows(types_sql(tables, table))) for table in used}
    changed = changed_columns(definition, types)
    for column in changed:
        path = tables.relation(column.table)
        name = identifier(column.column)
        found = engine.rows(
            f"SELECT any_value({name})::VARCHAR FROM {path} WHERE {name} IS NOT NULL"
        )[0][0]
        if found is not None:
            was, now = ("numbers", "text") if column.kind == "numeric" else ("text", "numbers")
            raise SchemaMismatchError(
                f"{column.table}: column {column.column!r} held {was} when the model was trained"
                f" and now holds {now}, for example {found[:40]!r}",
                hint="Correct the source, or train a new model.",
            )
    return not changed


def _require_tables(tables: CanonicalTables, definition: FeatureDefinition) -> None:
    """Refuse to take a table that is no longer there for leads that did nothing."""
    from_accounts = any(column.table == "accounts" for column in definition.profile)
    endings = tuple(f"_{rule.kind}" for rule in definition.page_rules)
    has_pages = any(kind.endswith(endings) for kind in definition.event_kinds)
    for needed, present, what in (
        (definition.event_kinds, tables.has("events"), "the table events"),
        (has_pages, tables.has("events", "detail"), "the column events.detail (pages by address)"),
        (definition.has_age, tables.has("leads", "created_at"), "the column leads.created_at"),
        (from_accounts, tables.has("accounts"), "the table accounts"),
        (from_accounts, tables.has("leads", "account_id"), "the column leads.account_id"),
    ):
        if needed and not present:
            raise SchemaMismatchError(
                f"the model was trained with {what}, and the sources no longer have it",
                hint="Map it again under sources, or train a new model without it.",
            )
