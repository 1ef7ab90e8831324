"""Outcomes: whose a deal is, and how long it keeps a lead out of the at-risk population.

A deal belongs to its contact: the lead it names, or the lead that this name is an alias of. A deal
that names only an account belongs to those leads of the account that had been created before the
deal closed (or by now, while it is open) and had an event in the 90 days before; if none had, to
all that had been created.

A deal that is not won and closes after what is known has an expected date, not an outcome: it is
open.
"""

from datetime import datetime

from .sql import literal
from .tables import CanonicalTables

ATTRIBUTION_DAYS = 90


def attributed_deals_sql(tables: CanonicalTables, observed_until: datetime) -> str:
    """Return SQL for the deals of each lead: ``lead_id, opened_at, closed_at, won``.

    Parameters
    ----------
    tables : CanonicalTables
    observed_until : datetime
        Until when outcomes are known; a deal that is open, and does not say since when, is taken
        to have been opened then.
    """
    if not tables.has("outcomes"):
        return (
            "SELECT NULL::VARCHAR AS lead_id, NULL::TIMESTAMPTZ AS opened_at,"
            " NULL::TIMESTAMPTZ AS closed_at, NULL::BOOLEAN AS won WHERE FALSE"
        )
    columns = "lead_id, opened_at, closed_at, won"
    parts = [f"SELECT {columns} FROM contact_deals WHERE lead_id IS NOT NULL"]
    ctes = (
        f"all_deals AS ({_deals(tables, observed_until)}), contact_deals AS ({_contacts(tables)})"
    )
    if tables.has("outcomes", "account_id") and tables.has("leads", "account_id"):
        ctes += f", account_deals AS ({_account_deals(tables)})"
        parts.append(f"SELECT {columns} FROM account_deals")
    return f"WITH {ctes} {' UNION ALL '.join(parts)}"


def blocked_sql(deals: str, cooldown_days: int) -> str:
    """Return SQL for the spans in which deals keep leads out of the at-risk population.

    A lead is out for ``starts_at < as_of <= ends_at``. Columns ``lead_id, starts_at, ends_at``.

    Parameters
    ----------
    deals : str
        Name of a relation as ``attributed_deals_sql`` returns it.
    cooldown_days : int
        Days after a lost deal until its lead is back.
    """
    return f"""
        SELECT lead_id, closed_at AS starts_at, TIMESTAMPTZ 'infinity' AS ends_at
        FROM {deals} WHERE won AND closed_at IS NOT NULL
        UNION ALL
        SELECT lead_id, opened_at, coalesce(closed_at, TIMESTAMPTZ 'infinity')
        FROM {deals} WHERE opened_at IS NOT NULL
        UNION ALL
        SELECT lead_id, closed_at,
            closed_at + INTERVAL {cooldown_days * 24} HOUR - INTERVAL 1 MICROSECOND
        FROM {deals} WHERE NOT won AND closed_at IS NOT NULL
    """


def _deals(tables: CanonicalTables, observed_until: datetime) -> str:
    def column(name: str, type_: str) -> str:
        return name if tables.has("outcomes", name) else f"CAST(NULL AS {type_})"

    opened = column("opened_at", "TIMESTAMPTZ")
    closed = column("closed_at", "TIMESTAMPTZ")
    until = literal(observed_until)
    return f"""
        WITH known AS (
            SELECT {column("lead_id", "VARCHAR")} AS contact,
                {column("account_id", "VARCHAR")} AS account_id,
                CASE WHEN {opened} IS NULL AND {closed} IS NULL THEN {until}
                    ELSE {opened} END AS opened_at,
                CASE WHEN won OR {closed} < {until} THEN {closed} END AS closed_at,
                coalesce(won, FALSE) AS won
            FROM {tables.relation("outcomes")}
        )
        SELECT row_number() OVER () AS deal, *, coalesce(closed_at, {until}) AS judged_at
        FROM known
    """


def _contacts(tables: CanonicalTables) -> str:
    """Deals with the lead of their contact; NULL where they name none that is known."""
    alias, link = "NULL", ""
    if tables.has("identities"):
        link = (
            "LEFT JOIN (SELECT alias, arg_max(lead_id, (linked_at, lead_id)) AS lead_id"
            f" FROM {tables.relation('identities')} GROUP BY alias) i ON d.contact = i.alias"
        )
        alias = "i.lead_id"
    leads = tables.relation("leads")
    return f"""
        SELECT d.*, coalesce(l.lead_id, {alias}) AS lead_id
        FROM all_deals d LEFT JOIN {leads} l ON d.contact = l.lead_id {link}
    """


def _account_deals(tables: CanonicalTables) -> str:
    """Deals without a known contact, once for each lead of their account that they belong to."""
    active = "FALSE"
    if tables.has("events", "lead_id"):
        active = f"""EXISTS (
            SELECT 1 FROM {tables.relation("events")} e WHERE e.lead_id = l.lead_id
            AND e.occurred_at < d.judged_at
            AND e.occurred_at >= d.judged_at - INTERVAL {ATTRIBUTION_DAYS * 24} HOUR
        )"""
    return f"""
        SELECT d.deal, l.lead_id, d.opened_at, d.closed_at, d.won, {active} AS active
        FROM contact_deals d JOIN {tables.relation("leads")} l ON d.account_id = l.account_id
        WHERE d.lead_id IS NULL AND l.created_at < d.judged_at
        QUALIFY active OR NOT bool_or(active) OVER (PARTITION BY d.deal)
    """
