"""Evidence of time, from the values of one column: it cannot have been known at the snapshot."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .leaks_leads import AuditedLeads
from .leaks_power import Power, power, times

FEWEST = 20
_MOSTLY = 0.9
_FEW = 0.05
_REPEATS = 0.97
_SORTED = 0.4
_DAY = 86_400_000_000
_ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?$"
# From 2000 to 2100, in the units in which exports write instants.
_EPOCHS = ((9.4e8, 4.2e9, 1e6), (9.4e11, 4.2e12, 1e3), (9.4e14, 4.2e15, 1.0))


@dataclass(frozen=True)
class Evidence:
    """Why a column, or a kind of event, is taken for a leak.

    Attributes
    ----------
    reason : str
        The end of a sentence that begins with the column: "its values are dates after the close".
    evidence : str
        The counts that show it.
    is_certain : bool
        Whether time itself shows it, rather than its power alone.
    """

    reason: str
    evidence: str
    is_certain: bool = True


def present_only_with_deals(values: pd.Series, leads: AuditedLeads) -> Evidence | None:
    """Judge whether a column is filled in only once there is a deal; a number's 0 is no value."""
    for filled in _fillings(values):
        total = int(filled.sum())
        without = int((filled & ~leads.has_deal).sum())
        # As many of the filled ones would lack a deal if deals had no say in it.
        expected = total * float((~leads.has_deal).mean())
        if total - without >= FEWEST <= expected and without <= _FEW * expected:
            return Evidence(
                "it holds a value only for leads that have a deal, so it was written with the "
                "deal and is empty for every lead that can be scored",
                f"{total - without:,} of {total:,} values are of leads with a deal, and "
                f"{leads.has_deal.mean():.1%} of all leads have one",
            )
    return None


def missing_is_outcome(values: pd.Series, leads: AuditedLeads) -> Evidence | None:
    """Judge whether having a value, or not, is the outcome itself."""
    wins = int(leads.won.sum())
    if wins < FEWEST or len(leads.won) - wins < FEWEST:
        return None
    for filled in _fillings(values):
        of_won, of_others = float(filled[leads.won].mean()), float(filled[~leads.won].mean())
        if abs(of_won - of_others) >= _MOSTLY:
            return Evidence(
                "whether it holds a value is the outcome itself",
                f"filled for {of_won:.1%} of the won leads and {of_others:.1%} of the others",
                is_certain=not leads.is_flat,
            )
    return None


def _fillings(values: pd.Series) -> list[NDArray[np.bool_]]:
    filled = values.notna().to_numpy()
    if values.dtype != np.float64:
        return [filled]
    return [filled, filled & (values.to_numpy() != 0)]


def dated_after_close(values: pd.Series, leads: AuditedLeads) -> Evidence | None:
    """Judge whether a column holds instants that, for won leads, lie at or after the win."""
    instants = instants_of(values)
    if instants is None or leads.is_flat:
        return None
    told = leads.won & np.isfinite(instants)
    # A date without a time of day is known at the end of that day.
    midnight = bool((instants[told] % _DAY == 0).all())
    since = leads.won_at[told] // _DAY * _DAY if midnight else leads.won_at[told]
    after = int((instants[told] >= since).sum())
    if after < FEWEST or after < _MOSTLY * told.sum():
        return None
    return Evidence(
        "it holds dates, and those of won leads lie at or after the win",
        f"{after:,} of {int(told.sum()):,} values of won leads",
    )


def instants_of(values: pd.Series) -> NDArray[np.float64] | None:
    """Read a column as instants in microseconds since 1970 UTC; None if it holds anything else."""
    filled = values.dropna()
    if len(filled) < FEWEST:
        return None
    if values.dtype == np.float64:
        low, high = float(filled.min()), float(filled.max())
        for least, most, unit in _EPOCHS:
            if least <= low and high <= most:
                return np.asarray(values.to_numpy() * unit)
        return None
    if not filled.astype(str).str.match(_ISO).mean() >= _MOSTLY:
        return None
    read = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
    microseconds = np.asarray(read.dt.as_unit("us").astype("int64"), dtype=np.float64)
    return np.asarray(np.where(read.notna(), microseconds, np.nan), dtype=np.float64)


def repeats_outcome(found: Power, leads: AuditedLeads) -> Evidence | None:
    """Judge whether the current value tells won leads apart, however far ahead their win was."""
    if found.auc < _REPEATS or leads.won.sum() < FEWEST:
        return None
    return Evidence(
        "its present value repeats the outcome, which lay ahead of the snapshot",
        f"alone it tells won leads from others of the same time with an AUC of {found.auc:.3f}",
        is_certain=not leads.is_flat,
    )


def order_carries_outcome(leads: AuditedLeads) -> list[tuple[str, Evidence]]:
    """Judge whether ids, or the rows of a flat table, are sorted by the outcome.

    Of dated leads the order of the rows cannot matter: they are filed by id.
    """
    orders = [("lead_id", "the id", _ids_in_order(leads.lead_id))]
    # A flat table's order is its time, so there is no other time to compare within.
    time = np.zeros(len(leads.won), np.int64) if leads.is_flat else times(leads.order)
    if leads.is_flat and np.isfinite(leads.order).all():
        orders.append(("order", "the order of the rows", leads.order))
    found = []
    for name, what, order in orders:
        auc = power(order, leads.won, time).auc
        if min(leads.won.sum(), (~leads.won).sum()) >= FEWEST and abs(auc - 0.5) >= _SORTED:
            evidence = Evidence(
                f"{what} is sorted by the outcome; it is no feature, but whatever counts along "
                "with it (a running number, a time of writing) knows the outcome too",
                f"{what} alone tells won leads from others with an AUC of {max(auc, 1 - auc):.3f}",
                is_certain=not leads.is_flat,
            )
            found.append((name, evidence))
    return found


def _ids_in_order(lead_id: NDArray[np.object_]) -> NDArray[np.float64]:
    numbers = pd.to_numeric(pd.Series(lead_id), errors="coerce")
    if numbers.notna().all():
        return np.asarray(numbers, dtype=np.float64)
    return np.asarray(pd.Series(lead_id).astype(str).rank(method="min"), dtype=np.float64)
