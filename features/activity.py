"""Activity in SQL: what arrived on which day, from the canonical tables."""

from collections.abc import Sequence
from datetime import datetime

from .sql import identifier, literal
from .tables import CanonicalTables


def event_activity_sql(tables: CanonicalTables, since: datetime, until: datetime) -> str:
    """Return SQL for events by type, day and hour (UTC).

    Columns ``event_type``, ``day``, ``hour``, ``events``, ``repeats`` (of them, those that equal
    another in lead, instant, type and detail) and ``leads`` (heard of in that hour).

    Parameters
    ----------
    tables : CanonicalTables
        With events.
    since, until : datetime
        Aware; events in ``[since, until)`` count.
    """
    who = [name for name in ("lead_id", "account_id") if tables.has("events", name)]
    owner = who[0] if len(who) == 1 else f"coalesce({', '.join(who)})"
    detail = ", detail" if tables.has("events", "detail") else ""
    return f"""
        SELECT event_type, CAST(occurred_at AT TIME ZONE 'UTC' AS DATE) AS day,
            hour(occurred_at AT TIME ZONE 'UTC') AS hour, count(*) AS events,
            count(*) - count(DISTINCT hash({owner}, occurred_at{detail})) AS repeats,
            count(DISTINCT {owner}) AS leads
        FROM {tables.relation("events")}
        WHERE occurred_at >= {literal(since)} AND occurred_at < {literal(until)}
        GROUP BY ALL ORDER BY ALL
    """


def lead_intake_sql(
    tables: CanonicalTables,
    columns: Sequence[tuple[str, str]],
    since: datetime,
    until: datetime,
) -> str:
    """Return SQL for new leads by day and by value of some columns.

    Columns ``column``, ``value`` (``(missing)`` where there is none), ``day`` and ``leads``.

    Parameters
    ----------
    tables : CanonicalTables
    columns : sequence of (table, column)
        Of leads or accounts; at least one.
    since, until : datetime
        Aware; leads created in ``[since, until)`` count.
    """
    accounts = (
        f"LEFT JOIN {tables.relation('accounts')} AS a ON a.account_id = l.account_id"
        if any(table == "accounts" for table, _ in columns)
        else ""
    )
    new = f"""FROM {tables.relation("leads")} AS l {accounts}
        WHERE l.created_at >= {literal(since)} AND l.created_at < {literal(until)}"""
    one = """SELECT {name} AS "column", coalesce(CAST({value} AS VARCHAR), '(missing)') AS value,
        CAST(l.created_at AT TIME ZONE 'UTC' AS DATE) AS day, count(*) AS leads
        {new} GROUP BY ALL"""
    parts = [
        one.format(
            name=literal(column if table == "leads" else f"{table}.{column}"),
            value=f"{'l' if table == 'leads' else 'a'}.{identifier(column)}",
            new=new,
        )
        for table, column in columns
    ]
    return f"{' UNION ALL '.join(parts)} ORDER BY ALL"


def new_leads_sql(tables: CanonicalTables, since: datetime, until: datetime) -> str:
    """Return SQL for new leads by day: columns ``day`` and ``leads``."""
    return f"""
        SELECT CAST(created_at AT TIME ZONE 'UTC' AS DATE) AS day, count(*) AS leads
        FROM {tables.relation("leads")}
        WHERE created_at >= {literal(since)} AND created_at < {literal(until)}
        GROUP BY ALL ORDER BY ALL
    """


def wins_sql(tables: CanonicalTables, since: datetime, until: datetime) -> str:
    """Return SQL for the leads that were won in ``[since, until)``: column ``lead_id``."""
    return f"""
        SELECT DISTINCT lead_id FROM {tables.relation("outcomes")}
        WHERE won AND lead_id IS NOT NULL
            AND closed_at >= {literal(since)} AND closed_at < {literal(until)}
        ORDER BY ALL
    """


def verdicts_sql(tables: CanonicalTables, since: datetime, until: datetime) -> str:
    """Return SQL for what sales said in ``[since, until)``: ``accepted`` and ``verdicts``."""
    return f"""
        SELECT accepted, count(*) AS verdicts FROM {tables.relation("feedback")}
        WHERE decided_at >= {literal(since)} AND decided_at < {literal(until)}
        GROUP BY ALL ORDER BY ALL
    """
