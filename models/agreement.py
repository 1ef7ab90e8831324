"""The agreement on MQLs in figures: what came of those that were promoted, and is a review due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from .bootstrap import Estimate, clustered_share

MOST_MQLS = 1 / 3
"""Share of leads above which being an MQL says nothing any more."""

_DRIFT = 0.25


@dataclass(frozen=True)
class Month:
    """What came of the leads that first became MQLs in a month, and what sales said in it.

    Attributes
    ----------
    month : str
        ``2026-01``.
    mqls : int
        Leads that became an MQL for the first time.
    sqls, customers : int
        Of these, those that are or were in the hands of sales later, and those that were won.
    raised : int
        Leads that went to sales by a hand-raise, without having been an MQL.
    judged, accepted : int
        Verdicts of sales in the month.
    """

    month: str
    mqls: int
    sqls: int
    customers: int
    raised: int
    judged: int
    accepted: int


@dataclass(frozen=True)
class Concern:
    """One reason for which a review may be due.

    Attributes
    ----------
    what : str
    is_due : bool
    sentence : str
    """

    what: str
    is_due: bool
    sentence: str


@dataclass(frozen=True)
class Standing:
    """What the review looks at.

    Attributes
    ----------
    today : date
        Of the data.
    review_on : date
    base_rate : float or None
        Of the held-out window when the definition was made.
    recent_rate : Estimate
        Of the newest mature snapshots; NaN where there are none.
    acceptance : Estimate
        Share of recent verdicts that accept; NaN where there are none.
    least_acceptance : float
    mql_share : float or None
        Of the leads that were scored last, those that meet the definition.
    promised : float or None
        Share of MQLs that is to convert, where the policy promises one.
    realised : Estimate
        Share of mature MQLs that converted; NaN where there are none.
    """

    today: date
    review_on: date
    base_rate: float | None
    recent_rate: Estimate
    acceptance: Estimate
    least_acceptance: float
    mql_share: float | None
    promised: float | None
    realised: Estimate


def months(log: pd.DataFrame, feedback: pd.DataFrame) -> list[Month]:
    """Sum up the log of transitions and the verdicts of sales by month, the oldest first.

    Parameters
    ----------
    log : DataFrame
        ``lead_id``, ``as_of`` (UTC), ``from_state``, ``to_state``, in order of time.
    feedback : DataFrame
        ``decided_at`` (UTC), ``accepted``.
    """
    first = log[log["to_state"] == "mql"].groupby("lead_id")["as_of"].min()
    sql, won = (_after(log, first, state) for state in ("sql", "customer"))
    raised = log[(log["to_state"] == "sql") & (log["reason"] == "hand_raise")]
    direct = raised[~raised["lead_id"].isin(first.index)]["as_of"]
    columns = {
        "mqls": _by_month(first),
        "sqls": _by_month(first[sql | won]),
        "customers": _by_month(first[won]),
        "raised": _by_month(direct),
        "judged": _by_month(feedback["decided_at"]),
        "accepted": _by_month(feedback["decided_at"][feedback["accepted"].astype(bool)]),
    }
    table = pd.DataFrame(columns).fillna(0).astype(int).sort_index()
    rows = zip(table.index, table.to_numpy(), strict=True)
    return [Month(str(month), *map(int, row)) for month, row in rows]


def _after(log: pd.DataFrame, first: "pd.Series[Any]", state: str) -> np.ndarray[Any, Any]:
    """Say which of the promoted leads reached a state after their promotion."""
    last = log[log["to_state"] == state].groupby("lead_id")["as_of"].max()
    return np.asarray(last.reindex(first.index) > first, dtype=bool)


def _by_month(moments: "pd.Series[Any]") -> dict[str, int]:
    counts = moments.dt.strftime("%Y-%m").value_counts()
    return {str(month): int(rows) for month, rows in counts.items()}


def realised(
    log: pd.DataFrame, wins: pd.DataFrame, *, horizon_days: int, known_until: pd.Timestamp
) -> Estimate:
    """Return which share of promotions converted within the horizon, once that is known of them.

    Parameters
    ----------
    log : DataFrame
        As in ``months``.
    wins : DataFrame
        ``lead_id``, ``closed_at`` (UTC) of won deals.
    horizon_days : int
    known_until : Timestamp
        UTC; until when wins are known.
    """
    horizon = pd.Timedelta(days=horizon_days)
    promoted = log.loc[log["to_state"] == "mql", ["lead_id", "as_of"]]
    mature = promoted[promoted["as_of"] + horizon <= known_until].reset_index(drop=True)
    met = mature.reset_index().merge(wins, on="lead_id")
    inside = (met["closed_at"] >= met["as_of"]) & (met["closed_at"] < met["as_of"] + horizon)
    won = np.zeros(len(mature), dtype=bool)
    won[met.loc[inside, "index"].to_numpy()] = True
    return clustered_share(won, pd.factorize(mature["lead_id"])[0])


def acceptance(feedback: pd.DataFrame, *, since: pd.Timestamp) -> Estimate:
    """Return which share of the verdicts since an instant (UTC) accepted the lead."""
    recent = feedback[feedback["decided_at"] >= since]
    accepted = recent["accepted"].to_numpy(dtype=bool)
    return clustered_share(accepted, pd.factorize(recent["lead_id"])[0])


def rejections(feedback: pd.DataFrame, *, since: pd.Timestamp) -> list[tuple[str, int]]:
    """Return the reasons of rejections since an instant (UTC), the most frequent first."""
    recent = feedback[(feedback["decided_at"] >= since) & ~feedback["accepted"].astype(bool)]
    counts = recent["reason"].fillna("no reason given").value_counts()
    told = [(str(why), int(rows)) for why, rows in counts.items()]
    return sorted(told, key=lambda reason: (-reason[1], reason[0]))


def review(standing: Standing) -> list[Concern]:
    """Say of each reason for a review whether it holds."""
    judges = (_age, _drift, _accepted, _share, _promise)
    return [judge(standing) for judge in judges]


def is_due(concerns: Sequence[Concern]) -> bool:
    """Say whether marketing and sales should look at the definition again."""
    return any(concern.is_due for concern in concerns)


def _age(standing: Standing) -> Concern:
    late = (standing.today - standing.review_on).days
    if late >= 0:
        return Concern("Age", True, f"The review was due on {standing.review_on:%Y-%m-%d}.")
    return Concern("Age", False, f"The next review is due on {standing.review_on:%Y-%m-%d}.")


def _drift(standing: Standing) -> Concern:
    then, now = standing.base_rate, standing.recent_rate
    if then is None or not np.isfinite(now.value):
        return Concern("Base rate", False, "Too little is known of recent leads to compare.")
    outside = not now.low <= then <= now.high
    moved = outside and abs(now.value - then) > _DRIFT * then
    said = f"{then:.1%} of leads converted when the definition was made, {now.value:.1%} do now"
    more = ": the same probability no longer means the same volume." if moved else "."
    return Concern("Base rate", moved, said + more)


def _accepted(standing: Standing) -> Concern:
    told = standing.acceptance
    if not np.isfinite(told.value):
        return Concern("Acceptance", False, "Sales has judged no lead of late.")
    # A few rejections are no verdict on the definition.
    below = told.high < standing.least_acceptance
    agreed = standing.least_acceptance
    said = f"Sales accepts {told.value:.0%} of what it judges; agreed are {agreed:.0%}."
    return Concern("Acceptance", below, said)


def _share(standing: Standing) -> Concern:
    share = standing.mql_share
    if share is None:
        return Concern("Volume", False, "No lead was scored yet.")
    if share > MOST_MQLS:
        said = (
            f"{share:.0%} of leads meet the definition, more than every third: the stage has lost "
            "its meaning."
        )
        return Concern("Volume", True, said)
    return Concern("Volume", False, f"{share:.1%} of leads meet the definition.")


def _promise(standing: Standing) -> Concern:
    told, promised = standing.realised, standing.promised
    if not np.isfinite(told.value):
        return Concern("Promise", False, "The horizon of no promotion is over yet.")
    came = (
        f"Of the MQLs whose horizon is over, {told.value:.1%} converted ({told.low:.1%} to "
        f"{told.high:.1%})"
    )
    if promised is None:
        return Concern("Promise", False, f"{came}; the policy promises no share.")
    broken = told.high < promised
    return Concern("Promise", broken, f"{came}; expected were {promised:.1%}.")
