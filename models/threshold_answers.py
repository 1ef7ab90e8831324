"""The answer of each policy: the threshold that held-out leads give, and what to know of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.errors import ConfigError, ImpossiblePolicyError

from .bootstrap import Floats
from .policies import (
    OTHER_SEGMENTS,
    SEGMENT_COLUMN,
    CapacityPolicy,
    Policy,
    PrecisionPolicy,
    ProbabilityPolicy,
    ProfitPolicy,
    RecallPolicy,
    SegmentCapacityPolicy,
    TopSharePolicy,
)
from .precision_promise import Promise, promised_threshold
from .profit import paying_probability, win_value_of
from .promotions import HeldOutLeads, Volumes


@dataclass(frozen=True)
class Answer:
    """What a policy asks for.

    Attributes
    ----------
    threshold : float
        Where segments have their own: the lowest of them.
    notes : list of str
    promise : Promise or None
        Of the policy ``precision``.
    win_value : float or None
        Of the policy ``profit``.
    segments : dict of str to float
        Threshold of each segment, where the policy has any.
    """

    threshold: float
    notes: list[str] = field(default_factory=list)
    promise: Promise | None = None
    win_value: float | None = None
    segments: dict[str, float] = field(default_factory=dict)


def answer_of(policy: Policy, leads: HeldOutLeads, frame: pd.DataFrame) -> Answer:
    """Find the threshold that a policy asks for.

    Parameters
    ----------
    policy : Policy
    leads : HeldOutLeads
        With dates, where the policy is about capacity; at least one passes the floors.
    frame : DataFrame
        The same snapshots, with the segments' column and ``amount`` where the policy wants them.

    Raises
    ------
    ConfigError
        The policy wants a column or a segment that is not there.
    ImpossiblePolicyError
        No threshold answers it.
    """
    match policy:
        case ProbabilityPolicy():
            return Answer(policy.probability)
        case PrecisionPolicy():
            threshold, promise = promised_threshold(policy, leads)
            return Answer(threshold, promise=promise)
        case ProfitPolicy():
            amount = frame["amount"].to_numpy(dtype=np.float64) if "amount" in frame else None
            value = win_value_of(policy, leads, amount)
            return Answer(paying_probability(policy, value), win_value=value)
        case SegmentCapacityPolicy():
            return _by_segment(policy, leads, frame)
        case _:
            return _by_volume(policy, leads.volumes(_thresholds(leads)))


def _by_volume(policy: CapacityPolicy | TopSharePolicy | RecallPolicy, volumes: Volumes) -> Answer:
    match policy:
        case CapacityPolicy():
            return _by_capacity(policy, volumes)
        case TopSharePolicy():
            return _by_share(policy, volumes)
        case RecallPolicy():
            return _by_recall(policy, volumes)


def _thresholds(leads: HeldOutLeads) -> Floats:
    return np.unique(leads.score[np.isfinite(leads.score)])


def _by_capacity(policy: CapacityPolicy, volumes: Volumes) -> Answer:
    asked, weekly, thresholds = policy.leads_per_week, volumes.weekly, volumes.threshold
    assert weekly is not None  # noqa: S101 - capacity without dates was refused
    beyond = np.flatnonzero(weekly > asked)
    if len(beyond) == 0:
        most = len(weekly) - 1 - int(np.argmax(weekly[::-1]))
        return Answer(
            float(thresholds[most]),
            []
            if weekly[most] >= 0.9 * asked
            else [
                f"{asked:g} new MQLs a week cannot be reached: the most that any threshold brings "
                f"is {weekly[most]:.1f}."
            ],
        )
    chosen = int(beyond[-1]) + 1
    if chosen == len(weekly):
        return Answer(
            float(thresholds[-1]),
            [
                f"Even the highest threshold brings {weekly[-1]:.1f} new MQLs a week, above the "
                f"{asked:g} asked for: the best leads have equal probabilities."
            ],
        )
    notes = []
    if weekly[chosen] < 0.9 * asked:
        notes.append(
            f"{weekly[chosen]:.1f} new MQLs a week instead of {asked:g}: the next leads have equal "
            f"probabilities, and with them it would be {weekly[chosen - 1]:.1f}."
        )
    return Answer(float(thresholds[chosen]), notes)


def _by_segment(policy: SegmentCapacityPolicy, leads: HeldOutLeads, frame: pd.DataFrame) -> Answer:
    """Answer the capacity of each segment on its own leads."""
    if SEGMENT_COLUMN not in frame:
        raise ConfigError(
            f"mql.by is '{policy.by}', but the held-out leads do not say theirs.",
            hint="Set mql.by in leadlight.yaml and train: leadlight train",
        )
    segment = segments_of(frame[SEGMENT_COLUMN], policy.leads_per_week)
    thresholds: dict[str, float] = {}
    notes = []
    for name, capacity in policy.leads_per_week.items():
        members = leads.among(segment == name)
        candidates = _thresholds(members)
        if len(candidates) == 0:
            thresholds[name] = 1.0
            notes.append(
                f"{policy.by} {name}: no held-out lead of it passes the floors, so none becomes an "
                "MQL below certainty."
            )
            continue
        answer = _by_capacity(CapacityPolicy(capacity), members.volumes(candidates))
        thresholds[name] = answer.threshold
        notes += [f"{policy.by} {name}: {note}" for note in answer.notes]
    return Answer(min(thresholds.values()), notes, segments=thresholds)


def segments_of(column: "pd.Series[Any]", named: Iterable[str]) -> NDArray[np.object_]:
    """Return the segment of each lead: its own where that is named, else ``other``.

    Parameters
    ----------
    column : Series of shape (n,)
    named : iterable of str
    """
    values = column.astype(object)
    known = values.isin(list(named))
    return np.asarray(values.where(known, OTHER_SEGMENTS), dtype=object)


def _by_share(policy: TopSharePolicy, volumes: Volumes) -> Answer:
    asked, share, thresholds = policy.share, volumes.share, volumes.threshold
    within = np.flatnonzero(share <= asked)
    if len(within) == 0:
        return Answer(
            float(thresholds[-1]),
            [
                f"{share[-1]:.1%} of leads are MQLs, above the {asked:.1%} asked for: the best "
                "leads have equal probabilities."
            ],
        )
    chosen = int(within[0])
    notes = []
    if share[chosen] < 0.9 * asked and chosen == 0:
        notes.append(
            f"Only {share[0]:.1%} of leads pass the floors of fit and engagement, below the "
            f"{asked:.1%} asked for."
        )
    elif share[chosen] < 0.9 * asked:
        notes.append(
            f"{share[chosen]:.1%} of leads are MQLs instead of {asked:.1%}: the next leads have "
            f"equal probabilities, and with them it would be {share[chosen - 1]:.1%}."
        )
    return Answer(float(thresholds[chosen]), notes)


def _by_recall(policy: RecallPolicy, volumes: Volumes) -> Answer:
    reached = np.flatnonzero(volumes.recall >= policy.recall)
    if len(reached) == 0:
        most = float(np.nan_to_num(volumes.recall[0]))
        raise ImpossiblePolicyError(
            f"{policy.recall:.0%} of the conversions cannot be MQLs: the floors of fit and "
            f"engagement leave {most:.1%} of them, whatever the threshold.",
            best={"recall": most, "threshold": float(volumes.threshold[0])},
        )
    return Answer(float(volumes.threshold[reached[-1]]))
