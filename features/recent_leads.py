"""Leads of which something became known since an instant, and those who share their company."""

from datetime import datetime

from .sql import literal
from .tables import CanonicalTables

_KNOWN = {
    "events": ("occurred_at", "recorded_at"),
    "outcomes": ("opened_at", "closed_at"),
    "feedback": ("decided_at",),
}


def recent_leads_sql(tables: CanonicalTables, since: datetime) -> str:
    """Return SQL for the leads whose score may have changed since: ``lead_id``.

    An event, a deal, a verdict of sales, a new alias or the lead's own creation counts from when
    it became known. What a lead does also tells of its company, so that all leads of the account
    are returned with it.

    Parameters
    ----------
    since : datetime
        Aware; what became known at it counts.
    """
    start = literal(since)
    leads = tables.relation("leads")
    names = [f"SELECT lead_id AS name FROM {leads} WHERE created_at >= {start}"]
    accounts = []
    for table, columns in _KNOWN.items():
        known = [column for column in columns if tables.has(table, column)]
        if not known:
            continue
        news = " OR ".join(f"{column} >= {start}" for column in known)
        rows = f"FROM {tables.relation(table)} WHERE {news}"
        if tables.has(table, "lead_id"):
            names.append(f"SELECT lead_id AS name {rows}")
        if tables.has(table, "account_id"):
            accounts.append(f"SELECT account_id {rows}")
    aliases = ""
    if tables.has("identities"):
        links = tables.relation("identities")
        names.append(f"SELECT lead_id AS name FROM {links} WHERE linked_at >= {start}")
        aliases = f" UNION SELECT lead_id FROM {links} WHERE alias IN (FROM names)"
    own = f"SELECT lead_id FROM {leads} WHERE lead_id IN (FROM names){aliases}"
    with_names = f"WITH names AS ({' UNION '.join(names)})"
    if not tables.has("leads", "account_id"):
        return f"{with_names} {own}"
    accounts.append(f"SELECT account_id FROM {leads} SEMI JOIN own USING (lead_id)")
    return f"""
        {with_names}, own AS ({own}), companies AS ({" UNION ".join(accounts)})
        SELECT lead_id FROM own
        UNION SELECT lead_id FROM {leads} SEMI JOIN companies USING (account_id)"""
