"""What a team should know of a threshold, and what it gives up by it, in words."""

import math

import numpy as np
from numpy.typing import NDArray

from .bootstrap import Floats
from .policies import CapacityPolicy, Policy, SegmentCapacityPolicy
from .promotions import HeldOutLeads

# Above this share of MQLs the stage says nothing any more (the first mistake of lead scoring).
LARGEST_SHARE = 1 / 3


def choice_notes(policy: Policy, leads: HeldOutLeads, mql: NDArray[np.bool_]) -> list[str]:
    """Say what is odd about the volume, and how far it could be seen.

    Parameters
    ----------
    policy : Policy
    leads : HeldOutLeads
    mql : array of bool, shape (n,)
    """
    return _sanity_notes(float(mql.mean())) + _time_notes(policy, leads, mql)


def given_up(leads: HeldOutLeads, mql: NDArray[np.bool_], least: float | Floats) -> list[str]:
    """Say what the choice gives up: conversions missed, MQLs in vain, and whom the floors hold.

    Parameters
    ----------
    leads : HeldOutLeads
    mql : array of bool, shape (n,)
    least : float or array of shape (n,)
        Threshold of each snapshot.
    """
    told = []
    tried = leads.stands_for
    if tried[leads.won].any():
        missed = 1.0 - float(np.average(mql[leads.won], weights=tried[leads.won]))
        told.append(f"{missed:.0%} of the conversions come from leads that are no MQLs.")
    if tried[mql].any():
        vain = 1.0 - leads.converted(mql).value
        told.append(f"{vain:.0%} of the MQLs do not convert within the horizon.")
    held = (leads.probability >= least) & ~mql
    if held.any():
        converted = leads.converted(held).value
        worth = "nobody tried one" if math.isnan(converted) else f"{converted:.1%} of those convert"
        told.append(
            f"The floors hold back {held.mean():.1%} of the leads although their probability "
            f"suffices; {worth}."
        )
    return told


def _sanity_notes(share: float) -> list[str]:
    if share == 0.0:
        return ["No held-out lead would be an MQL at this threshold."]
    if share > LARGEST_SHARE:
        return [
            f"{share:.0%} of leads are MQLs. Where every third lead is an MQL, the stage has lost "
            "its meaning: ask for fewer."
        ]
    return []


def _time_notes(policy: Policy, leads: HeldOutLeads, mql: NDArray[np.bool_]) -> list[str]:
    if leads.weeks is None:
        return ["The snapshots have no dates, so the number of new MQLs a week is unknown."]
    if leads.dates == 1:
        return [
            "All held-out snapshots have one date, so new MQLs a week were not seen: the leads "
            f"that qualify are taken to pass once within {leads.horizon_days} days."
        ]
    if not (leads.recurring and isinstance(policy, CapacityPolicy | SegmentCapacityPolicy)):
        return []
    stock = float(mql[leads.newest].sum()) / leads.sampled_share
    notes = [
        f"The first delivery carries the leads that qualify already, about {stock:,.0f}; "
        "the weekly number holds from then on."
    ]
    if leads.step_days > 7:
        notes.append(
            f"Promotions are counted between snapshots {leads.step_days:.0f} days apart: a "
            "lead that rises and falls in between is not counted."
        )
    return notes
