"""Feedback of sales in SQL: which snapshots each decision judges."""

from .sql import literal
from .tables import CanonicalTables


def judged_snapshots_sql(tables: CanonicalTables, snapshots: str, horizon_days: int) -> str:
    """Return SQL for each decision with each snapshot of its lead in whose horizon it fell.

    A decision at the very instant of a snapshot had not been made yet, so it judges the snapshot,
    as a win then would count; one at the end of the horizon does not. Columns ``lead_id``,
    ``as_of``, ``decided_at``, ``accepted``, ``reason`` (NULL where none is given), in the order of
    decisions, then snapshots; no rows in a project without feedback.

    Parameters
    ----------
    tables : CanonicalTables
    snapshots : str
        Relation with ``lead_id`` and ``as_of``.
    horizon_days : int
        Days after ``as_of`` within which a decision counts.
    """
    feedback = (
        tables.relation("feedback")
        if tables.has("feedback")
        else "(SELECT NULL::VARCHAR AS lead_id, NULL::TIMESTAMPTZ AS decided_at,"
        " NULL::BOOLEAN AS accepted WHERE FALSE)"
    )
    reason = "nullif(trim(f.reason), '')" if tables.has("feedback", "reason") else literal(None)
    return f"""
        SELECT s.lead_id, s.as_of, f.decided_at, f.accepted, CAST({reason} AS VARCHAR) AS reason
        FROM {snapshots} s JOIN {feedback} f ON s.lead_id = f.lead_id
            AND f.decided_at >= s.as_of
            AND f.decided_at < s.as_of + INTERVAL {horizon_days * 24} HOUR
        ORDER BY f.decided_at, s.lead_id, s.as_of
    """
