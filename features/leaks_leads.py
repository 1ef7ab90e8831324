"""The leads that an audit of leaks looks at: each once, with its outcome and what its columns hold.

A lead is looked at as of its first training snapshot. A column with a history holds what it held
then, any other what it holds now, exactly as a model would see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .definition import ProfileColumn
from .engines.duckdb import DuckDBEngine
from .outcomes import attributed_deals_sql
from .profile import value_sql
from .profile_history import histories_sql
from .profile_readings import Lookups
from .profiling import Candidate
from .sql import identifier, parquet
from .tables import CanonicalTables

MOST_LEADS = 50_000
OUTCOMES = "leak_audit_outcomes"
_OWN = {"value", "country", "employees", "revenue"}


@dataclass(frozen=True)
class AuditedLeads:
    """Leads with their outcome, in no particular order.

    Attributes
    ----------
    won : array of bool
        Whether the lead was ever won after its snapshot (flat tables: its label).
    has_deal : array of bool
        Whether any deal, open or closed, is known of it. Flat tables: all false.
    won_at : array of float64
        Microseconds since 1970 UTC; NaN where there is none.
    order : array of float64
        In time: when it was created; of a flat table its position, or NaN.
    group : array of int64
        Leads of an account share a number.
    lead_id : array of object
    values : DataFrame
        A column for each audited one, by ``Candidate.told``: float64 with NaN, or objects with
        None.
    columns : mapping of str to Candidate
        By the same names.
    is_flat : bool
    """

    won: NDArray[np.bool_]
    has_deal: NDArray[np.bool_]
    won_at: NDArray[np.float64]
    order: NDArray[np.float64]
    group: NDArray[np.int64]
    lead_id: NDArray[np.object_]
    values: pd.DataFrame
    columns: dict[str, Candidate]
    is_flat: bool


def own_values(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return each source column once, as its own value, without what else is read from it."""
    return tuple(
        replace(each, column=replace(each.column, reading="value"))
        for each in candidates
        if each.column.reading in _OWN
    )


def outcomes_sql(tables: CanonicalTables, snapshots: Path, until: datetime | None) -> str:
    """Return SQL for a sample of the snapshots' leads, each with its outcome.

    Columns ``lead_id, account_id, as_of, label, position, has_deal, closed_at, won_at``; the
    closing and the win are the first at or after ``as_of``.

    Parameters
    ----------
    until : datetime or None
        Until when outcomes are known; None for a flat table.
    """
    leads = f"""
        SELECT lead_id, any_value(account_id) AS account_id, min(as_of) AS as_of,
            bool_or(label) AS label, any_value(position) AS position
        FROM {parquet(snapshots)} WHERE label IS NOT NULL
        GROUP BY lead_id ORDER BY md5(lead_id), lead_id LIMIT {MOST_LEADS}
    """
    if until is None:
        return (
            f"SELECT *, FALSE AS has_deal, NULL::TIMESTAMPTZ AS closed_at,"
            f" NULL::TIMESTAMPTZ AS won_at FROM ({leads})"
        )
    return f"""
        WITH deals AS ({attributed_deals_sql(tables, until)}), leads AS ({leads})
        SELECT l.*, coalesce(o.has_deal, FALSE) AS has_deal, o.closed_at, o.won_at
        FROM leads l LEFT JOIN (
            SELECT l.lead_id, TRUE AS has_deal,
                min(d.closed_at) FILTER (d.closed_at >= l.as_of) AS closed_at,
                min(d.closed_at) FILTER (d.won AND d.closed_at >= l.as_of) AS won_at
            FROM leads l JOIN deals d ON l.lead_id = d.lead_id GROUP BY l.lead_id
        ) o ON l.lead_id = o.lead_id
    """


def values_sql(tables: CanonicalTables, columns: Sequence[Candidate]) -> str:
    """Return SQL for the audited leads with the values of some columns: ``v0``, ``v1``, ...

    Parameters
    ----------
    columns : sequence of Candidate
        As ``own_values`` returns them.
    """
    has_accounts = tables.has("accounts") and tables.has("leads", "account_id")
    accounts = (
        f"LEFT JOIN {tables.relation('accounts')} a ON p.account_id = a.account_id"
        if has_accounts
        else ""
    )
    created = "epoch_us(p.created_at)" if tables.has("leads", "created_at") else "NULL"
    lookups = Lookups()
    values = "".join(f", {_held_sql(each, lookups)} AS v{at}" for at, each in enumerate(columns))
    told = [each.column for each in columns if each.column.has_history]
    return f"""
        SELECT s.lead_id, s.account_id, s.label, s.position, s.has_deal,
            epoch_us(s.won_at) AS won_at, {created} AS created{values}
        FROM {OUTCOMES} s JOIN {tables.relation("leads")} p ON s.lead_id = p.lead_id {accounts}
        {histories_sql(tables, told)}
        {lookups.joins}
        ORDER BY s.lead_id
    """


def _held_sql(candidate: Candidate, lookups: Lookups) -> str:
    column: ProfileColumn = candidate.column
    if candidate.sql_type.startswith(("TIMESTAMP", "DATE")) and not column.has_history:
        alias = "p" if column.table == "leads" else "a"
        instant = f"CAST({alias}.{identifier(column.column)} AS TIMESTAMPTZ)"
        return f"coalesce(epoch_us({instant}) / 1e6, 'nan'::DOUBLE)"
    return value_sql(column, {"leads": "p", "accounts": "a"}, lookups)


def audited_leads(
    engine: DuckDBEngine, tables: CanonicalTables, columns: Sequence[Candidate]
) -> AuditedLeads:
    """Load the leads of the table ``OUTCOMES`` with their columns."""
    frame = engine.table(values_sql(tables, columns)).to_pandas()
    values = {each.told: _plain(frame[f"v{at}"]) for at, each in enumerate(columns)}
    created = frame["created"].to_numpy(np.float64, na_value=np.nan)
    position = frame["position"].to_numpy(np.float64, na_value=np.nan)
    won_at = frame["won_at"].to_numpy(np.float64, na_value=np.nan)
    label = frame["label"].to_numpy(bool)
    group = frame["account_id"].astype(object).where(frame["account_id"].notna(), frame["lead_id"])
    return AuditedLeads(
        won=label if tables.is_flat else np.isfinite(won_at),
        has_deal=frame["has_deal"].to_numpy(bool),
        won_at=won_at,
        order=position if tables.is_flat else created,
        group=pd.factorize(group)[0].astype(np.int64),
        lead_id=frame["lead_id"].to_numpy(object),
        values=pd.DataFrame(values, index=frame.index),
        columns={each.told: each for each in columns},
        is_flat=tables.is_flat,
    )


def _plain(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return values.astype(np.float64)
    texts = values.astype(object)
    return texts.where(texts.notna(), None)
