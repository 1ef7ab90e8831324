"""The at-risk population in SQL: every snapshot that could be, and whether it is one.

At ``as_of`` a lead is at risk if it

- had been created: ``created_at < as_of``;
- was not a customer: none of its wins closed before ``as_of``;
- was not in the hands of sales: none of its deals had been opened before ``as_of`` and was to close
  at ``as_of`` or later (or is open still);
- was not cooling down: none of its deals was lost in the ``cooldown_days`` before ``as_of``; at
  exactly that many days it is back.

What happens at the very instant ``as_of`` has not happened yet: a win at ``as_of`` leaves the lead
at risk and makes its label true.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .errors import ConfigError
from .outcomes import attributed_deals_sql, blocked_sql
from .sql import literal
from .tables import CanonicalTables


@dataclass(frozen=True)
class SnapshotPlan:
    """Which snapshots are taken of leads, and what counts as their label.

    Attributes
    ----------
    horizon_days : int
        A win in ``[as_of, as_of + horizon_days)`` makes the label true.
    every_days : int or None
        Distance of a regular grid, midnight UTC; or:
    at_age_days : tuple of int
        Snapshots these many days after the lead's creation. Takes precedence over the grid.
    cooldown_days : int
        Days after a lost deal until the lead is at risk again.
    observed_from, observed_until : datetime or None
        Between which instants outcomes are known; default: the first closing and the last win.
    lag_days : int
        How long before ``observed_until`` outcomes may still be missing, in days.
    max_rows : int or None
        More training snapshots than this are thinned to a sample of whole leads.

    Raises
    ------
    ConfigError
        A number that cannot be meant.
    """

    horizon_days: int = 90
    every_days: int | None = 30
    at_age_days: tuple[int, ...] = ()
    cooldown_days: int = 90
    observed_from: datetime | None = None
    observed_until: datetime | None = None
    lag_days: int = 0
    max_rows: int | None = None

    def __post_init__(self) -> None:
        if self.every_days is None and not self.at_age_days:
            raise ConfigError(
                "snapshots: neither every_days nor at_age_days is set",
                hint="For example: snapshots: {every_days: 30}",
            )
        for name, value, least in (
            ("label.horizon_days", self.horizon_days, 1),
            ("snapshots.every_days", self.every_days, 1),
            ("snapshots.at_age_days", min(self.at_age_days, default=None), 1),
            ("snapshots.max_rows", self.max_rows, 1),
            ("label.cooldown_days", self.cooldown_days, 0),
            ("sources.outcomes.lag_days", self.lag_days, 0),
        ):
            if value is not None and value < least:
                raise ConfigError(f"{name} is {value}; the least is {least}")


@dataclass(frozen=True)
class ObservedWindow:
    """Between which instants the fate of leads is known.

    Attributes
    ----------
    observed_from, observed_until : datetime
        Aware, UTC.
    how : str
        Where the two edges come from, as a sentence.
    """

    observed_from: datetime
    observed_until: datetime
    how: str


def flat_snapshots_sql(tables: CanonicalTables) -> str:
    """Return SQL for the rows of a flat table as snapshots."""
    position = "position" if tables.has("leads", "position") else "CAST(NULL AS DOUBLE)"
    return (
        f"SELECT lead_id, {_account(tables)} AS account_id, CAST(NULL AS TIMESTAMPTZ) AS as_of,"
        f" converted AS label, {position} AS position FROM {tables.relation('leads')}"
    )


def candidates_sql(
    tables: CanonicalTables, plan: SnapshotPlan, window: ObservedWindow, first: datetime | None
) -> str:
    """Return SQL for every snapshot that could be, with its label and its ``status``.

    ``win_after_days`` is how long after ``as_of`` the win came that makes the label true, in days;
    NULL where the label is false. ``status`` is ``kept``, or why not: ``before_observation``,
    ``immature``, ``not_at_risk``.

    Parameters
    ----------
    first : datetime or None
        When the first lead was created; None if there is none.
    """
    horizon = _days(plan.horizon_days)
    start, end = literal(window.observed_from), literal(window.observed_until)
    return f"""
        WITH deals AS ({attributed_deals_sql(tables, window.observed_until)}),
        blocked AS ({blocked_sql("deals", plan.cooldown_days)}),
        wins AS (
            SELECT lead_id, min(closed_at) AS won_at FROM deals
            WHERE won AND closed_at IS NOT NULL GROUP BY lead_id
        ),
        candidates AS ({_instants_sql(tables, plan, _grid(plan, window, first))}),
        labelled AS (
            SELECT c.*, w.won_at,
                coalesce(w.won_at >= c.as_of AND w.won_at < c.as_of + {horizon}, FALSE) AS label
            FROM candidates c LEFT JOIN wins w USING (lead_id)
        )
        SELECT c.lead_id, c.account_id, c.as_of, c.label, CAST(NULL AS DOUBLE) AS position,
            CASE WHEN c.label
                THEN (epoch_us(c.won_at) - epoch_us(c.as_of)) / {86_400_000_000}.0
            END AS win_after_days,
            CASE
                WHEN c.as_of < {start} THEN 'before_observation'
                WHEN c.as_of + {horizon} > {end} THEN 'immature'
                WHEN {_is_blocked("c")} THEN 'not_at_risk'
                ELSE 'kept'
            END AS status
        FROM labelled c
    """


def scoring_sql(
    tables: CanonicalTables, plan: SnapshotPlan, as_of: datetime, until: datetime
) -> str:
    """Return SQL for the snapshot of each lead created before ``as_of``, with its ``status``.

    ``status`` is ``kept``, or why not: ``not_at_risk``, or ``horizon_over`` where the snapshot, at
    a given age, lies so far back that there is nothing left to predict.

    Parameters
    ----------
    as_of : datetime
        At which instant a lead has to be at risk.
    until : datetime
        Until when outcomes are known.
    """
    now = literal(as_of)
    at = now
    where = f"l.created_at < {now}"
    if plan.at_age_days:
        ages = " ".join(
            f"WHEN l.created_at + {_days(age)} <= {now} THEN l.created_at + {_days(age)}"
            for age in sorted(plan.at_age_days, reverse=True)
        )
        at = f"CASE {ages} END"
        where = f"l.created_at + {_days(min(plan.at_age_days))} <= {now}"
    return f"""
        WITH deals AS ({attributed_deals_sql(tables, until)}),
        blocked AS ({blocked_sql("deals", plan.cooldown_days)}),
        candidates AS (
            SELECT l.lead_id, {_account(tables, "l.")} AS account_id, {now} AS now, {at} AS as_of
            FROM {tables.relation("leads")} l WHERE {where}
        )
        SELECT c.lead_id, c.account_id, c.as_of, CAST(NULL AS BOOLEAN) AS label,
            CAST(NULL AS DOUBLE) AS position,
            CASE
                WHEN {_is_blocked("c", "now")} THEN 'not_at_risk'
                WHEN c.as_of + {_days(plan.horizon_days)} <= c.now THEN 'horizon_over'
                ELSE 'kept'
            END AS status
        FROM candidates c
    """


def sample_sql(snapshots: str, max_rows: int) -> str:
    """Return SQL for at most so many snapshots: all those of leads that a hash puts first."""
    return f"""
        WITH snapshots AS ({snapshots}),
        leads AS (SELECT lead_id, count(*) AS n FROM snapshots GROUP BY lead_id),
        sample AS (
            SELECT lead_id FROM leads
            QUALIFY sum(n) OVER (ORDER BY md5(lead_id), lead_id ROWS UNBOUNDED PRECEDING)
                <= {max_rows}
        )
        SELECT snapshots.* FROM snapshots SEMI JOIN sample USING (lead_id)
    """


def _grid(plan: SnapshotPlan, window: ObservedWindow, first: datetime | None) -> list[datetime]:
    """Midnights on either side of the last one whose horizon is observed."""
    if plan.every_days is None or plan.at_age_days or first is None:
        return []
    step = timedelta(days=plan.every_days)
    last = window.observed_until - timedelta(days=plan.horizon_days)
    anchor = last.replace(hour=0, minute=0, second=0, microsecond=0)
    before = max((anchor - first) // step, -1)
    after = max((window.observed_until - anchor) // step, 0)
    return [anchor + number * step for number in range(-before, after + 1)]


def _instants_sql(tables: CanonicalTables, plan: SnapshotPlan, grid: list[datetime]) -> str:
    leads = f"{tables.relation('leads')} l"
    columns = f"l.lead_id, {_account(tables, 'l.')} AS account_id"
    if plan.at_age_days:
        ages = ", ".join(f"({age})" for age in sorted(set(plan.at_age_days)))
        return (
            f"SELECT {columns}, l.created_at + to_hours(ages.days * 24) AS as_of"
            f" FROM {leads} CROSS JOIN (VALUES {ages}) ages(days) WHERE l.created_at IS NOT NULL"
        )
    instants = ", ".join(f"({literal(instant)})" for instant in grid)
    times = f"(VALUES {instants})" if grid else "(SELECT NULL::TIMESTAMPTZ WHERE FALSE)"
    return (
        f"SELECT {columns}, grid.as_of FROM {leads} JOIN {times} grid(as_of)"
        " ON l.created_at < grid.as_of"
    )


def _is_blocked(alias: str, instant: str = "as_of") -> str:
    return (
        f"EXISTS (SELECT 1 FROM blocked b WHERE b.lead_id = {alias}.lead_id"
        f" AND b.starts_at < {alias}.{instant} AND {alias}.{instant} <= b.ends_at)"
    )


def _days(days: int) -> str:
    # Hours, not days: a day of a TIMESTAMPTZ is the session zone's, which may be 23 hours long.
    return f"INTERVAL {days * 24} HOUR"


def _account(tables: CanonicalTables, prefix: str = "") -> str:
    has = tables.has("leads", "account_id")
    return f"{prefix}account_id" if has else "CAST(NULL AS VARCHAR)"
