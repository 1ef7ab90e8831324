"""The profile: who the lead is, and its company, from the columns of ``leads`` and ``accounts``."""

from collections.abc import Mapping

from .definition import FeatureDefinition, ProfileColumn, TableName
from .errors import SchemaMismatchError, did_you_mean
from .sql import identifier
from .tables import CanonicalTables
from .taxonomy import email_kind_sql, job_function_sql, seniority_sql

_READINGS = {
    "seniority": seniority_sql,
    "job_function": job_function_sql,
    "email_kind": email_kind_sql,
}
_ALIAS = {"leads": "p", "accounts": "a"}


def profile_sql(
    tables: CanonicalTables, definition: FeatureDefinition, snapshots: str, leads: str
) -> str:
    """Return SQL for the snapshots with their profile features.

    Columns: the snapshot's own; ``_bucket``, ``_lead``, ``_account`` and ``_as_of`` (microseconds
    since 1970 UTC) for the kernel; ``lead_age_days``; the profile features.

    Parameters
    ----------
    snapshots, leads : str
        Relations: the snapshots, and their leads with ``code``, ``account`` and ``bucket``.
    """
    features = "".join(
        f", {value_sql(column, _ALIAS[column.table])} AS {identifier(column.name)}"
        for column in definition.profile
    )
    age = "NULL"
    if definition.has_age:
        age = f"(epoch_us(s.as_of) - epoch_us(p.created_at)) / {86_400_000_000}.0"
    has_accounts = tables.has("accounts") and tables.has("leads", "account_id")
    accounts = (
        f"LEFT JOIN {tables.relation('accounts')} a ON p.account_id = a.account_id"
        if has_accounts
        else ""
    )
    return f"""
        SELECT s.lead_id, s.account_id, s.as_of, s.label, s.position,
            l.bucket AS _bucket, l.code AS _lead, l.account AS _account,
            epoch_us(s.as_of) AS _as_of,
            {_number(age)} AS lead_age_days{features}
        FROM {snapshots} s JOIN {leads} l ON s.lead_id = l.lead_id
        LEFT JOIN {tables.relation("leads")} p ON s.lead_id = p.lead_id
        {accounts}
    """


def types_sql(tables: CanonicalTables, table: str) -> str:
    """Return SQL for the names and types of a table's columns."""
    rows = f"SELECT * FROM {tables.relation(table)}"
    return f"SELECT column_name, column_type FROM (DESCRIBE {rows})"


def changed_columns(
    definition: FeatureDefinition, types: Mapping[TableName, Mapping[str, str]]
) -> tuple[ProfileColumn, ...]:
    """Return the columns of the definition whose type is not what it was at training.

    Parameters
    ----------
    types : mapping of table to mapping of column to SQL type

    Raises
    ------
    SchemaMismatchError
        A column of the definition is missing.
    """
    changed = []
    for column in definition.profile:
        known = types.get(column.table, {})
        if column.column not in known:
            raise SchemaMismatchError(
                f"{column.table}: column {column.column!r} is missing, and the model uses it."
                f"{did_you_mean(column.column, known)}",
                hint="Bring the column back, or train a new model without it.",
            )
        if is_number(known[column.column]) != (column.kind == "numeric"):
            changed.append(column)
    return tuple(changed)


def is_number(sql_type: str) -> bool:
    """Whether a column of this SQL type is numeric as a feature."""
    return sql_type.startswith(("DOUBLE", "FLOAT", "DECIMAL", "INTEGER", "BIGINT"))


def value_sql(column: ProfileColumn, relation: str) -> str:
    """Return SQL for the value of a profile feature.

    Parameters
    ----------
    relation : str
        Alias of the column's table in the query.
    """
    value = f"{relation}.{identifier(column.column)}"
    if column.reading != "value":
        return _READINGS[column.reading](value)
    if column.kind == "numeric":
        return _number(value)
    return f"nullif(trim(CAST({value} AS VARCHAR)), '')"


def _number(value: str) -> str:
    """Return SQL for a number, NaN where it is missing."""
    return f"coalesce(TRY_CAST({value} AS DOUBLE), 'nan'::DOUBLE)"
