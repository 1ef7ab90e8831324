"""The profile: who the lead is, and its company, from the columns of ``leads`` and ``accounts``."""

from collections.abc import Mapping, Sequence

from .definition import FeatureDefinition, ProfileColumn, TableName
from .domains import domain_sql, email_domain_sql
from .errors import SchemaMismatchError, did_you_mean
from .profile_history import histories_sql, value_then_sql
from .profile_readings import READINGS, Lookups, same_company_sql
from .sql import identifier
from .tables import CanonicalTables

_ALIAS: dict[TableName, str] = {"leads": "p", "accounts": "a"}


def profile_sql(
    tables: CanonicalTables, definition: FeatureDefinition, snapshots: str, leads: str
) -> str:
    """Return SQL for the snapshots with their profile features.

    Columns: the snapshot's own; ``_bucket``, ``_lead``, ``_account`` and ``_as_of`` (microseconds
    since 1970 UTC) for the kernel; ``lead_age_days``; ``form_completeness``; the profile features.
    The tables of ``profile_readings`` must be there.

    Parameters
    ----------
    snapshots, leads : str
        Relations: the snapshots, and their leads with ``code``, ``account`` and ``bucket``.
    """
    lookups = Lookups()
    features = "".join(
        f", {value_sql(column, _ALIAS, lookups)} AS {identifier(column.name)}"
        for column in definition.profile
    )
    if definition.form:
        features += f", {completeness_sql(definition.form, 'p')} AS form_completeness"
    told = {(each.table, each.column): each for each in definition.profile if each.has_history}
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
        {histories_sql(tables, list(told.values()))}
        {lookups.joins}
    """


def completeness_sql(form: Sequence[str], relation: str) -> str:
    """Return SQL for the share of a form's fields that are filled.

    Parameters
    ----------
    form : sequence of str
        Columns of the relation.
    """
    filled = " + ".join(
        f"CAST(coalesce(trim(CAST({relation}.{identifier(name)} AS VARCHAR)), '') <> '' AS DOUBLE)"
        for name in form
    )
    return f"({filled}) / {len(form)}"


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
        if is_number(known[column.column]) != column.holds_numbers:
            changed.append(column)
    return tuple(changed)


def is_number(sql_type: str) -> bool:
    """Whether a column of this SQL type is numeric as a feature."""
    return sql_type.startswith(("DOUBLE", "FLOAT", "DECIMAL", "INTEGER", "BIGINT"))


def value_sql(column: ProfileColumn, relations: Mapping[TableName, str], lookups: Lookups) -> str:
    """Return SQL for the value of a profile feature.

    Parameters
    ----------
    relations : mapping of table to str
        Aliases of ``leads`` and ``accounts`` in the query.
    lookups : Lookups
        Takes the joins that the query needs for the value.
    """
    relation = relations[column.table]
    value = f"{relation}.{identifier(column.column)}"
    if column.has_history:
        value = value_then_sql(column.table, column.column, relation)
    if column.reading == "email_matches_company":
        site = f"{relations[column.site_table]}.{identifier(column.site)}"
        return _number(same_company_sql(email_domain_sql(value), domain_sql(site), lookups))
    if column.reading != "value":
        read = READINGS[column.reading](value, lookups)
        return _number(read) if column.kind == "numeric" else read
    if column.kind == "numeric":
        return _number(value)
    return f"nullif(trim(CAST({value} AS VARCHAR)), '')"


def _number(value: str) -> str:
    """Return SQL for a number, NaN where it is missing."""
    return f"coalesce(TRY_CAST({value} AS DOUBLE), 'nan'::DOUBLE)"
