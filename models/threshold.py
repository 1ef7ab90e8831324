"""Threshold: the probability from which a lead is an MQL, as the answer to a team's question."""

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from leadlight.features.errors import ConfigError, NotEnoughDataError

from .bootstrap import Estimate, Floats, clustered_share, finite
from .promotions import HeldOutLeads, Volumes, held_out_leads

# Above this share of MQLs the stage says nothing any more (the first mistake of lead scoring).
LARGEST_SHARE = 1 / 3
_CURVE_POINTS = 200


@dataclass(frozen=True)
class CapacityPolicy:
    """Sales can work so many new MQLs a week; the threshold is as low as that allows."""

    leads_per_week: float
    name: ClassVar[str] = "capacity"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.leads_per_week) and self.leads_per_week > 0):
            raise ConfigError(
                f"mql.leads_per_week is {self.leads_per_week}; it must be above 0.",
                hint="Say how many new MQLs sales can work in a week.",
            )


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


Policy = CapacityPolicy | TopSharePolicy | ProbabilityPolicy


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


@dataclass(frozen=True)
class ThresholdPoint:
    """What one threshold would bring; precision and recall as in ``ThresholdChoice``."""

    threshold: float
    share: float
    mqls_per_week: float | None
    precision: float
    recall: float
    lift: float


