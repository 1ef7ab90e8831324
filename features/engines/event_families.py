"""Which families of features the training data has something to say for."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadlight.features.definition import AccountFamily, EmailRate, HistoryFamily
from leadlight.features.funnel import email_role, is_sales_touch
from leadlight.features.tables import CanonicalTables

from .duckdb import DuckDBEngine

MIN_LEADS = 20
"""A family is on if this many leads of the training snapshots differ by it."""

_SAME = 0.95
"""A measure correlated with the count beyond this, on the scale of logarithms, repeats it."""

_SAMPLE = 50_000
_ROLES: tuple[EmailRate, ...] = ("open", "click", "unsubscribe")


@dataclass(frozen=True)
class KindMeasures:
    """Kinds of event, "" for any, for which more than their count is worth measuring.

    Attributes
    ----------
    active_days_of, details_of, values_of : tuple of str
    """

    active_days_of: tuple[str, ...] = ()
    details_of: tuple[str, ...] = ()
    values_of: tuple[str, ...] = ()


def kind_measures(
    engine: DuckDBEngine, stream: str, leads: str, kinds: Sequence[str]
) -> KindMeasures:
    """Find the kinds whose days, details or values say more than their count.

    Parameters
    ----------
    stream : str
        The events of the timeline, ``kind`` by name.
    leads : str
        The leads of the training snapshots, as ``leads_sql`` gives them.
    kinds : sequence of str
        Kinds with features of their own.
    """
    ((n_leads,),) = engine.rows(f"SELECT count(*) FROM {leads}")
    step = -(-n_leads // _SAMPLE) or 1
    per_lead = f"""
        SELECT kind, ln(1 + count(*)) AS n, count(*) AS events,
            count(DISTINCT occurred_at // 86400000000) AS days,
            count(*) FILTER (detail >= 0) AS detailed,
            count(DISTINCT detail) FILTER (detail >= 0) AS details,
            count(*) FILTER (value <> 0) AS valued
        FROM ({stream}) s JOIN {leads} l ON s.lead = l.code
        WHERE known_at < epoch_us(last_as_of) AND lead % {step} = 0
        GROUP BY GROUPING SETS ((kind, lead), (lead))
    """
    # Where grouped by lead alone, kind is NULL: events of any kind.
    found = engine.rows(f"""
        SELECT coalesce(kind, ''),
            count(*) FILTER (events > days) >= {MIN_LEADS} AND corr(n, ln(1 + days)) < {_SAME},
            count(*) FILTER (details > 1 AND details < detailed) >= {MIN_LEADS}
                AND corr(n, ln(1 + details)) < {_SAME},
            count(*) FILTER (valued > 0) >= {MIN_LEADS}
        FROM ({per_lead}) GROUP BY kind ORDER BY 1
    """)
    listed = [row for row in found if row[0] == "" or row[0] in kinds]
    return KindMeasures(
        tuple(kind for kind, says_more, _, _ in listed if kind and says_more),
        tuple(kind for kind, _, says_more, _ in listed if says_more),
        tuple(kind for kind, _, _, says_more in listed if says_more),
    )


def email_rates(events: dict[str, int]) -> tuple[tuple[EmailRate, float], ...]:
    """Return how many opens, clicks and unsubscribes an e-mail has.

    Parameters
    ----------
    events : dict of str to int
        Events of each kind with features of its own, in training.
    """
    number = dict.fromkeys(("send", *_ROLES), 0)
    for kind, n in events.items():
        role = email_role(kind)
        if role is not None:
            number[role] += n
    if not number["send"]:
        return ()
    return tuple((role, number[role] / number["send"]) for role in _ROLES if number[role])


def account_families(
    engine: DuckDBEngine, tables: CanonicalTables, snapshots: str, *, has_kinds: bool
) -> tuple[AccountFamily, ...]:
    """Find what is known of the buying groups; nothing where hardly any has several leads."""
    if tables.is_flat or not tables.has("leads", "account_id"):
        return ()
    leads = tables.relation("leads")
    ((together,),) = engine.rows(f"""
        SELECT count(*) FROM (SELECT DISTINCT lead_id, account_id FROM {snapshots})
        WHERE account_id IN (
            SELECT account_id FROM {leads} GROUP BY account_id HAVING count(*) > 1
        )
    """)
    if together < MIN_LEADS:
        return ()
    found: list[AccountFamily] = []
    if has_kinds:
        found.append("activity")
        if tables.has("leads", "job_title"):
            found.append("seniority")
    if tables.has("leads", "created_at"):
        found.append("leads")
    if tables.has("outcomes", "closed_at"):
        found.append("deals")
    return tuple(found)


def history_families(
    engine: DuckDBEngine, tables: CanonicalTables, snapshots: str, kinds: Sequence[str]
) -> tuple[HistoryFamily, ...]:
    """Find what is known of the leads' earlier way through the funnel."""
    if tables.is_flat:
        return ()
    last = f"(SELECT lead_id, max(as_of) AS last_as_of FROM {snapshots} GROUP BY lead_id) s"

    def leads_with(table: str, column: str, condition: str = "TRUE") -> bool:
        if not (tables.has(table, column) and tables.has(table, "lead_id")):
            return False
        ((n,),) = engine.rows(
            f"SELECT count(DISTINCT s.lead_id) FROM {tables.relation(table)} t"
            f" JOIN {last} ON t.lead_id = s.lead_id WHERE t.{column} < last_as_of AND {condition}"
        )
        return bool(n >= MIN_LEADS)

    found: list[HistoryFamily] = []
    judged = leads_with("feedback", "decided_at")
    lost = leads_with("outcomes", "closed_at", "NOT t.won")
    if judged:
        found.append("earlier_mqls")
    if lost:
        found.append("times_recycled")
    if judged or lost or any(is_sales_touch(kind) for kind in kinds):
        found.append("sales_touch")
    return tuple(found)
