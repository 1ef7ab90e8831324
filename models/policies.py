"""Policies: the questions a team asks of a threshold, and the floors that every MQL must pass."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leadlight.features.errors import ConfigError, did_you_mean

from .bootstrap import Floats

SEGMENT_COLUMN = "mql_segment"
"""Column of held-out and scored leads that names their segment, where capacities go by one."""

OTHER_SEGMENTS = "other"
"""Stands for every segment that has no capacity of its own, and for leads without a segment."""


UNCALIBRATED = "uncalibrated"
"""Key of a decision version's metadata: why it is rules only, and promises no probability."""


@dataclass(frozen=True)
class CapacityPolicy:
    """Sales can work so many new MQLs a week; the threshold is as low as that allows."""

    leads_per_week: float
    name: ClassVar[str] = "capacity"

    def __post_init__(self) -> None:
        _check_positive("leads_per_week", self.leads_per_week, _CAPACITY_HINT)


@dataclass(frozen=True)
class SegmentCapacityPolicy:
    """Each segment or team of owners can work so many new MQLs a week.

    Attributes
    ----------
    by : str
        Column of the leads that names the segment: country, owner.
    leads_per_week : mapping of str to float
        Capacity by segment; ``other`` is that of all segments that are not named.
    """

    by: str
    leads_per_week: Mapping[str, float]
    name: ClassVar[str] = "capacity"

    def __post_init__(self) -> None:
        if OTHER_SEGMENTS not in self.leads_per_week:
            raise ConfigError(
                f"mql.leads_per_week does not say how many new MQLs a week those can work whose "
                f"'{self.by}' is not named.",
                hint="Add them: leads_per_week: {emea: 20, other: 10}.",
            )
        for segment, capacity in self.leads_per_week.items():
            _check_positive(f"leads_per_week.{segment}", capacity, _CAPACITY_HINT)


@dataclass(frozen=True)
class TopSharePolicy:
    """The best share of the leads at risk are MQLs."""

    share: float
    name: ClassVar[str] = "top_share"

    def __post_init__(self) -> None:
        _check_open_interval("mql.share", self.share)


@dataclass(frozen=True)
class ProbabilityPolicy:
    """Leads with at least this probability are MQLs."""

    probability: float
    name: ClassVar[str] = "probability"

    def __post_init__(self) -> None:
        _check_open_interval("mql.probability", self.probability)


@dataclass(frozen=True)
class PrecisionPolicy:
    """At least this share of MQLs converts within the horizon, with this confidence."""

    precision: float
    confidence: float = 0.9
    name: ClassVar[str] = "precision"

    def __post_init__(self) -> None:
        _check_open_interval("mql.precision", self.precision)
        _check_open_interval("mql.confidence", self.confidence)


@dataclass(frozen=True)
class RecallPolicy:
    """At least this share of the conversions comes from MQLs."""

    recall: float
    name: ClassVar[str] = "recall"

    def __post_init__(self) -> None:
        _check_open_interval("mql.recall", self.recall)


@dataclass(frozen=True)
class ProfitPolicy:
    """A lead is an MQL where working it brings more than it costs.

    Attributes
    ----------
    touch_cost : float
        What working one MQL costs, in the currency of the deals.
    win_value : float or None
        What a win brings; None: the mean amount of the held-out leads' won deals.
    """

    touch_cost: float
    win_value: float | None = None
    name: ClassVar[str] = "profit"

    def __post_init__(self) -> None:
        hint = "Say what working one MQL costs, and what a win brings, in one currency."
        _check_positive("touch_cost", self.touch_cost, hint)
        if self.win_value is None:
            return
        _check_positive("win_value", self.win_value, hint)
        if self.touch_cost >= self.win_value:
            raise ConfigError(
                f"mql.touch_cost is {self.touch_cost:g} and mql.win_value {self.win_value:g}: even "
                "a lead that is sure to convert would not pay.",
                hint=hint,
            )


Policy = (
    CapacityPolicy
    | SegmentCapacityPolicy
    | TopSharePolicy
    | ProbabilityPolicy
    | PrecisionPolicy
    | RecallPolicy
    | ProfitPolicy
)

POLICIES: dict[str, type[Any]] = {
    policy.name: policy
    for policy in (
        CapacityPolicy,
        TopSharePolicy,
        PrecisionPolicy,
        ProfitPolicy,
        RecallPolicy,
        ProbabilityPolicy,
    )
}


@dataclass(frozen=True)
class Floors:
    """Least fit and least engagement of an MQL, as percentiles of the held-out leads (0 to 1)."""

    fit: float = 0.0
    engagement: float = 0.0

    def __post_init__(self) -> None:
        for family, floor in asdict(self).items():
            if not 0.0 <= floor < 1.0:
                raise ConfigError(
                    f"mql.minimum.{family} is {floor}; it is a percentile from 0 to below 1.",
                    hint="0.2 asks an MQL to pass the lowest fifth of leads.",
                )

    def passed(self, fit: Floats, engagement: Floats) -> NDArray[np.bool_]:
        """Return which leads pass, given their percentiles.

        Not below, rather than at or above: without a percentile there is no floor.
        """
        return ~(fit < self.fit) & ~(engagement < self.engagement)


def require_volume_policy(policy: Policy) -> None:
    """Refuse a policy that rules cannot answer: one that promises something of outcomes.

    Raises
    ------
    ConfigError
        The policy is neither a capacity nor a share of the leads.
    """
    if isinstance(policy, CapacityPolicy | SegmentCapacityPolicy | TopSharePolicy):
        return
    raise ConfigError(
        f"the MQL policy is {policy.name}, and a rules-only start cannot promise it: its "
        "probabilities are not calibrated, so how many of its MQLs convert is not known",
        hint="Until enough wins are known, choose by volume: policy: capacity (leads_per_week: 20) "
        "or policy: top_share (share: 0.1).",
    )


def policy_to_dict(policy: Policy) -> dict[str, Any]:
    """Return ``{"policy": "capacity", "leads_per_week": 200}`` and the like: plain data."""
    return {"policy": policy.name, **asdict(policy)}


def policy_from_dict(data: Mapping[str, Any]) -> Policy:
    """Read what ``policy_to_dict`` gave.

    Raises
    ------
    ConfigError
        No policy has this name, or a value that it asks for is missing, unknown or out of range.
    """
    told = dict(data)
    name = str(told.pop("policy", ""))
    if name not in POLICIES:
        raise ConfigError(
            f"no MQL policy is called '{name}'.{did_you_mean(name, POLICIES)}",
            hint=f"Policies: {', '.join(POLICIES)}.",
        )
    kind = SegmentCapacityPolicy if name == CapacityPolicy.name and "by" in told else POLICIES[name]
    try:
        policy: Policy = kind(**told)
    except TypeError as error:
        raise ConfigError(
            f"the MQL policy {name} does not take {', '.join(sorted(told)) or 'nothing'}.",
            hint=f"It takes {', '.join(kind.__dataclass_fields__)}.",
        ) from error
    return policy


_CAPACITY_HINT = "Say how many new MQLs sales can work in a week."


def _check_positive(key: str, value: float, hint: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"mql.{key} is {value}; it must be above 0.", hint=hint)


def _check_open_interval(key: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise ConfigError(f"{key} is {value}; it must lie between 0 and 1, neither included.")