@dataclass(frozen=True)
class ThresholdChoice:
    """A threshold with its volume and quality on held-out snapshots.

    Attributes
    ----------
    policy : dict
        ``{"policy": "capacity", "leads_per_week": 200}`` and the like.
    threshold : float
        Probability from which on a lead that passes the floors is an MQL.
    expected_mqls_per_week : float or None
        New promotions a week; None without dates.
    share : float
        Share of leads at risk that are MQLs at a time (a stock, not a flow).
    precision, recall : Estimate
        Share of MQL snapshots won within the horizon; share of won snapshots that are MQL. 95 %
        Wilson intervals on the effective number of rows, clustered by lead (account).
    lift : float
        Precision over the base rate.
    curve : tuple of ThresholdPoint
        By rising threshold, at most 200 points; the chosen threshold is one of them.
    notes : tuple of str
        What the team should know of this choice.
    mqls_per_week : Estimate or None
        ``expected_mqls_per_week`` with its 95 % interval from a clustered bootstrap.
    """

    policy: dict[str, Any]
    threshold: float
    expected_mqls_per_week: float | None
    share: float
    precision: Estimate
    recall: Estimate
    lift: float
    curve: tuple[ThresholdPoint, ...]
    notes: tuple[str, ...]
    mqls_per_week: Estimate | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file: numbers, or null where a figure has no meaning."""
        return {
            "policy": dict(self.policy),
            "threshold": self.threshold,
            "expected_mqls_per_week": self.expected_mqls_per_week,
            "share": self.share,
            "precision": self.precision.to_dict(),
            "recall": self.recall.to_dict(),
            "lift": finite(self.lift),
            "curve": [
                {key: None if value is None else finite(value) for key, value in vars(p).items()}
                for p in self.curve
            ],
            "notes": list(self.notes),
            "mqls_per_week": self.mqls_per_week.to_dict() if self.mqls_per_week else None,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ThresholdChoice":
        """Read what ``to_dict`` wrote."""
        weekly = data["mqls_per_week"]
        return cls(
            policy=dict(data["policy"]),
            threshold=float(data["threshold"]),
            expected_mqls_per_week=data["expected_mqls_per_week"],
            share=float(data["share"]),
            precision=Estimate.from_dict(data["precision"]),
            recall=Estimate.from_dict(data["recall"]),
            lift=_number(data["lift"]),
            curve=tuple(
                ThresholdPoint(
                    **{key: _number(point[key]) for key in point if key != "mqls_per_week"},
                    mqls_per_week=point["mqls_per_week"],
                )
                for point in data["curve"]
            ),
            notes=tuple(data["notes"]),
            mqls_per_week=Estimate.from_dict(weekly) if weekly else None,
        )


def choose_threshold(
    policy: Policy,
    held_out: pd.DataFrame,
    floors: Floors,
    *,
    seed: int,
    horizon_days: int = 90,
    sampled_share: float = 1.0,
) -> ThresholdChoice:
    """Answer the policy's question on snapshots that the model had not seen.

    Capacity is about flow: a snapshot is a new promotion at a threshold if the lead qualifies and
    did not at its previous snapshot. Where leads recur (a snapshot grid), the first date only says
    where leads stood, and weeks run from there to the last date; where each lead has one snapshot
    (``at_age_days``), each that qualifies is a promotion, and the weeks are the span of the dates
    and one typical step. With a single date the flow cannot be seen: the leads that qualify are
    taken to pass once within the horizon, and a note says so.

    The flow need not fall with the threshold (at the lowest, everyone is an MQL for good and only
    new leads count). So the threshold is lowered from the top until the next step would pass the
    capacity; where none does, it is the one of the largest flow.

    Parameters
    ----------
    policy : CapacityPolicy, TopSharePolicy or ProbabilityPolicy
    held_out : DataFrame
        ``lead_id``, ``account_id`` (optional), ``as_of`` (UTC; all missing in a flat table),
        ``label``, ``probability`` (calibrated), ``fit_percentile`` and ``engagement_percentile``
        (0 to 1; missing where the family has no features, and then without a floor).
    floors : Floors
    seed : int
        Of the bootstrap for the interval of the weekly volume.
    horizon_days : int
        Days within which a win counts.
    sampled_share : float
        Share of all leads that ``held_out`` is a sample of; volumes are scaled up by it.

    Raises
    ------
    ConfigError
        Capacity is asked of snapshots without dates, or no lead passes the floors.
    NotEnoughDataError
        There is no held-out snapshot.
    """
    if held_out.empty:
        raise NotEnoughDataError(
            "There is no held-out snapshot to choose a threshold on.",
            hint="Give a longer history, so that a later window is left for it.",
        )
    leads = held_out_leads(
        held_out, asdict(floors), horizon_days=horizon_days, sampled_share=sampled_share
    )
    if isinstance(policy, CapacityPolicy) and leads.weeks is None:
        raise ConfigError(
            "mql.policy is capacity, but the snapshots have no dates: new MQLs a week are unknown.",
            hint="Use policy: top_share (share: 0.1) or policy: probability (probability: 0.3).",
        )
    thresholds = np.unique(leads.score[np.isfinite(leads.score)])
    if len(thresholds) == 0 and not isinstance(policy, ProbabilityPolicy):
        raise ConfigError(
            f"No held-out lead has both fit >= {floors.fit} and engagement >= {floors.engagement}.",
            hint="Lower mql.minimum.fit or mql.minimum.engagement.",
        )
    if isinstance(policy, ProbabilityPolicy):
        thresholds = np.union1d(thresholds, [policy.probability])
    volumes = leads.volumes(thresholds)
    match policy:
        case CapacityPolicy():
            chosen, notes = _by_capacity(policy, volumes)
        case TopSharePolicy():
            chosen, notes = _by_share(policy, volumes)
        case ProbabilityPolicy():
            chosen, notes = int(np.searchsorted(thresholds, policy.probability)), []
    notes += _sanity_notes(volumes, chosen) + _time_notes(policy, leads, float(thresholds[chosen]))
    return _choice(policy, leads, volumes, chosen, notes, seed)


def _by_capacity(policy: CapacityPolicy, volumes: Volumes) -> tuple[int, list[str]]:
    asked, weekly = policy.leads_per_week, volumes.weekly
    assert weekly is not None  # noqa: S101 - capacity without dates was refused
    beyond = np.flatnonzero(weekly > asked)
    if len(beyond) == 0:
        chosen = len(weekly) - 1 - int(np.argmax(weekly[::-1]))
        if weekly[chosen] >= 0.9 * asked:
            return chosen, []
        return chosen, [
            f"{asked:g} new MQLs a week cannot be reached: the most that any threshold brings is "
            f"{weekly[chosen]:.1f}."
        ]
    chosen = int(beyond[-1]) + 1
    if chosen == len(weekly):
        return chosen - 1, [
            f"Even the highest threshold brings {weekly[-1]:.1f} new MQLs a week, above the "
            f"{asked:g} asked for: the best leads have equal probabilities."
        ]
    if weekly[chosen] < 0.9 * asked:
        return chosen, [
            f"{weekly[chosen]:.1f} new MQLs a week instead of {asked:g}: the next leads have equal "
            f"probabilities, and with them it would be {weekly[chosen - 1]:.1f}."
        ]
    return chosen, []


def _by_share(policy: TopSharePolicy, volumes: Volumes) -> tuple[int, list[str]]:
    asked, share = policy.share, volumes.share
    within = np.flatnonzero(share <= asked)
    if len(within) == 0:
        return len(share) - 1, [
            f"{share[-1]:.1%} of leads are MQLs, above the {asked:.1%} asked for: the best leads "
            "have equal probabilities."
        ]
    chosen = int(within[0])
    if share[chosen] >= 0.9 * asked:
        return chosen, []
    if chosen == 0:
        return chosen, [
            f"Only {share[0]:.1%} of leads pass the floors of fit and engagement, below the "
            f"{asked:.1%} asked for."
        ]
    return chosen, [
        f"{share[chosen]:.1%} of leads are MQLs instead of {asked:.1%}: the next leads have equal "
        f"probabilities, and with them it would be {share[chosen - 1]:.1%}."
    ]


def _sanity_notes(volumes: Volumes, chosen: int) -> list[str]:
    share = volumes.share[chosen]
    if share == 0.0:
        return ["No held-out lead would be an MQL at this threshold."]
    if share > LARGEST_SHARE:
        return [
            f"{share:.0%} of leads are MQLs. Where every third lead is an MQL, the stage has lost "
            "its meaning: ask for fewer."
        ]
    return []


def _time_notes(policy: Policy, leads: HeldOutLeads, threshold: float) -> list[str]:
    if leads.weeks is None:
        return ["The snapshots have no dates, so the number of new MQLs a week is unknown."]
    notes = []
    if leads.dates == 1:
        notes.append(
            "All held-out snapshots have one date, so new MQLs a week were not seen: the leads "
            f"that qualify are taken to pass once within {leads.horizon_days} days."
        )
    elif leads.recurring and isinstance(policy, CapacityPolicy):
        stock = float((leads.score[leads.newest] >= threshold).sum()) / leads.sampled_share
        notes.append(
            f"The first delivery carries the leads that qualify already, about {stock:,.0f}; "
            "the weekly number holds from then on."
        )
        if leads.step_days > 7:
            notes.append(
                f"Promotions are counted between snapshots {leads.step_days:.0f} days apart: a "
                "lead that rises and falls in between is not counted."
            )
    return notes


def _choice(
    policy: Policy,
    leads: HeldOutLeads,
    volumes: Volumes,
    chosen: int,
    notes: list[str],
    seed: int,
) -> ThresholdChoice:
    point = _point(volumes, chosen)
    mql = leads.score >= point.threshold
    return ThresholdChoice(
        policy={"policy": policy.name, **asdict(policy)},
        threshold=point.threshold,
        expected_mqls_per_week=point.mqls_per_week,
        share=point.share,
        precision=clustered_share(leads.won[mql], leads.codes[mql]),
        recall=clustered_share(mql[leads.won], leads.codes[leads.won]),
        lift=point.lift,
        curve=tuple(_point(volumes, at) for at in _shown(volumes.share, chosen)),
        notes=tuple(notes),
        mqls_per_week=leads.weekly_interval(point.threshold, seed),
    )


def _shown(share: Floats, chosen: int) -> list[int]:
    """Pick the points to keep: even steps of the share, and finer ones where it is small."""
    if len(share) <= _CURVE_POINTS:
        return list(range(len(share)))
    half = _CURVE_POINTS // 2
    smallest = max(float(share[-1]), 1e-6)
    wanted = np.concatenate(
        [np.linspace(0.0, share[0], half), np.geomspace(smallest, share[0], half - 1)]
    )
    falling = share[::-1]
    at = len(share) - 1 - np.minimum(np.searchsorted(falling, wanted), len(share) - 1)
    return sorted({*at.tolist(), chosen})


def _point(volumes: Volumes, at: int) -> ThresholdPoint:
    return ThresholdPoint(
        threshold=float(volumes.threshold[at]),
        share=float(volumes.share[at]),
        mqls_per_week=None if volumes.weekly is None else float(volumes.weekly[at]),
        precision=float(volumes.precision[at]),
        recall=float(volumes.recall[at]),
        lift=float(volumes.lift[at]),
    )


def _check_open_interval(key: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise ConfigError(f"{key} is {value}; it must lie between 0 and 1, neither included.")


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
