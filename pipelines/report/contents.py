"""The contents of a report: the exact shape of the plain data that ``summarize`` gives.

All of it is JSON: numbers are finite or None, days are text; shares, probabilities and percentiles
run from 0 to 1.
"""

from typing import Literal, TypedDict

from .door import DoorSummary
from .feedback import FeedbackSummary
from .grid import GridSummary
from .interval import Interval
from .leaks import LeaksSummary
from .metrics import Metric
from .model_choice import CandidateSummary
from .segments import SegmentsSummary
from .shapes import ShapeSummary


class CurvePoint(TypedDict):
    """One threshold that could be chosen: volume (a week, and as a share) against quality."""

    threshold: float
    mqls_per_week: float | None
    share: float | None
    precision: float | None
    recall: float | None


class MQLSummary(TypedDict):
    """The MQL definition: words, volume, quality, what it costs, and the curve of other choices."""

    sentences: list[str]
    threshold: float | None
    per_week: Interval
    share: float | None
    precision: Interval
    recall: Interval
    lift: float | None
    curve: list[CurvePoint]
    grid: GridSummary | None
    gives_up: list[str]
    notes: list[str]


class LeadSummary(TypedDict):
    """One of the hottest leads."""

    rank: int
    lead_id: str
    probability: float
    percentile: float | None
    grade: str
    mql: bool
    why_not: str | None
    fit_percentile: float | None
    engagement_percentile: float | None
    reasons_for: list[str]
    reasons_against: list[str]


class GradeCount(TypedDict):
    """Leads of one grade."""

    grade: str
    leads: int
    mqls: int


class ProbabilityRange(TypedDict):
    """Leads whose probability lies in ``[low, high)``."""

    low: float
    high: float
    mqls: int
    others: int


class ScoresSummary(TypedDict):
    """The newest scores: how many, how spread, and the hottest leads."""

    as_of: str | None
    leads: int
    mqls: int
    grades: list[GradeCount]
    distribution: list[ProbabilityRange]
    hottest: list[LeadSummary]


class ReasonSummary(TypedDict):
    """What moves the score in general: mean absolute part of the log-odds, and its share."""

    label: str
    family: Literal["fit", "engagement", "timing"]
    strength: float
    share: float


class ReasonsSummary(TypedDict):
    """The strongest groups of features."""

    sentence: str
    shown: list[ReasonSummary]
    others: int
    others_share: float


class ReliabilitySummary(TypedDict):
    """Promised against actual shares, from ``Evaluation.reliability``."""

    sentence: str
    bins: list[dict[str, float | None]]


class LiftSummary(TypedDict):
    """What working the best leads brings, from ``Evaluation.lift_curve``."""

    sentence: str
    curve: list[dict[str, float | None]]


class Summary(TypedDict):
    """The whole report."""

    project: str
    version: str
    trained_at: str | None
    as_of: str | None
    horizon_days: int | None
    predicts: str
    uncalibrated: str | None
    verdict: list[str]
    evaluated: str
    metrics: list[Metric]
    unseen: str | None
    mql: MQLSummary | None
    scores: ScoresSummary | None
    reasons: ReasonsSummary | None
    shapes: list[ShapeSummary]
    reliability: ReliabilitySummary | None
    segments: SegmentsSummary | None
    lift: LiftSummary | None
    feedback: FeedbackSummary | None
    leaks: LeaksSummary | None
    blend: list[str]
    candidates: list[CandidateSummary]
    recency: str | None
    ceiling: str | None
    shapley: str | None
    windows: list[str]
    tried: list[str]
    door: DoorSummary | None
    notes: list[str]
    absent: dict[str, str]
