"""The contents of a report: the exact shape of the plain data that ``summarize`` gives.

All of it is JSON: numbers are finite or None, days are text; shares, probabilities and percentiles
run from 0 to 1.
"""

from typing import Literal, TypedDict

from .metrics import Metric


class CurvePoint(TypedDict):
    """One threshold that could be chosen: volume (a week, and as a share) against quality."""

    threshold: float
    mqls_per_week: float | None
    share: float | None
    precision: float | None
    recall: float | None


class Interval(TypedDict):
    """A figure with its 95 % interval; None where it is unknown."""

    value: float | None
    low: float | None
    high: float | None


class MQLSummary(TypedDict):
    """The MQL definition: words, volume, quality, and the curve of other choices."""

    sentences: list[str]
    threshold: float | None
    per_week: Interval
    share: float | None
    precision: Interval
    recall: Interval
    lift: float | None
    curve: list[CurvePoint]
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


class CandidateSummary(TypedDict):
    """A candidate model on the window where the choice was made."""

    name: str
    log_loss: Interval
    fit_seconds: float | None
    chosen: bool


class DoorRow(TypedDict):
    """A rule of the door that some row broke."""

    table: str
    meaning: str
    rows: int
    of: int
    share: float
    limit: float | None
    passed: bool


class TableCount(TypedDict):
    """Rows of a canonical table read and kept."""

    table: str
    read: int
    kept: int


class DoorSummary(TypedDict):
    """Data quality at the door."""

    tables: list[TableCount]
    rules: list[DoorRow]
    rules_clean: int
    notes: list[str]


class Summary(TypedDict):
    """The whole report."""

    project: str
    version: str
    trained_at: str | None
    as_of: str | None
    horizon_days: int | None
    predicts: str
    verdict: list[str]
    evaluated: str
    metrics: list[Metric]
    unseen: str | None
    mql: MQLSummary | None
    scores: ScoresSummary | None
    reasons: ReasonsSummary | None
    reliability: ReliabilitySummary | None
    lift: LiftSummary | None
    candidates: list[CandidateSummary]
    windows: list[str]
    door: DoorSummary | None
    notes: list[str]
    absent: dict[str, str]
