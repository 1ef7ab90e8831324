"""Suspicion: what a column's power, its values and its name say, where time proves nothing."""

import re
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from .leaks_evidence import FEWEST, Evidence
from .leaks_leads import AuditedLeads
from .leaks_power import Power, power, times
from .taxonomy import feature_name

_STRONG = 0.8
_NOTABLE = 0.7
_TIMES_THE_REST = 1.5
_SURE = 6.0
_PURE = 0.995
_PURE_CHANCE = -18.0
_CHANGE = 0.12
_CHANGE_Z = 4.0
_NAMED_Z = 3.0

# What CRMs call their current state: overwritten as a deal moves, so today's value knows its end.
_STATE = re.compile(
    r"(^|_)(life_?cycle(_?(stage|status|phase))?|funnel_?stage)(_|$)"
    r"|(^|_)(lead|contact|deal|opportunity|sales|account|record|prospect|customer|crm)_?"
    r"(status|stage|state|quality|grade|rating|score|rank|temperature)(_|$)"
    r"|^(status|stage|state_code|stage_name|quality|grade|rating|tags?)$"
    r"|(^|_)scor(e|es|ing)(_|$)|[a-z]score$"
    r"|(^|_)(last|latest|recent|most_recent)_(\w+_)?"
    r"(activity|activities|contact(ed)?|modified|modification|touch(ed)?|updated?|changed?|engage(d|ment)|"
    r"referenced?|viewed|login|synced|call(ed)?|note|owner_change)(_|$)"
    r"|(^|_)(modified|updated|synced|system_modstamp)(_?(at|on|date|time|by))?$"
    r"|(^|_)(close[dr]?|closing|lost|won|win|loss|disqualif\w*|reject\w*|unqualified|churn)_?"
    r"(reason|date|at|on|time|comment|notes?|amount|value)?(_|$)"
    r"|(^|_)(is_?)?(convert(ed)?|conversion)(_|$)|(^|_)(became|customer_since|is_customer)(_|$)"
)


def is_state_name(column: str) -> bool:
    """Say whether a column has a name that CRMs give to a current state, however it is written."""
    return _STATE.search(feature_name(column)) is not None


def strong_alone(
    powers: Mapping[str, Power], open_to_doubt: Collection[str]
) -> dict[str, Evidence]:
    """Return the columns whose power alone is far above the rest.

    Parameters
    ----------
    powers : mapping of str to Power
        Of all columns that are held against each other.
    open_to_doubt : collection of str
        Those that may be suspected.
    """
    found: dict[str, Evidence] = {}
    ranked = sorted(powers, key=lambda name: -powers[name].auc)
    for at, name in enumerate(ranked):
        auc, rest = powers[name].auc, [powers[other].auc for other in ranked[at + 1 :]]
        if name not in open_to_doubt or auc < _NOTABLE or powers[name].z < _SURE:
            continue
        above = len(rest) >= 3 and ndtri(auc) >= _TIMES_THE_REST * max(ndtri(rest[0]), 0.0)
        if auc >= _STRONG or above:
            next_best = f", the next column {rest[0]:.2f}" if rest else ""
            found[name] = Evidence(
                "alone it tells more than a single honest column does",
                f"AUC among leads of the same time {auc:.2f}{next_best}",
                is_certain=False,
            )
    return found


def one_class_only(values: pd.Series, leads: AuditedLeads) -> Evidence | None:
    """Judge whether one of its values occurs for won leads only, too often for chance."""
    base = float(leads.won.mean())
    if not 0 < base < 1:
        return None
    counts = leads_by_value(values, leads.won)
    pure = counts[
        (counts["won"] >= _PURE * counts["leads"])
        & (counts["leads"] >= 15)
        & (counts["leads"] * np.log(base) < _PURE_CHANCE)
    ]
    if pure.empty:
        return None
    most = pure.sort_values("leads", kind="stable").iloc[-1]
    value = f"{most['value']:g}" if isinstance(most["value"], float) else repr(most["value"])
    return Evidence(
        "it has a value that only won leads hold",
        f"{value}: {int(most['won']):,} of {int(most['leads']):,} leads won, of all {base:.1%}",
        is_certain=False,
    )


def leads_by_value(values: pd.Series, won: NDArray[np.bool_]) -> pd.DataFrame:
    """Count leads and won leads by value, the highest and lowest numbers taken together.

    Columns ``value``, ``leads``, ``won``.
    """
    frame = pd.DataFrame({"value": values, "won": won}).dropna(subset=["value"])
    counts = frame.groupby("value", sort=True)["won"].agg(["size", "sum"]).reset_index()
    counts.columns = pd.Index(["value", "leads", "won"])
    if values.dtype == np.float64 and len(counts) > FEWEST:
        tails = [_purest_tail(counts), _purest_tail(counts.iloc[::-1])]
        counts = pd.concat([counts, *tails], ignore_index=True)
    return counts


def _purest_tail(counts: pd.DataFrame) -> pd.DataFrame:
    """Take together the leading values for as long as (nearly) only won leads hold them."""
    total, won = counts["leads"].cumsum(), counts["won"].cumsum()
    pure = np.flatnonzero((won >= _PURE * total).to_numpy())
    if not len(pure):
        return counts.iloc[:0]
    last = pure[-1]
    return pd.DataFrame(
        {
            "value": [counts["value"].iloc[0]],
            "leads": [int(total.iloc[last])],
            "won": [int(won.iloc[last])],
        }
    )


def changes_with_age(score: NDArray[np.float64], leads: AuditedLeads) -> Evidence | None:
    """Judge whether its power grows sharply with the age of the lead, as what is filled in later.

    Parameters
    ----------
    score : array of float64
        Cross-fitted log-odds of its values.
    """
    if leads.is_flat:
        return None
    time = times(leads.order)
    young, old = time >= 7, time < 3
    if min(leads.won[young].sum(), leads.won[old].sum()) < 2 * FEWEST:
        return None
    of_young = power(score[young], leads.won[young], time[young])
    of_old = power(score[old], leads.won[old], time[old])
    change = of_old.auc - of_young.auc
    if change < _CHANGE or change < _CHANGE_Z * np.hypot(of_old.error, of_young.error):
        return None
    return Evidence(
        "its power grows sharply with the age of the lead, as that of a field filled in later",
        f"AUC {of_young.auc:.2f} for the youngest third of leads, {of_old.auc:.2f} for the oldest",
        is_certain=False,
    )


def named_as_state(column: str, found: Power) -> Evidence | None:
    """Judge whether a column that says something of the outcome is called like a current state."""
    if not is_state_name(column) or found.z < _NAMED_Z:
        return None
    return Evidence(
        "its name is one that CRMs give to a current state, overwritten as a deal moves",
        f"AUC among leads of the same time {found.auc:.2f}",
        is_certain=False,
    )


def filled_together(
    values: pd.DataFrame, suspects: Collection[str], others: Collection[str]
) -> Iterator[tuple[str, Evidence]]:
    """Yield the columns that are filled in for exactly the leads for which a suspect is."""
    filled = {name: values[name].notna().to_numpy() for name in {*suspects, *others}}
    for name in others:
        share = float(filled[name].mean())
        if not 0.02 <= share <= 0.98:
            continue
        for suspect in sorted(suspects):
            if np.array_equal(filled[name], filled[suspect]):
                yield (
                    name,
                    Evidence(
                        f"it is filled in together with {suspect}, which is suspect",
                        f"both hold a value for the same {int(filled[name].sum()):,} leads",
                        is_certain=False,
                    ),
                )
                break
