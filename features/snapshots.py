"""Snapshots: which lead is looked at as of which instant, and what became of it.

Training, scoring and evaluation all look at the at-risk population, which ``population`` defines;
training looks at mature snapshots only, those whose horizon is observed to its end.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .engines.duckdb import DuckDBEngine
from .errors import ConfigError, NotEnoughDataError
from .population import (
    ObservedWindow,
    SnapshotPlan,
    candidates_sql,
    flat_snapshots_sql,
    sample_sql,
    scoring_sql,
)
from .sql import parquet
from .tables import CanonicalTables

__all__ = [
    "ObservedWindow",
    "SnapshotCounts",
    "SnapshotPlan",
    "observed_window",
    "scoring_snapshots",
    "training_snapshots",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SnapshotCounts:
    """How many snapshots there are, and why others are not.

    Attributes
    ----------
    rows, leads, positives : int
        Written snapshots, the leads among them, and those with a true label.
    immature_dropped : int
        Their horizon ends after the observed window.
    not_at_risk_dropped : int
        Their lead was a customer, in the hands of sales, or cooling down.
    before_observation_dropped : int
        Taken before outcomes were recorded.
    sampled_out : int
        Left out to keep to ``max_rows``.
    horizon_over_dropped : int
        At scoring by age: their horizon has passed, so there is nothing left to predict.
    labelled : int
        At scoring of a flat table: rows whose outcome is known already.
    """

    rows: int
    leads: int
    positives: int
    immature_dropped: int = 0
    not_at_risk_dropped: int = 0
    before_observation_dropped: int = 0
    sampled_out: int = 0
    horizon_over_dropped: int = 0
    labelled: int = 0


def observed_window(
    engine: DuckDBEngine, tables: CanonicalTables, plan: SnapshotPlan
) -> ObservedWindow:
    """Find between which instants outcomes are known: configured, or first closing to last win.

    Losses do not move the last edge: the date of a deal that is not won may be an expected one.

    Raises
    ------
    ConfigError
        There are no outcomes, or the window ends before it begins.
    NotEnoughDataError
        No deal has closed yet, and the window is not configured either.
    """
    first, last = _closings(engine, tables)
    start, end = plan.observed_from or first, plan.observed_until or last
    if start is None or end is None:
        raise NotEnoughDataError(
            "outcomes: no deal has a closed_at, so nothing is known of wins and losses",
            hint="Map the closing date under sources.outcomes.columns.closed_at.",
        )
    start, end = start.astimezone(UTC), end.astimezone(UTC) - timedelta(days=plan.lag_days)
    if end <= start:
        raise ConfigError(
            f"outcomes are observed from {start:%Y-%m-%d} until {end:%Y-%m-%d}, which is no time",
            hint="Check sources.outcomes.observed_from, observed_until and lag_days.",
        )
    edges = (
        f"from {start:%Y-%m-%d} ({'as configured' if plan.observed_from else 'first closing'})"
        f" until {end:%Y-%m-%d} ({'as configured' if plan.observed_until else 'last win'}"
        f"{f', less {plan.lag_days} days' if plan.lag_days else ''})"
    )
    return ObservedWindow(start, end, f"Outcomes are known {edges}.")


def training_snapshots(
    engine: DuckDBEngine, tables: CanonicalTables, plan: SnapshotPlan, path: Path
) -> SnapshotCounts:
    """Write the mature snapshots of leads at risk, with their labels, to a Parquet file.

    Columns ``lead_id``, ``account_id``, ``as_of``, ``label``, ``position``, ``win_after_days``;
    ordered by time, then lead. ``win_after_days`` is how long after ``as_of`` the win came, null
    for a loss: what was known of a label at an earlier instant follows from it. The grid is
    anchored at the last midnight (UTC) whose horizon is observed, and steps back. A flat table's
    rows are snapshots as they are: no ``as_of`` and so no ``win_after_days``, and ``position`` for
    their order.

    Raises
    ------
    ConfigError
        No outcomes, no ``created_at``, or an observed window that cannot be.
    NotEnoughDataError
        No deal has closed yet.
    """
    if tables.is_flat:
        candidates = (
            "SELECT *, CAST(NULL AS DOUBLE) AS win_after_days,"
            " CASE WHEN label IS NULL THEN 'unlabelled' ELSE 'kept' END AS status"
            f" FROM ({flat_snapshots_sql(tables)})"
        )
    else:
        _require_dates(tables)
        window = observed_window(engine, tables, plan)
        leads = tables.relation("leads")
        first = _instant(engine, f"SELECT epoch_us(min(created_at)) FROM {leads}")
        candidates = candidates_sql(tables, plan, window, first)
    counts = dict(engine.rows(f"SELECT status, count(*) FROM ({candidates}) GROUP BY status"))
    kept = f"SELECT * EXCLUDE (status) FROM ({candidates}) WHERE status = 'kept'"
    sampled = kept if plan.max_rows is None else sample_sql(kept, plan.max_rows)
    written = _write(engine, sampled, path)
    return SnapshotCounts(
        *written,
        immature_dropped=counts.get("immature", 0),
        not_at_risk_dropped=counts.get("not_at_risk", 0),
        before_observation_dropped=counts.get("before_observation", 0),
        sampled_out=counts.get("kept", 0) - written[0],
    )


def scoring_snapshots(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    plan: SnapshotPlan,
    as_of: datetime,
    path: Path,
) -> SnapshotCounts:
    """Write one snapshot for each lead at risk at ``as_of`` to a Parquet file, without labels.

    With ``at_age_days``, a lead's snapshot is the latest of its ages that it has reached, as long
    as its horizon is not over.

    Parameters
    ----------
    as_of : datetime
        Aware. A flat table has no time: the rows without a label are snapshots, or, where each
        has one, all rows.

    Raises
    ------
    ConfigError
        The leads have no ``created_at``.
    """
    if tables.is_flat:
        return _flat_scoring_snapshots(engine, tables, path)
    _require_dates(tables)
    # All that closed before as_of is known; an open deal without a date blocks at as_of.
    now = scoring_sql(tables, plan, as_of, as_of - timedelta(microseconds=1))
    counts = dict(engine.rows(f"SELECT status, count(*) FROM ({now}) GROUP BY status"))
    kept = f"SELECT * EXCLUDE (status) FROM ({now}) WHERE status = 'kept'"
    written = _write(engine, kept, path)
    return SnapshotCounts(
        *written,
        not_at_risk_dropped=counts.get("not_at_risk", 0),
        horizon_over_dropped=counts.get("horizon_over", 0),
    )


def _flat_scoring_snapshots(
    engine: DuckDBEngine, tables: CanonicalTables, path: Path
) -> SnapshotCounts:
    rows = flat_snapshots_sql(tables)
    labelled, total = engine.rows(f"SELECT count(label), count(*) FROM ({rows})")[0]
    new = rows if labelled == total else f"SELECT * FROM ({rows}) WHERE label IS NULL"
    return SnapshotCounts(*_write(engine, new, path), labelled=labelled)


def _write(engine: DuckDBEngine, sql: str, path: Path) -> tuple[int, int, int]:
    engine.write_parquet(
        f"SELECT * FROM ({sql}) ORDER BY as_of, position NULLS LAST, lead_id", path
    )
    rows, leads, positives = engine.rows(
        f"SELECT count(*), count(DISTINCT lead_id), count(*) FILTER (label) FROM {parquet(path)}"
    )[0]
    return rows, leads, positives


def _require_dates(tables: CanonicalTables) -> None:
    if not tables.has("leads", "created_at"):
        raise ConfigError(
            "leads: created_at is missing, so no lead can be placed in time",
            hint="Map it under sources.leads.columns.created_at, or, for a table with one label"
            " per row, say sources.leads.won.",
        )


def _closings(
    engine: DuckDBEngine, tables: CanonicalTables
) -> tuple[datetime | None, datetime | None]:
    if not tables.has("outcomes", "closed_at"):
        return None, None
    outcomes = tables.relation("outcomes")
    return (
        _instant(engine, f"SELECT epoch_us(min(closed_at)) FROM {outcomes}"),
        _instant(
            engine,
            "SELECT epoch_us(coalesce(max(closed_at) FILTER (won), max(closed_at)))"
            f" FROM {outcomes}",
        ),
    )


def _instant(engine: DuckDBEngine, sql: str) -> datetime | None:
    microseconds = engine.rows(sql)[0][0]
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
