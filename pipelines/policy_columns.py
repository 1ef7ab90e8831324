"""What a policy wants to know of held-out snapshots besides their scores: segments and amounts."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ConfigError, did_you_mean
from leadlight.features.sql import identifier, literal, parquet
from leadlight.features.tables import CanonicalTables
from leadlight.models.policies import SEGMENT_COLUMN, Policy, SegmentCapacityPolicy

from .config import Config

_SNAPSHOT = ["lead_id", "as_of"]


def segment_column(policy: Policy) -> str | None:
    """Return the column of the leads by which MQLs have capacities, if the policy names one."""
    return policy.by if isinstance(policy, SegmentCapacityPolicy) else None


def policy_columns(
    config: Config,
    engine: DuckDBEngine,
    tables: CanonicalTables,
    snapshots: Path,
    policy: Policy,
) -> pd.DataFrame:
    """Return what the policies may ask of each training snapshot.

    Parameters
    ----------
    config : Config
    engine : DuckDBEngine
    tables : CanonicalTables
    snapshots : Path
        Parquet with lead_id and as_of.
    policy : Policy
        That will be asked.

    Returns
    -------
    DataFrame
        lead_id, as_of; ``amount`` of the deals won within the horizon, where deals have amounts in
        one currency; the segment, where capacities go by one.

    Raises
    ------
    ConfigError
        The leads have no column of that name.
    """
    of_snapshots = parquet(snapshots)
    columns, joins = ["s.lead_id", "s.as_of"], ""
    if _has_amounts(engine, tables):
        columns.append("won.amount")
        won = _amounts_sql(config, tables, of_snapshots)
        joins += f" LEFT JOIN ({won}) won USING (lead_id, as_of)"
    by = segment_column(policy)
    if by is not None:
        columns.append(f"lead.{SEGMENT_COLUMN}")
        joins += f" LEFT JOIN ({_segments_sql(tables, by)}) lead USING (lead_id)"
    sql = f"SELECT {', '.join(columns)} FROM {of_snapshots} s{joins} ORDER BY s.lead_id, s.as_of"
    found: pd.DataFrame = engine.table(sql).to_pandas()
    return found


def with_policy_columns(held_out: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Add to held-out snapshots what ``policy_columns`` found."""
    if held_out["as_of"].isna().any():
        return held_out
    return held_out.merge(columns, on=_SNAPSHOT, how="left", validate="1:1")


class LeadSegments:
    """The segment of every lead, for a threshold that differs by segment.

    Parameters
    ----------
    engine : DuckDBEngine
    tables : CanonicalTables
    by : str or None
        Column of the leads; None: there are no segments.
    """

    def __init__(self, engine: DuckDBEngine, tables: CanonicalTables, by: str | None) -> None:
        self._engine = engine
        self._sql = None if by is None else _segments_sql(tables, by)

    def beside(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return leads to score with the column of their segment, where there are segments."""
        if self._sql is None:
            return frame
        wanted = pa.table({"lead_id": pa.array(frame["lead_id"], pa.string())})
        with self._engine.registered("scored_leads", wanted):
            known = self._engine.table(f"{self._sql} SEMI JOIN scored_leads USING (lead_id)")
        by_lead = known.to_pandas().set_index("lead_id")[SEGMENT_COLUMN]
        return frame.assign(**{SEGMENT_COLUMN: frame["lead_id"].map(by_lead).astype(object)})


def _segments_sql(tables: CanonicalTables, by: str) -> str:
    if not tables.has("leads", by):
        raise ConfigError(
            f"mql.by is '{by}', but the leads have no such column."
            f"{did_you_mean(by, tables.columns['leads'])}",
            hint="Name a column of the leads: country, source, owner.",
        )
    return (
        f"SELECT lead_id, CAST({identifier(by)} AS VARCHAR) AS {SEGMENT_COLUMN} "
        f"FROM {tables.relation('leads')}"
    )


def _has_amounts(engine: DuckDBEngine, tables: CanonicalTables) -> bool:
    """Whether won deals have amounts that may be added: of one currency, or of none."""
    if not (tables.has("outcomes", "amount") and tables.has("outcomes", "lead_id")):
        return False
    if not tables.has("outcomes", "currency"):
        return True
    sql = f"SELECT count(DISTINCT currency) FROM {tables.relation('outcomes')} WHERE won"
    ((currencies,),) = engine.rows(sql)
    return int(currencies) <= 1


def _amounts_sql(config: Config, tables: CanonicalTables, snapshots: str) -> str:
    horizon = f"INTERVAL {config.label.horizon_days * 24} HOUR"
    return f"""
        SELECT s.lead_id, s.as_of, sum(o.amount) AS amount
        FROM {snapshots} s JOIN {tables.relation("outcomes")} o ON s.lead_id = o.lead_id
            AND o.won = {literal(True)} AND o.closed_at >= s.as_of
            AND o.closed_at < s.as_of + {horizon}
        GROUP BY ALL
    """
