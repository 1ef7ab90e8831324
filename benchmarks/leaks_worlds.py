"""Demo worlds without their own leaks, and leaks under neutral names that are put into them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from leadlight.pipelines.demo.files import write_exports
from leadlight.pipelines.demo.world import WorldSpec, exports, make_world

SOURCES = """\
project: leaks
sources:
  leads:
    path: contacts.csv
    columns: {lead_id: hs_object_id, created_at: createdate, account_id: associatedcompanyid,
              job_title: jobtitle, source: hs_analytics_source, owner: hubspot_owner_id}
  accounts:
    path: companies.parquet
    columns: {account_id: hs_object_id, employees: numberofemployees, revenue: annualrevenue}
  events:
    - path: page_views/*.parquet
      columns: {lead_id: visitor, occurred_at: ts, recorded_at: received_at, detail: url}
      event_type: page_view
    - path: email.csv.gz
      columns: {lead_id: contact_id, occurred_at: created, event_type: type, detail: campaign}
    - path: activities.parquet
      columns: {lead_id: contact_id, event_type: activity, detail: asset}
"""
REST = """\
  outcomes:
    path: deals.csv
    columns: {deal_id: hs_object_id, lead_id: associatedcontactid, opened_at: createdate,
              closed_at: closedate, currency: deal_currency_code, stage: dealstage}
    won: "dealstage = 'closedwon'"
  identities: {path: identities.csv, columns: {lead_id: contact_id}}
snapshots: {at_age_days: [1]}
"""
OWN_LEAKS = ["lifecyclestage", "hubspotscore", "notes_last_contacted"]


@dataclass(frozen=True)
class Leads:
    """What leaks are made of: contacts with what became of each.

    Attributes
    ----------
    created, closed : Series of datetime
        ``closed``: when the first deal closed; NaT where none did.
    won : array of bool
    ids : array of str
    random : Generator
    """

    created: pd.Series
    closed: pd.Series
    won: np.ndarray
    ids: np.ndarray
    random: np.random.Generator

    def some(self, share: float) -> np.ndarray:
        return self.random.random(len(self.won)) < share

    def later(self, least: float, most: float) -> pd.Series:
        """Some days after the close."""
        days = self.random.uniform(least, most, len(self.won))
        return self.closed + pd.to_timedelta(np.rint(days * 86400), unit="s")

    def written(self, instants: pd.Series, where: np.ndarray) -> np.ndarray:
        texts = instants.dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype(object)
        return texts.where(pd.Series(where) & instants.notna(), "").to_numpy()


def _at_close(leads: Leads) -> np.ndarray:
    values = leads.random.choice(["k", "m", "p"], len(leads.won))
    return np.where(leads.closed.notna() & leads.some(0.8), values, "")


def _noisy(flips: float) -> Callable[[Leads], np.ndarray]:
    return lambda leads: np.where(leads.won ^ leads.some(flips), "k", "m")


def _stamp(leads: Leads) -> np.ndarray:
    other = leads.created + pd.to_timedelta(leads.random.integers(0, 90, len(leads.won)), unit="D")
    return leads.written(leads.later(0, 60).where(leads.won, other), leads.some(0.9))


def _epoch(leads: Leads) -> np.ndarray:
    other = leads.created + pd.to_timedelta(leads.random.integers(0, 90, len(leads.won)), unit="D")
    instants = leads.later(0, 60).where(leads.won, other)
    return instants.dt.as_unit("s").astype("int64").to_numpy()


def _count(leads: Leads) -> np.ndarray:
    return leads.random.poisson(2, len(leads.won)) + np.where(
        leads.won, leads.random.poisson(4, len(leads.won)), 0
    )


def _orders(leads: Leads) -> np.ndarray:
    return np.where(leads.won, 1 + leads.random.poisson(2, len(leads.won)), 0)


def _winners_value(leads: Leads) -> np.ndarray:
    values = leads.random.choice(["k", "m", "p"], len(leads.won))
    return np.where(leads.won & leads.some(0.3), "q", values)


def _cleared(leads: Leads) -> np.ndarray:
    return np.where(
        leads.won ^ leads.some(0.02), "", leads.random.choice(["k", "m"], len(leads.won))
    )


def _rank(leads: Leads) -> np.ndarray:
    return np.argsort(np.argsort(np.where(leads.won, 0, 1) + leads.random.random(len(leads.won))))


COLUMNS: Mapping[str, Callable[[Leads], np.ndarray]] = {
    "filled in at the close only": _at_close,
    "the label, one in ten wrong": _noisy(0.1),
    "the label, one in four wrong": _noisy(0.25),
    "date after the close": _stamp,
    "epoch seconds after the close": _epoch,
    "count that goes on after the win": _count,
    "orders, none before the win": _orders,
    "a value of winners only": _winners_value,
    "emptied at the win": _cleared,
    "running number sorted by label": _rank,
}
NEUTRAL = "colour"


def make_clean(seed: int, leads: int, folder: Path) -> Leads:
    """Write a demo world without its own leaks, and return what leaks are made of."""
    world = make_world(WorldSpec(leads=leads, seed=seed), with_truth=False)
    folder.mkdir(parents=True, exist_ok=True)
    write_exports(exports(world), folder)
    contacts = pd.read_csv(folder / "contacts.csv", dtype=str).drop(columns=OWN_LEAKS)
    contacts = contacts.drop_duplicates("hs_object_id").reset_index(drop=True)
    contacts.to_csv(folder / "contacts.csv", index=False)
    deals = pd.read_csv(folder / "deals.csv", dtype={"associatedcontactid": str})
    deals["closedate"] = pd.to_datetime(deals["closedate"], utc=True)
    is_over = deals["dealstage"].isin(["closedwon", "closedlost"])
    closed = deals[is_over].groupby("associatedcontactid")["closedate"].max()
    winners = set(deals.loc[deals["dealstage"] == "closedwon", "associatedcontactid"])
    ids = contacts["hs_object_id"].to_numpy(object)
    return Leads(
        created=pd.to_datetime(contacts["createdate"], utc=True),
        closed=contacts["hs_object_id"].map(closed),
        won=np.array([each in winners for each in ids]),
        ids=ids,
        random=np.random.default_rng([seed, 7]),
    )


def inject_column(folder: Path, values: np.ndarray) -> None:
    contacts = pd.read_csv(folder / "contacts.csv", dtype=str, keep_default_na=False)
    contacts.assign(**{NEUTRAL: values}).to_csv(folder / "contacts.csv", index=False)


def inject_event(folder: Path, leads: Leads, share: float, days: tuple[float, float]) -> None:
    """Let won leads have an event near the close, and a share of other leads one at any time."""
    at = leads.later(*days)
    other = leads.created + pd.to_timedelta(leads.random.integers(1, 60, len(leads.won)), unit="D")
    has = leads.won | leads.some(share)
    at = at.where(leads.won, other)[has]
    rows = {"contact_id": leads.ids[has], "occurred_at": at.dt.strftime("%Y-%m-%dT%H:%M:%SZ")}
    pd.DataFrame({**rows, "activity": NEUTRAL}).to_csv(folder / "more.csv", index=False)


def inject_history(folder: Path, leads: Leads, days: tuple[float, float]) -> None:
    """Let closed leads get a value that the history dates after the close."""
    inject_column(folder, np.where(leads.closed.notna(), "k", ""))
    has = leads.closed.notna().to_numpy()
    at = leads.later(*days)[has].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = {"entity": "lead", "id": leads.ids[has], "field": NEUTRAL, "changed_at": at}
    pd.DataFrame({**rows, "new_value": "k", "old_value": ""}).to_csv(
        folder / "history.csv", index=False
    )


def write_config(folder: Path, *, events: bool = False, history: bool = False) -> Path:
    more = (
        "    - {path: more.csv, columns: {lead_id: contact_id, event_type: activity}}\n"
        if events
        else ""
    )
    told = "  profile_history: {path: history.csv}\n" if history else ""
    path = folder / "leadlight.yaml"
    path.write_text(SOURCES + more + told + REST, encoding="utf-8")
    return path
