"""Profit: what MQLs bring and cost, and the probability from which working a lead pays."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from leadlight.features.errors import ConfigError, ImpossiblePolicyError

from .bootstrap import Estimate, Floats
from .policies import ProfitPolicy
from .promotions import HeldOutLeads


@dataclass(frozen=True)
class Profit:
    """What the MQLs of a threshold bring, in the currency of the deals.

    Attributes
    ----------
    win_value, touch_cost : float
    per_mql : Estimate
        Value of the wins less the cost of the touches, for each MQL.
    per_week : float or None
        The same for the new MQLs of a week; None without dates.
    """

    win_value: float
    touch_cost: float
    per_mql: Estimate
    per_week: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return asdict(self) | {"per_mql": self.per_mql.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Profit":
        """Read what ``to_dict`` wrote."""
        return cls(**(data | {"per_mql": Estimate.from_dict(data["per_mql"])}))


def win_value_of(policy: ProfitPolicy, leads: HeldOutLeads, amount: Floats | None) -> float:
    """Return what a win brings: as the team says, or the mean amount of the held-out wins.

    Parameters
    ----------
    policy : ProfitPolicy
    leads : HeldOutLeads
    amount : array of shape (n,) or None
        Of the deal won within the horizon of each snapshot; NaN where there is none.

    Raises
    ------
    ConfigError
        The team does not say, and no deal does.
    ImpossiblePolicyError
        A win brings no more than a touch costs.
    """
    if policy.win_value is not None:
        return policy.win_value
    known = np.isfinite(amount) & leads.won if amount is not None else np.zeros(0, dtype=bool)
    if amount is None or not known.any():
        raise ConfigError(
            "mql.policy is profit, but no held-out win has an amount.",
            hint="Map outcomes.amount, in one currency, or say what a win brings: win_value: 5000.",
        )
    # A lead's win is seen by several of its snapshots, and counts once.
    _, once = np.unique(leads.lead[known], return_index=True)
    value = float(amount[known][once].mean())
    if policy.touch_cost >= value:
        raise ImpossiblePolicyError(
            f"no lead pays: a touch costs {policy.touch_cost:g}, and a win brings {value:,.2f} on "
            "average.",
            best={"win_value": value, "touch_cost": policy.touch_cost},
        )
    return value


def paying_probability(policy: ProfitPolicy, win_value: float) -> float:
    """Return the probability from which a touch brings at least what it costs.

    Probabilities are calibrated, so no search on noisy labels is needed: work a lead where
    ``probability * win_value >= touch_cost``.

    Parameters
    ----------
    policy : ProfitPolicy
    win_value : float

    References
    ----------
    Elkan (2001), The foundations of cost-sensitive learning.
    """
    return policy.touch_cost / win_value


def profit_of(
    policy: ProfitPolicy, win_value: float, precision: Estimate, mqls_per_week: float | None
) -> Profit:
    """Return what MQLs of a precision and volume bring.

    Parameters
    ----------
    policy : ProfitPolicy
    win_value : float
    precision : Estimate
    mqls_per_week : float or None
    """
    per_mql = Estimate(
        *(win_value * share - policy.touch_cost for share in vars(precision).values())
    )
    known = mqls_per_week is not None and math.isfinite(per_mql.value)
    return Profit(
        win_value=win_value,
        touch_cost=policy.touch_cost,
        per_mql=per_mql,
        per_week=mqls_per_week * per_mql.value if known and mqls_per_week is not None else None,
    )
