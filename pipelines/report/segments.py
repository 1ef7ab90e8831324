"""Calibration by segment: whether the percentages hold for each source, country and size too."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from .formats import count, number, percent, plain

_NAMED = 3


class SegmentSummary(TypedDict):
    """Promise and outcome of one segment; ``missed``: the promise lies outside the interval."""

    label: str
    value: str
    rows: int
    wins: int
    predicted: float
    observed: float
    low: float | None
    high: float | None
    missed: bool
    ece: float | None
    slope: float | None
    intercept: float | None


class SegmentsSummary(TypedDict):
    """All segments."""

    sentence: str
    rows: list[SegmentSummary]


def segments_summary(segments: Sequence[Mapping[str, Any]]) -> SegmentsSummary | None:
    """Sum the segments up; None where there are none.

    Parameters
    ----------
    segments : sequence of mappings
        ``{feature, label, value, rows, wins, predicted, observed, low, high, ece,
        calibration_slope, calibration_intercept}``, the last three where there are rows enough.
    """
    rows = [_segment(segment) for segment in segments]
    return SegmentsSummary(sentence=_sentence(rows), rows=rows) if rows else None


def _segment(segment: Mapping[str, Any]) -> SegmentSummary:
    predicted = float(segment["predicted"])
    low, high = number(segment["low"]), number(segment["high"])
    known = low is not None and high is not None
    return SegmentSummary(
        label=plain(segment["label"], 80),
        value=plain(segment["value"], 80),
        rows=int(segment["rows"]),
        wins=int(segment["wins"]),
        predicted=predicted,
        observed=float(segment["observed"]),
        low=low,
        high=high,
        ece=number(segment.get("ece")),
        slope=number(segment.get("calibration_slope")),
        intercept=number(segment.get("calibration_intercept")),
        missed=bool(known and not low <= predicted <= high),  # type: ignore[operator]
    )


def _sentence(rows: Sequence[SegmentSummary]) -> str:
    missed = [row for row in rows if row["missed"]]
    if not missed:
        return (
            f"In each of {count(len(rows))} segments the promised share lies within the 95% "
            "interval of what came."
        )
    worst = sorted(missed, key=lambda row: -abs(row["predicted"] - row["observed"]))[:_NAMED]
    named = "; ".join(
        f"{row['label']} {row['value']}, promised {percent(row['predicted'])} and "
        f"{percent(row['observed'])} came"
        for row in worst
    )
    return (
        f"In {count(len(missed))} of {count(len(rows))} segments the promised share lies outside "
        f"the 95% interval of what came, where chance alone would put one in twenty: {named}."
    )
