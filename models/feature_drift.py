"""Feature drift: every feature of the model tonight against its training, and the events behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.feature import Feature

from .alarms import Finding, Limits
from .drift import Bins, drift, population_stability
from .event_streams import EventStream

Floats = NDArray[np.float64]

SCORE = "probability"
COLUMN_STATISTICS = frozenset({"profile", "country"})
"""Statistics of features that are a column as it stands."""

_READ_FROM_COLUMN = COLUMN_STATISTICS | {"region", "seniority", "job_function", "email_kind"}
_ALMOST_ALL = 0.999
_TOLD_APART = 0.98


@dataclass(frozen=True, eq=False)
class ReferenceProfile:
    """How features were distributed at training: the newest snapshots, and those before.

    Attributes
    ----------
    bins : mapping of feature to Bins
    counts : mapping of feature to array
        Of the newest snapshots.
    usual : mapping of feature to float
        PSI between the newest snapshots and the ones before: what a season brings.
    top_share : mapping of feature to float
        Share of the most frequent value.
    """

    bins: Mapping[str, Bins]
    counts: Mapping[str, Floats]
    usual: Mapping[str, float]
    top_share: Mapping[str, float]

    @classmethod
    def of(cls, newest: pd.DataFrame, before: pd.DataFrame, names: Sequence[str]) -> Any:
        """Profile the features of the newest snapshots of a training, and of those before."""
        bins = {name: Bins.of(newest[name]) for name in names}
        counts = {name: bins[name].counts(newest[name]) for name in names}
        usual = {
            name: population_stability(counts[name], bins[name].counts(before[name]))
            if len(before)
            else 0.0
            for name in names
        }
        return cls(bins, counts, usual, {name: top_share(newest[name]) for name in names})

    def profile(self, frame: pd.DataFrame) -> dict[str, Floats]:
        """Count another table by the same bins."""
        return {name: bins.counts(frame[name]) for name, bins in self.bins.items()}


@dataclass(frozen=True)
class FeatureDrift:
    """One feature tonight.

    Attributes
    ----------
    name, label : str
    psi, usual, p_value : float
    bin : str
        The bin that moved most.
    before, now : float
        Its share.
    behind : str
        The events behind it, in words; empty where there are none.
    """

    name: str
    label: str
    psi: float
    usual: float
    p_value: float
    bin: str
    before: float
    now: float
    behind: str


def top_share(values: "pd.Series[Any]") -> float:
    """Return the share of the most frequent value, missing ones among them."""
    if not len(values):
        return 0.0
    return float(values.value_counts(dropna=False).iloc[0]) / len(values)


def feature_drifts(
    reference: ReferenceProfile,
    tonight: Mapping[str, Floats],
    features: Sequence[Feature],
    streams: Sequence[EventStream],
    earlier: Sequence[Mapping[str, Floats]] = (),
) -> list[FeatureDrift]:
    """Hold every feature against its training, the one that moved most first.

    Parameters
    ----------
    reference : ReferenceProfile
    tonight : mapping of feature to array
        Counts by the reference's bins.
    features : sequence of Feature
    streams : sequence of EventStream
        To say which events are behind a drift.
    earlier : sequence of mapping
        Counts of earlier nights, by the same bins.
    """
    told = []
    for feature in features:
        name = feature.name
        nights = [night[name] for night in earlier if name in night]
        found = drift(
            reference.counts[name],
            tonight[name],
            reference.bins[name].labels,
            np.stack(nights) if nights else None,
        )
        told.append(
            FeatureDrift(
                name,
                feature.label,
                found.psi,
                reference.usual[name],
                found.p_value,
                found.bin,
                found.before,
                found.now,
                _behind(feature, streams),
            )
        )
    return sorted(told, key=lambda one: (-one.psi, one.name))


def drift_findings(
    drifts: Sequence[FeatureDrift],
    features: Sequence[Feature],
    now_top: Mapping[str, float],
    reference: ReferenceProfile,
    limits: Limits,
) -> list[Finding]:
    """Turn drifts into findings: a column gone constant is named as that."""
    by_name = {feature.name: feature for feature in features}
    findings = []
    for one in drifts:
        feature = by_name[one.name]
        moved = (
            f"{one.label}: PSI {one.psi:.2f}; '{one.bin}' has {one.now:.0%} of leads instead of "
            f"{one.before:.0%}. {one.behind}"
        ).strip()
        limit = max(limits.psi_attention, 2 * one.usual)
        findings.append(
            Finding(
                "feature drift",
                one.name,
                one.p_value,
                # All leads grow older in a young company: that is no news.
                one.psi >= limit and feature.family != "timing",
                "act" if one.psi >= max(limits.psi_act, limit) else "attention",
                moved,
                (feature.subject or one.name, one.name),
            )
        )
        constant = now_top[one.name] >= _ALMOST_ALL and reference.top_share[one.name] < _TOLD_APART
        if constant and feature.statistic in _READ_FROM_COLUMN:
            findings.append(
                Finding(
                    "constant column",
                    feature.subject or one.name,
                    one.p_value,
                    True,
                    "act",
                    f"{one.label}: {now_top[one.name]:.1%} of today's leads have one value; at "
                    f"training {reference.top_share[one.name]:.0%} had.",
                    (feature.subject, one.name),
                )
            )
    return findings


def score_finding(
    before: "pd.Series[Any]",
    now: "pd.Series[Any]",
    earlier: Sequence["pd.Series[Any]"],
    limits: Limits,
) -> Finding:
    """Hold the distribution of scores against that of the held-out window.

    Parameters
    ----------
    before, now : Series of float
        Probabilities.
    earlier : sequence of Series
        Of earlier nights by the same decision version.
    limits : Limits
    """
    bins = Bins.of(before)
    nights = [bins.counts(night) for night in earlier]
    found = drift(
        bins.counts(before), bins.counts(now), bins.labels, np.stack(nights) if nights else None
    )
    return Finding(
        "score drift",
        SCORE,
        found.p_value,
        found.psi >= limits.psi_attention,
        "act" if found.psi >= limits.psi_act else "attention",
        f"Scores: PSI {found.psi:.2f} against the held-out window; probabilities '{found.bin}' "
        f"have {found.now:.0%} of leads instead of {found.before:.0%}.",
        (SCORE,),
    )


def _behind(feature: Feature, streams: Sequence[EventStream]) -> str:
    """Say how the events that a feature counts have changed."""
    days = feature.lookback_days or 30
    mine = [
        stream
        for stream in streams
        if feature.family == "engagement"
        and (
            not feature.subject
            or feature.subject == stream.kind
            or feature.subject.startswith(f"{stream.kind}_")
        )
    ]
    changes = []
    for stream in mine:
        span = min(days, len(stream.events) // 2)
        now, before = stream.events[-span:].mean(), stream.events[:-span].mean()
        if before > 0:
            changes.append((abs(now - before), stream.kind, now / before - 1, span))
    if not changes:
        return ""
    _, kind, change, span = max(changes)
    return f"Behind it: {kind}, {change:+.0%} in the last {span} days."
