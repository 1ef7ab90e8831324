"""SQL for the milestones of the timeline: created, titled, handed to sales, won, lost."""

from leadlight.features.definition import FeatureDefinition
from leadlight.features.kernel import Milestone
from leadlight.features.tables import CanonicalTables
from leadlight.features.titles import SENIORITIES, seniority_sql

# Before every time that a table can hold, and far enough from the edge to be subtracted from.
_ALWAYS = "-4611686018427387904"


def title_rank_sql(title: str) -> str:
    """Return SQL for the rank of a title's seniority, from 0 for the least; -1 for none."""
    return f"coalesce(list_position({_seniorities()}, {seniority_sql(title)}) - 1, -1)"


def seniority_rank(seniority: str | None) -> int:
    """Return what ``title_rank_sql`` says of a title with this seniority."""
    return -1 if seniority is None else SENIORITIES.index(seniority)


def milestones_sql(
    tables: CanonicalTables, definition: FeatureDefinition, leads: str, *, rank: str | None = None
) -> str:
    """Return SQL for the milestones that the definition needs, shaped as ``stream_sql`` does.

    Parameters
    ----------
    leads : str
        A relation as ``leads_sql`` returns it, of whole accounts.
    rank : str, optional
        SQL for what ``title_rank_sql`` says of ``p.job_title``, where it is known already.

    Returns
    -------
    str
        Empty where none is needed.
    """
    parts = []
    if {"activity", "leads"} & set(definition.account) and tables.has("leads", "created_at"):
        parts.append(_of_leads(tables, leads, Milestone.CREATED, "epoch_us(p.created_at)"))
    if "seniority" in definition.account and tables.has("leads", "job_title"):
        rank = rank or title_rank_sql("p.job_title")
        parts.append(_of_leads(tables, leads, Milestone.TITLE, _ALWAYS, rank))
    if tables.has("outcomes"):
        if "deals" in definition.account:
            parts.append(_account_deals(tables, leads))
        if tables.has("outcomes", "lead_id"):
            parts += _own_deals(tables, definition, leads)
    if tables.has("feedback"):
        parts += _feedback(tables, definition, leads)
    return " UNION ALL ".join(parts)


def _entry(source: str, kind: str, at: str, value: str = "NULL") -> str:
    return (
        f"SELECT n.bucket, n.code AS lead, n.account, {at} AS occurred_at, {at} AS known_at,"
        f" {kind} AS kind, -1 AS detail, {value} AS value, TRUE AS own FROM {source}"
    )


def _of_leads(
    tables: CanonicalTables, leads: str, kind: Milestone, at: str, value: str = "NULL"
) -> str:
    source = f"{leads} n JOIN {tables.relation('leads')} p ON n.lead_id = p.lead_id"
    return f"{_entry(source, str(int(kind)), at, value)} WHERE {at} IS NOT NULL"


def _seniorities() -> str:
    return "[" + ", ".join(f"'{name}'" for name in SENIORITIES) + "]"


def _own_deals(tables: CanonicalTables, definition: FeatureDefinition, leads: str) -> list[str]:
    outcomes = f"{tables.relation('outcomes')} o JOIN {leads} n ON o.lead_id = n.lead_id"
    parts = []
    if "times_recycled" in definition.history:
        lost = _entry(outcomes, str(int(Milestone.LOST)), "epoch_us(o.closed_at)")
        parts.append(f"{lost} WHERE NOT o.won AND o.closed_at IS NOT NULL")
    if "sales_touch" in definition.history:
        for column in ("opened_at", "closed_at"):
            if tables.has("outcomes", column):
                at = f"epoch_us(o.{column})"
                touch = _entry(outcomes, str(int(Milestone.SALES_TOUCH)), at)
                parts.append(f"{touch} WHERE o.{column} IS NOT NULL")
    return parts


def _feedback(tables: CanonicalTables, definition: FeatureDefinition, leads: str) -> list[str]:
    feedback = f"{tables.relation('feedback')} f JOIN {leads} n ON f.lead_id = n.lead_id"
    at = "epoch_us(f.decided_at)"
    parts = []
    if "earlier_mqls" in definition.history:
        accepted, rejected = int(Milestone.ACCEPTED), int(Milestone.REJECTED)
        kind = f"CASE WHEN f.accepted THEN {accepted} ELSE {rejected} END"
        parts.append(_entry(feedback, kind, at))
    if "sales_touch" in definition.history:
        parts.append(_entry(feedback, str(int(Milestone.SALES_TOUCH)), at))
    return parts


def _account_deals(tables: CanonicalTables, leads: str) -> str:
    """Each deal once for each account that it belongs to, however many contacts it has."""
    deal = "concat('row ', row)"
    if tables.has("outcomes", "deal_id"):
        deal = f"coalesce('deal ' || o.deal_id, {deal})"  # concat() would pass over NULL
    outcomes = f"(SELECT *, row_number() OVER () AS row FROM {tables.relation('outcomes')})"
    parts = []
    if tables.has("outcomes", "lead_id"):
        # Before its contact became a lead, nobody knew that the deal was the account's.
        known, contact = "o.closed_at", f"{leads} n ON o.lead_id = n.lead_id"
        if tables.has("leads", "created_at"):
            known = "greatest(o.closed_at, coalesce(p.created_at, o.closed_at))"
            contact += f" JOIN {tables.relation('leads')} p ON p.lead_id = n.lead_id"
        parts.append((known, contact))
    if tables.has("outcomes", "account_id"):
        accounts = f"(SELECT DISTINCT bucket, account, account_id FROM {leads})"
        parts.append(("o.closed_at", f"{accounts} n ON o.account_id = n.account_id"))
    found = " UNION ALL ".join(
        f"SELECT n.bucket, n.account, {deal} AS deal, o.won, {known} AS closed_at"
        f" FROM {outcomes} o JOIN {join} WHERE o.closed_at IS NOT NULL"
        for known, join in parts
    )
    won, lost = int(Milestone.ACCOUNT_WON), int(Milestone.ACCOUNT_LOST)
    deals = (
        "(SELECT bucket, account, -1 AS code, won, min(closed_at) AS closed_at"
        f" FROM ({found}) GROUP BY bucket, account, deal, won) n"
    )
    return _entry(deals, f"CASE WHEN n.won THEN {won} ELSE {lost} END", "epoch_us(n.closed_at)")
