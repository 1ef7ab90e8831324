"""Threshold: the probability from which a lead is an MQL, as the answer to a team's question."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.errors import ConfigError, NotEnoughDataError, SchemaMismatchError

from .bootstrap import Estimate, Floats, clustered_share
from .policies import (
    SEGMENT_COLUMN,
    CapacityPolicy,
    Floors,
    Policy,
    ProbabilityPolicy,
    ProfitPolicy,
    SegmentCapacityPolicy,
    policy_to_dict,
)
from .precision_promise import Promise
from .profit import Profit, profit_of
from .promotions import HeldOutLeads, held_out_leads
from .threshold_answers import Answer, answer_of, segments_of
from .threshold_curve import ThresholdPoint, thinned_curve
from .threshold_notes import choice_notes, given_up


@dataclass(frozen=True)
class SegmentThreshold:
    """The threshold of one segment or team, and what it gives.

    Attributes
    ----------
    segment : str
    threshold : float
    mqls_per_week : Estimate
        New promotions a week.
    precision : Estimate
    """

    segment: str
    threshold: float
    mqls_per_week: Estimate
    precision: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {
            "segment": self.segment,
            "threshold": self.threshold,
            "mqls_per_week": self.mqls_per_week.to_dict(),
            "precision": self.precision.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SegmentThreshold":
        """Read what ``to_dict`` wrote."""
        return cls(
            data["segment"],
            float(data["threshold"]),
            Estimate.from_dict(data["mqls_per_week"]),
            Estimate.from_dict(data["precision"]),
        )


@dataclass(frozen=True)
class ThresholdChoice:
    """A threshold with its volume and quality on held-out snapshots.

    Attributes
    ----------
    policy : dict
        ``{"policy": "capacity", "leads_per_week": 200}`` and the like.
    threshold : float
        Probability from which on a lead that passes the floors is an MQL; where segments have
        their own, the lowest.
    expected_mqls_per_week : float or None
        New promotions a week; None without dates.
    share : float
        Share of leads at risk that are MQLs at a time (a stock, not a flow).
    precision, recall : Estimate
        Share of MQL snapshots won within the horizon; share of won snapshots that are MQL. 95 %
        Wilson intervals on the effective number of rows, clustered by lead (account).
    lift : Estimate
        Precision over the base rate, with its 95 % interval from a clustered bootstrap.
    curve : tuple of ThresholdPoint
        By rising threshold, at most 200 points; the chosen threshold is one of them.
    notes : tuple of str
        What the team should know of this choice.
    mqls_per_week : Estimate or None
        ``expected_mqls_per_week`` with its 95 % interval from a clustered bootstrap.
    gives_up : tuple of str
        What the choice costs, in sentences.
    promise : Promise or None
        Of the policy ``precision``.
    profit : Profit or None
        Of the policy ``profit``.
    segments : tuple of SegmentThreshold
        Where each segment or team has a capacity of its own.
    """

    policy: dict[str, Any]
    threshold: float
    expected_mqls_per_week: float | None
    share: float
    precision: Estimate
    recall: Estimate
    lift: Estimate
    curve: tuple[ThresholdPoint, ...]
    notes: tuple[str, ...]
    mqls_per_week: Estimate | None = None
    gives_up: tuple[str, ...] = ()
    promise: Promise | None = None
    profit: Profit | None = None
    segments: tuple[SegmentThreshold, ...] = ()

    @property
    def by(self) -> str | None:
        """The column that names a lead's segment, where segments have thresholds of their own."""
        return str(self.policy["by"]) if self.segments else None

    def least(self, leads: pd.DataFrame) -> float | Floats:
        """Return the threshold that holds for each lead.

        Parameters
        ----------
        leads : DataFrame of n rows
            With ``SEGMENT_COLUMN``, where segments have thresholds of their own.

        Raises
        ------
        SchemaMismatchError
            The leads do not say which segment they belong to.
        """
        if self.by is None:
            return self.threshold
        if SEGMENT_COLUMN not in leads:
            raise SchemaMismatchError(
                f"The threshold depends on '{self.by}', and the leads do not say theirs "
                f"(column '{SEGMENT_COLUMN}')."
            )
        own = {each.segment: each.threshold for each in self.segments}
        segment = segments_of(leads[SEGMENT_COLUMN], own)
        return np.array([own[name] for name in segment], dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file: numbers, or null where a figure has no meaning."""
        return {
            "policy": dict(self.policy),
            "threshold": self.threshold,
            "expected_mqls_per_week": self.expected_mqls_per_week,
            "share": self.share,
            "precision": self.precision.to_dict(),
            "recall": self.recall.to_dict(),
            "lift": self.lift.to_dict(),
            "curve": [point.to_dict() for point in self.curve],
            "notes": list(self.notes),
            "mqls_per_week": self.mqls_per_week.to_dict() if self.mqls_per_week else None,
            "gives_up": list(self.gives_up),
            "promise": self.promise.to_dict() if self.promise else None,
            "profit": self.profit.to_dict() if self.profit else None,
            "segments": [segment.to_dict() for segment in self.segments],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ThresholdChoice":
        """Read what ``to_dict`` wrote, here or in an earlier leadlight."""
        weekly, promise, profit = (data.get(key) for key in ("mqls_per_week", "promise", "profit"))
        lift = data["lift"]
        return cls(
            policy=dict(data["policy"]),
            threshold=float(data["threshold"]),
            expected_mqls_per_week=data["expected_mqls_per_week"],
            share=float(data["share"]),
            precision=Estimate.from_dict(data["precision"]),
            recall=Estimate.from_dict(data["recall"]),
            # Format 2 had lifts without intervals.
            lift=Estimate.from_dict(
                lift if isinstance(lift, dict) else {"value": lift, "low": None, "high": None}
            ),
            curve=tuple(ThresholdPoint.from_dict(point) for point in data["curve"]),
            notes=tuple(data["notes"]),
            mqls_per_week=Estimate.from_dict(weekly) if weekly else None,
            gives_up=tuple(data.get("gives_up", ())),
            promise=Promise.from_dict(promise) if promise else None,
            profit=Profit.from_dict(profit) if profit else None,
            segments=tuple(map(SegmentThreshold.from_dict, data.get("segments", ()))),
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
    policy : Policy
    held_out : DataFrame
        ``lead_id``, ``account_id`` (optional), ``as_of`` (UTC; all missing in a flat table),
        ``label``, ``probability`` (calibrated), ``fit_percentile`` and ``engagement_percentile``
        (0 to 1; missing where the family has no features, and then without a floor); ``amount`` of
        the deal won within the horizon, for profit; ``SEGMENT_COLUMN``, where capacities go by one;
        ``stands_for``, where not everybody was tried: volumes are of all, conversion of the tried.
    floors : Floors
    seed : int
        Of the bootstrap for the intervals of weekly volume and lift.
    horizon_days : int
        Days within which a win counts.
    sampled_share : float
        Share of all leads that ``held_out`` is a sample of; volumes are scaled up by it.

    Raises
    ------
    ConfigError
        Capacity is asked of snapshots without dates, no lead passes the floors, or the policy needs
        a column that is not there.
    ImpossiblePolicyError
        No threshold answers the question; the best that can be had is told.
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
    _check_answerable(policy, leads, floors)
    answer = answer_of(policy, leads, held_out)
    return _choice(policy, leads, held_out, answer, seed)


def _check_answerable(policy: Policy, leads: HeldOutLeads, floors: Floors) -> None:
    by_week = isinstance(policy, CapacityPolicy | SegmentCapacityPolicy)
    if by_week and leads.weeks is None:
        raise ConfigError(
            "mql.policy is capacity, but the snapshots have no dates: new MQLs a week are unknown.",
            hint="Use policy: top_share (share: 0.1) or policy: probability (probability: 0.3).",
        )
    if not isinstance(policy, ProbabilityPolicy) and not np.isfinite(leads.score).any():
        raise ConfigError(
            f"No held-out lead has both fit >= {floors.fit} and engagement >= {floors.engagement}.",
            hint="Lower mql.minimum.fit or mql.minimum.engagement.",
        )


def _choice(
    policy: Policy, leads: HeldOutLeads, held_out: pd.DataFrame, answer: Answer, seed: int
) -> ThresholdChoice:
    least = _least(policy, held_out, answer)
    mql = leads.score >= least
    precision = leads.converted(mql)
    finite = leads.score[np.isfinite(leads.score)]
    volumes = leads.volumes(np.union1d(finite, [answer.threshold]))
    at = int(np.searchsorted(volumes.threshold, answer.threshold))
    curve = thinned_curve(volumes, at)
    weekly = leads.weekly_interval(least, seed)
    expected = weekly.value if weekly else None
    if volumes.weekly is not None and not answer.segments:
        expected = float(volumes.weekly[at])
    profit = None
    if isinstance(policy, ProfitPolicy) and answer.win_value is not None:
        curve = tuple(point.with_profit(answer.win_value, policy.touch_cost) for point in curve)
        profit = profit_of(policy, answer.win_value, precision, expected)
    return ThresholdChoice(
        policy=policy_to_dict(policy),
        threshold=answer.threshold,
        expected_mqls_per_week=expected,
        share=float(mql.mean()),
        precision=precision,
        recall=clustered_share(mql[leads.won], leads.codes[leads.won], leads.stands_for[leads.won]),
        lift=leads.lift(mql, seed),
        curve=curve,
        notes=(*answer.notes, *choice_notes(policy, leads, mql)),
        mqls_per_week=weekly,
        gives_up=tuple(given_up(leads, mql, least)),
        promise=answer.promise,
        profit=profit,
        segments=_segments(policy, leads, held_out, answer, seed),
    )


def _least(policy: Policy, held_out: pd.DataFrame, answer: Answer) -> float | Floats:
    if not isinstance(policy, SegmentCapacityPolicy):
        return answer.threshold
    segment = segments_of(held_out[SEGMENT_COLUMN], answer.segments)
    return np.array([answer.segments[name] for name in segment], dtype=np.float64)


def _segments(
    policy: Policy, leads: HeldOutLeads, held_out: pd.DataFrame, answer: Answer, seed: int
) -> tuple[SegmentThreshold, ...]:
    if not isinstance(policy, SegmentCapacityPolicy):
        return ()
    segment = segments_of(held_out[SEGMENT_COLUMN], answer.segments)
    told = []
    for name, threshold in answer.segments.items():
        members = leads.among(segment == name)
        mql: NDArray[np.bool_] = members.score >= threshold
        weekly = members.weekly_interval(threshold, seed)
        told.append(
            SegmentThreshold(
                name,
                threshold,
                weekly or Estimate(math.nan, math.nan, math.nan),
                members.converted(mql),
            )
        )
    return tuple(told)
