"""The agreement between marketing and sales, gathered: definition, volumes, verdicts, promise."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ConfigError, LeadNotFoundError, ModelNotFoundError
from leadlight.features.snapshots import observed_window, training_snapshots
from leadlight.features.tables import CanonicalTables
from leadlight.models.agreement import (
    Concern,
    Month,
    Standing,
    acceptance,
    months,
    realised,
    rejections,
    review,
)
from leadlight.models.bootstrap import Estimate, clustered_share

from .config import Config
from .definitions import Definition, definitions
from .prepare import engine_of, snapshot_plan
from .scores import newest_partition, read_scores
from .status import lifecycle_runs, read_transitions
from .workspace import Workspace

_RECENT = pd.Timedelta(days=180)
_MOST_ROWS = 200_000


@dataclass(frozen=True)
class AgreementFacts:
    """What both teams should know of the definition that holds.

    Attributes
    ----------
    definitions : sequence of Definition
        All, the one that holds last.
    months : list of Month
    standing : Standing
    concerns : list of Concern
    rejections : list of (str, int)
        Recent reasons of rejections with their number.
    logged_since : datetime or None
        The first run of the lifecycle, UTC.
    """

    definitions: Sequence[Definition]
    months: list[Month]
    standing: Standing
    concerns: list[Concern]
    rejections: list[tuple[str, int]]
    logged_since: datetime | None


def agreement_facts(config: Config) -> AgreementFacts:
    """Gather what is known of the agreement, from ledger, scores and tables.

    Raises
    ------
    ConfigError
        The project is a flat table, which has no time and so no lifecycle.
    ModelNotFoundError
        Nothing was trained yet.
    """
    known = definitions(config)
    workspace = Workspace(config.workspace_directory)
    tables = CanonicalTables.kept_in(workspace.tables)
    if not known or not tables.columns:
        raise ModelNotFoundError(
            "there is no MQL definition yet", hint="Train first: leadlight train"
        )
    if tables.is_flat:
        raise ConfigError(
            "the agreement is told in months, and a flat table (`leads.won`) has no time",
            hint="Without dates there is `leadlight report`.",
        )
    log = read_transitions(config).to_pandas()
    runs = lifecycle_runs(config)
    with engine_of(config) as engine:
        feedback = _feedback(engine, tables)
        wins = _wins(engine, tables)
        window = observed_window(engine, tables, snapshot_plan(config))
        recent_rate = _recent_rate(config, engine, tables)
    until = pd.Timestamp(window.observed_until)
    since = until - _RECENT
    newest = known[-1]
    standing = Standing(
        today=_today(window.observed_until, runs[-1].as_of if runs else None),
        review_on=newest.review_on,
        base_rate=newest.base_rate,
        recent_rate=recent_rate,
        acceptance=acceptance(feedback, since=since),
        least_acceptance=config.mql.least_acceptance,
        mql_share=_mql_share(workspace),
        promised=newest.policy.get("precision") or newest.precision,
        realised=realised(log, wins, horizon_days=config.label.horizon_days, known_until=until),
    )
    return AgreementFacts(
        known,
        months(log, feedback),
        standing,
        review(standing),
        rejections(feedback, since=since),
        runs[0].as_of if runs else None,
    )


def _today(known_until: datetime, last_run: datetime | None) -> date:
    """Return the day of the data: what it knows, or was scored as of, whichever is later."""
    return max(filter(None, (known_until, last_run))).astimezone(UTC).date()


def _feedback(engine: DuckDBEngine, tables: CanonicalTables) -> pd.DataFrame:
    if not tables.has("feedback"):
        empty = {"lead_id": [], "decided_at": pd.to_datetime([], utc=True), "accepted": []}
        return pd.DataFrame(empty | {"reason": []})
    reason = "nullif(trim(reason), '')" if tables.has("feedback", "reason") else "NULL::VARCHAR"
    rows: pd.DataFrame = engine.table(
        f"SELECT lead_id, decided_at, accepted, {reason} AS reason"
        f" FROM {tables.relation('feedback')} ORDER BY decided_at, lead_id"
    ).to_pandas()
    return rows


def _wins(engine: DuckDBEngine, tables: CanonicalTables) -> pd.DataFrame:
    if not tables.has("outcomes", "lead_id"):
        return pd.DataFrame({"lead_id": [], "closed_at": pd.to_datetime([], utc=True)})
    rows: pd.DataFrame = engine.table(
        f"SELECT lead_id, closed_at FROM {tables.relation('outcomes')}"
        " WHERE won AND closed_at IS NOT NULL AND lead_id IS NOT NULL"
    ).to_pandas()
    return rows


def _recent_rate(config: Config, engine: DuckDBEngine, tables: CanonicalTables) -> Estimate:
    """Return which share of leads converts, of the newest day whose horizon is over."""
    plan = replace(snapshot_plan(config), max_rows=_MOST_ROWS)
    with tempfile.TemporaryDirectory(dir=config.workspace_directory) as folder:
        path = Path(folder) / "snapshots.parquet"
        training_snapshots(engine, tables, plan, path)
        newest = pq.read_table(path, columns=["lead_id", "as_of", "label"])
    newest = newest.filter(pc.equal(newest["as_of"], pc.max(newest["as_of"])))
    label = np.asarray(newest["label"].to_numpy(), dtype=bool)
    return clustered_share(label, np.arange(len(label)))


def _mql_share(workspace: Workspace) -> float | None:
    try:
        mql = read_scores(newest_partition(workspace), ["mql"])["mql"]
    except LeadNotFoundError:
        return None
    return float(pc.mean(mql).as_py()) if len(mql) else None
