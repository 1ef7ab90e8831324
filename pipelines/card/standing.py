"""A lead's standing: its points of 100, and every reason for them in a sentence."""

import math
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from leadlight.features.catalog import feature_catalog
from leadlight.features.feature import Feature
from leadlight.features.wording import Wording, as_spoken, sentence
from leadlight.models.decision import DecisionVersion
from leadlight.models.reasons import ReasonPart, reason_parts

from .change import threshold_points


@dataclass(frozen=True)
class Reason:
    """A reason with its sentence.

    Attributes
    ----------
    part : ReasonPart
    sentence : str
    """

    part: ReasonPart
    sentence: str


@dataclass(frozen=True)
class Standing:
    """A lead's score in points of 100, and every reason for it; whole points that add up.

    Attributes
    ----------
    points, average, least : int
        Of the lead, of the average lead, and of an MQL.
    reasons : tuple of Reason
        Strongest first; ``average`` and all of them sum to ``points``.
    activities : int or None
        Of the lead so far; None where the project has no events.
    """

    points: int
    average: int
    least: int
    reasons: tuple[Reason, ...]
    activities: int | None


def standing_of(
    decision: DecisionVersion, frame: pd.DataFrame, wording: Wording, as_of: datetime | None
) -> Standing:
    """Part a lead's score into points and reasons.

    Parameters
    ----------
    decision : DecisionVersion
    frame : DataFrame of one row
        The lead's features.
    wording : Wording
    as_of : datetime or None
        Aware; None in a flat table.
    """
    judged = decision.judge(frame)
    scale, average = decision.reference.point_scale, decision.reference.average_parts(frame)
    parts = reason_parts(
        judged.parts[0], average if average.ndim == 1 else average[0], decision.features, scale
    )
    points = math.floor(float(scale.points(judged.margin)[0]) + 0.5)
    total = [
        feature.name
        for feature in feature_catalog(decision.definition)
        if feature.statistic == "total" and feature.lookback_days is None
    ]
    return Standing(
        points=points,
        average=points - sum(part.points for part in parts),
        least=math.ceil(threshold_points(decision, frame)),
        reasons=tuple(
            Reason(part, _sentence(part.feature, frame, wording, as_of)) for part in parts
        ),
        activities=int(frame[total[0]].iloc[0]) if total else None,
    )


def _sentence(
    feature: Feature, frame: pd.DataFrame, wording: Wording, as_of: datetime | None
) -> str:
    """Say what a reason's feature holds, rounded as in the scores."""
    value: object = frame[feature.name].iloc[0]
    if feature.kind == "numeric":
        numbers = frame[feature.name].to_numpy(dtype="float64", na_value=math.nan)
        value = as_spoken(feature, numbers)[0]
        if feature.statistic == "age" or feature.statistic.startswith("days_since"):
            value = numbers[0]  # a day is told exactly, and needs the hours
    return sentence(feature, value, wording, as_of)
