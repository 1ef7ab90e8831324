"""The public data with what its examples leave out, and leaks put among its honest columns."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

XEDUCATION = (
    "Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity",
    "Asymmetrique Activity Index", "Asymmetrique Activity Score", "Asymmetrique Profile Index",
    "Asymmetrique Profile Score",
)  # fmt: skip
OLIST = (
    "seller_id", "sdr_id", "sr_id", "won_date", "business_segment", "lead_type",
    "lead_behaviour_profile", "has_company", "has_gtin", "average_stock", "business_type",
    "declared_product_catalog_size", "declared_monthly_revenue",
)  # fmt: skip
KNOWN: Mapping[str, tuple[str, ...]] = {
    "xeducation": tuple(f"leads.{name}" for name in XEDUCATION),
    "bank": ("leads.duration",),
    "bpi2012": tuple(
        f"events.{kind}"
        for kind in ("a_approved", "a_registered", "a_activated", "o_accepted", "a_declined",
                     "a_cancelled", "o_declined")
    ),
    "olist": tuple(f"leads.{name}" for name in OLIST),
}  # fmt: skip
# Known before the decision, though it comes close before it: neither a miss nor a false alarm.
NEAR = {"bpi2012": {"events.o_sent_back", "events.w_valideren_aanvraag"}}
_BPI = """\
project: bpi2012
sources:
  leads: {path: "%(data)s/bpi2012/cases.csv", columns: {lead_id: case_id, created_at: reg_date}}
  events:
    path: "%(data)s/bpi2012/events.csv.gz"
    columns: {lead_id: case_id, occurred_at: timestamp, event_type: activity}
    where: lifecycle = 'COMPLETE'
  outcomes:
    path: "%(data)s/bpi2012/events.csv.gz"
    columns: {lead_id: case_id, closed_at: timestamp, stage: activity}
    where: activity IN ('A_APPROVED', 'A_DECLINED', 'A_CANCELLED')
    won: activity = 'A_APPROVED'
label: {horizon_days: 30}
snapshots: {at_age_days: [3]}
"""
_OLIST = """\
project: olist
sources:
  leads:
    path: leads.csv
    columns: {lead_id: mql_id, created_at: first_contact_date, source: origin}
  outcomes:
    path: "%(data)s/olist/olist_closed_deals_dataset.csv"
    columns: {lead_id: mql_id, closed_at: won_date}
    won: "true"
snapshots: {at_age_days: [1]}
"""
_FLAT = {
    "xeducation": """\
project: xeducation
sources:
  leads:
    path: leads.csv
    columns: {lead_id: Prospect ID, source: Lead Source, country: Country}
    won: Converted = 1
    order_by: Lead Number
    missing: [Select]
""",
    "bank": """\
project: bank
sources:
  leads: {path: leads.csv, won: "y = 'yes'", order_by: row}
""",
}


def real_project(name: str, data: Path, folder: Path, *, honest: bool = False) -> Path:
    """Write a project on public data; ``honest``: flat tables without their known leaks."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "leadlight.yaml"
    if name in _FLAT:
        table = _flat(name, data)
        known = [each.removeprefix("leads.") for each in KNOWN[name]] if honest else []
        table.drop(columns=known).to_csv(folder / "leads.csv", index=False)
        path.write_text(_FLAT[name], encoding="utf-8")
    elif name == "olist":
        leads = pd.read_csv(data / "olist/olist_marketing_qualified_leads_dataset.csv", dtype=str)
        deals = pd.read_csv(data / "olist/olist_closed_deals_dataset.csv", dtype=str)
        leads.merge(deals, on="mql_id", how="left").to_csv(folder / "leads.csv", index=False)
        path.write_text(_OLIST % {"data": data.resolve()}, encoding="utf-8")
    else:
        path.write_text(_BPI % {"data": data.resolve()}, encoding="utf-8")
    return path


def _flat(name: str, data: Path) -> pd.DataFrame:
    if name == "bank":
        return pd.read_csv(data / "bank/bank-additional-full.csv.gz", sep=";", dtype=str)
    return pd.read_csv(data / "xeducation/Leads.csv", dtype=str)


def flat_leaks(won: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return leaks of a flat table, which has no times, by what they are."""

    def some(share: float) -> np.ndarray:
        return random.random(len(won)) < share

    values = random.choice(["k", "m", "p"], len(won))
    return {
        "filled in for winners, and 1 % of others": np.where(won ^ some(0.01), values, ""),
        "the label, one in ten wrong": np.where(won ^ some(0.1), "k", "m"),
        "the label, one in four wrong": np.where(won ^ some(0.25), "k", "m"),
        "count that goes on after the win": random.poisson(2, len(won))
        + np.where(won, random.poisson(4, len(won)), 0),
        "a value of winners only": np.where(won & some(0.1), "q", values),
        "running number sorted by label": np.argsort(np.argsort(~won + random.random(len(won)))),
    }


def labels(name: str, folder: Path) -> np.ndarray:
    table = pd.read_csv(folder / "leads.csv", dtype=str)
    return np.asarray(table["y"] == "yes" if name == "bank" else table["Converted"] == "1")
