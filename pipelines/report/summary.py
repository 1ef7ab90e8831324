"""The report as plain data: every number and sentence of the page, testable without the page.

``summarize`` gives a dict that JSON can hold; ``page.to_html`` only sets it out. A part of the
report that cannot be made (no dates, no scores yet) is None, and ``absent`` says why in words.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from leadlight.features.validation import RULES

from .contents import (
    CandidateSummary,
    CurvePoint,
    DoorRow,
    DoorSummary,
    GradeCount,
    Interval,
    LeadSummary,
    LiftSummary,
    MQLSummary,
    ProbabilityRange,
    ReasonsSummary,
    ReasonSummary,
    ReliabilitySummary,
    ScoresSummary,
    Summary,
    TableCount,
)
from .formats import count, day, number, plain
from .metrics import metric_list
from .verdict import (
    best_share_sentence,
    calibration_sentence,
    family_sentence,
    mql_sentences,
    prediction_sentence,
    unseen_sentence,
    verdict_sentences,
)

# Probabilities bunch near zero, so the ranges widen upwards; each edge is a number people use.
PROBABILITY_EDGES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
GRADES = ("A", "B", "C", "D")
REASONS_SHOWN = 12
_CANDIDATE_NAMES = {
    "logistic": "Logistic regression",
    "boosted_additive": "Boosted additive model",
}


def summarize(
    *,
    metadata: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    unseen: Mapping[str, Any] | None = None,
    threshold: Mapping[str, Any] | None = None,
    floors: Mapping[str, float] | None = None,
    importance: Sequence[Mapping[str, Any]] = (),
    candidates: Sequence[Mapping[str, Any]] = (),
    windows: Sequence[str] = (),
    door: Mapping[str, Any] | None = None,
    scores: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
    leads_shown: int = 10,
) -> Summary:
    """Gather all that the report says.

    Parameters
    ----------
    metadata : mapping
        ``project``, ``version``, ``trained_at`` (ISO 8601, UTC), ``as_of`` of the scores (the
        same; None without dates), ``horizon_days`` (None without dates).
    evaluation : mapping
        ``Evaluation.to_dict()`` of the test window.
    unseen : mapping, optional
        The same for those leads of the test window that training had never seen.
    threshold : mapping, optional
        ``ThresholdChoice.to_dict()``.
    floors : mapping, optional
        Least ``fit`` and ``engagement`` percentile of an MQL, 0 to 1.
    importance : sequence of mappings
        ``{group, label, family, strength}``; strength is the mean absolute part of the log-odds.
    candidates : sequence of mappings
        ``{name, log_loss: {value, low, high}, fit_seconds, chosen}``.
    windows : sequence of str
        Sentences: how time was split, and which step of the ladder was taken.
    door : mapping, optional
        ``{counts: [{table, rule, rows, of, share, limit, passed}], rows_read: {table:
        n}, rows_kept: {table: n}, notes: [str]}``.
    scores : DataFrame, optional
        ``lead_id, probability, percentile, grade, mql, fit_percentile, engagement_percentile,
        reasons_for, reasons_against``; percentiles from 0 to 1.
    notes : sequence of str
        Whatever else a reader should know.
    leads_shown : int
        How many of the hottest leads to list.

    Returns
    -------
    Summary
        Plain JSON data: no NaN, no dates but as text. Foreign text is cleaned of control
        characters and shortened, but not escaped.
    """
    horizon = metadata.get("horizon_days")
    summary = Summary(
        project=plain(metadata["project"], 120),
        version=plain(metadata["version"], 60),
        trained_at=day(metadata.get("trained_at")),
        as_of=day(metadata.get("as_of")),
        horizon_days=horizon,
        predicts=prediction_sentence(horizon),
        verdict=verdict_sentences(evaluation, threshold, horizon),
        evaluated=_evaluated_sentence(evaluation),
        metrics=metric_list(evaluation, horizon),
        unseen=unseen_sentence(unseen),
        mql=_mql(threshold, floors or {}, horizon),
        scores=_scores(scores, threshold, floors or {}, day(metadata.get("as_of")), leads_shown),
        reasons=_reasons(importance),
        reliability=_reliability(evaluation),
        lift=_lift(evaluation),
        candidates=[_candidate(candidate) for candidate in candidates],
        windows=[plain(sentence) for sentence in windows],
        door=_door(door),
        notes=[plain(note) for note in notes if not threshold or note not in threshold["notes"]],
        absent={},
    )
    summary["absent"] = _absent(summary)
    return summary


def _absent(summary: Summary) -> dict[str, str]:
    """Say in words why a part is missing, for each one that is."""
    mql, scores = summary["mql"], summary["scores"]
    missing = {
        "mql": (mql is None, "No MQL definition was chosen in this version."),
        "curve": (
            mql is not None and not mql["curve"],
            "There are too few rows to compare other thresholds.",
        ),
        "scores": (
            scores is None,
            "No leads have been scored with this version yet. Run leadlight score, then leadlight "
            "report again.",
        ),
        "hottest": (
            scores is not None and not scores["hottest"],
            "There was no open lead to score.",
        ),
        "reasons": (
            summary["reasons"] is None,
            "No feature moves the score: every lead has the same probability.",
        ),
        "reliability": (
            summary["reliability"] is None,
            "There are too few rows to compare promised and actual shares.",
        ),
        "lift": (summary["lift"] is None, "There are too few rows for a lift curve."),
        "candidates": (
            not summary["candidates"],
            "The candidates' results were not kept with this version.",
        ),
        "windows": (not summary["windows"], "How the data was split was not kept."),
        "door": (summary["door"] is None, "The check of the data was not kept with this version."),
    }
    return {part: why for part, (is_missing, why) in missing.items() if is_missing}


def _evaluated_sentence(evaluation: Mapping[str, Any]) -> str:
    rows, leads = evaluation["rows"], evaluation["leads"]
    clusters = "" if leads == rows else f" from {count(leads)} leads or accounts"
    return (
        f"Measured on {count(rows)} rows{clusters} with {count(evaluation['positives'])} "
        "conversions that the model had not seen, in the last window. Ranges are 95% intervals."
    )


def _mql(
    threshold: Mapping[str, Any] | None, floors: Mapping[str, float], horizon: int | None
) -> MQLSummary | None:
    if threshold is None:
        return None
    return MQLSummary(
        sentences=mql_sentences(threshold, floors, horizon),
        threshold=number(threshold["threshold"]),
        per_week=_interval(threshold.get("mqls_per_week"), threshold["expected_mqls_per_week"]),
        share=number(threshold["share"]),
        precision=_interval(threshold["precision"]),
        recall=_interval(threshold["recall"]),
        lift=number(threshold["lift"]),
        curve=[
            CurvePoint(
                threshold=point["threshold"],
                mqls_per_week=number(point.get("mqls_per_week")),
                share=number(point.get("share")),
                precision=number(point.get("precision")),
                recall=number(point.get("recall")),
            )
            for point in threshold["curve"]
        ],
        notes=[plain(note) for note in threshold["notes"]],
    )


def _scores(
    scores: pd.DataFrame | None,
    threshold: Mapping[str, Any] | None,
    floors: Mapping[str, float],
    as_of: str | None,
    leads_shown: int,
) -> ScoresSummary | None:
    if scores is None:
        return None
    mql = scores["mql"].to_numpy(dtype=bool)
    grade = scores["grade"].to_numpy(dtype=object)
    hottest = scores.sort_values(
        ["probability", "percentile", "lead_id"], ascending=[False, False, True], kind="stable"
    ).head(leads_shown)
    least = number(threshold["threshold"]) if threshold else None
    return ScoresSummary(
        as_of=as_of,
        leads=len(scores),
        mqls=int(mql.sum()),
        grades=[
            GradeCount(
                grade=name,
                leads=int((grade == name).sum()),
                mqls=int((mql & (grade == name)).sum()),
            )
            for name in GRADES
        ],
        distribution=_distribution(scores["probability"].to_numpy(dtype=float), mql),
        hottest=[
            _lead(rank, row, least, floors)
            for rank, row in enumerate(hottest.to_dict("records"), start=1)
        ],
    )


def _distribution(
    probability: np.ndarray[Any, np.dtype[np.float64]], mql: np.ndarray[Any, np.dtype[np.bool_]]
) -> list[ProbabilityRange]:
    """Count leads by range of probability, without the empty ranges at either end."""
    bins = np.searchsorted(PROBABILITY_EDGES[1:-1], probability, side="right")
    total = np.bincount(bins, minlength=len(PROBABILITY_EDGES) - 1)
    passed = np.bincount(bins[mql], minlength=len(total))
    taken = np.flatnonzero(total)
    if not len(taken):
        return []
    edges = list(pairwise(PROBABILITY_EDGES))
    return [
        ProbabilityRange(
            low=edges[i][0],
            high=edges[i][1],
            mqls=int(passed[i]),
            others=int(total[i] - passed[i]),
        )
        for i in range(int(taken[0]), int(taken[-1]) + 1)
    ]


def _lead(
    rank: int, row: Mapping[Any, Any], least: float | None, floors: Mapping[str, float]
) -> LeadSummary:
    lead = LeadSummary(
        rank=rank,
        lead_id=plain(row["lead_id"]),
        probability=float(row["probability"]),
        percentile=number(row["percentile"]),
        grade=plain(row["grade"], 4),
        mql=bool(row["mql"]),
        why_not=None,
        fit_percentile=number(row["fit_percentile"]),
        engagement_percentile=number(row["engagement_percentile"]),
        reasons_for=[plain(reason) for reason in row["reasons_for"]],
        reasons_against=[plain(reason) for reason in row["reasons_against"]],
    )
    if not lead["mql"]:
        lead["why_not"] = _why_not(lead, least, floors)
    return lead


def _why_not(lead: LeadSummary, least: float | None, floors: Mapping[str, float]) -> str | None:
    if least is not None and lead["probability"] < least:
        return "Below the threshold"
    below = [
        family
        for family, percentile in (
            ("fit", lead["fit_percentile"]),
            ("engagement", lead["engagement_percentile"]),
        )
        if percentile is not None and percentile < floors.get(family, 0.0)
    ]
    return f"Below the floor for {' and '.join(below)}" if below else None


def _reasons(importance: Sequence[Mapping[str, Any]]) -> ReasonsSummary | None:
    ordered = sorted(importance, key=lambda part: (-part["strength"], part["label"]))
    total = sum(part["strength"] for part in ordered)
    if not total:
        return None
    by_family: dict[str, float] = {}
    for part in ordered:
        by_family[part["family"]] = by_family.get(part["family"], 0.0) + part["strength"]
    shown = [part for part in ordered if part["strength"] > 0][:REASONS_SHOWN]
    return ReasonsSummary(
        sentence=family_sentence(by_family),
        shown=[
            ReasonSummary(
                label=plain(part["label"], 160),
                family=part["family"],
                strength=float(part["strength"]),
                share=float(part["strength"] / total),
            )
            for part in shown
        ],
        others=len(ordered) - len(shown),
        others_share=float(max(0.0, 1 - sum(part["strength"] for part in shown) / total)),
    )


def _reliability(evaluation: Mapping[str, Any]) -> ReliabilitySummary | None:
    if not evaluation["reliability"]:
        return None
    return ReliabilitySummary(
        sentence=calibration_sentence(evaluation),
        bins=[_numbers(row) for row in evaluation["reliability"]],
    )


def _lift(evaluation: Mapping[str, Any]) -> LiftSummary | None:
    curve = [_numbers(point) for point in evaluation["lift_curve"]]
    if not curve or any(value is None for point in curve for value in point.values()):
        return None
    return LiftSummary(sentence=best_share_sentence(evaluation["lift_curve"]), curve=curve)


def _candidate(candidate: Mapping[str, Any]) -> CandidateSummary:
    name = candidate["name"]
    return CandidateSummary(
        name=_CANDIDATE_NAMES.get(name, plain(name).replace("_", " ").capitalize()),
        log_loss=_interval(candidate["log_loss"]),
        fit_seconds=number(candidate["fit_seconds"]),
        chosen=bool(candidate["chosen"]),
    )


def _door(door: Mapping[str, Any] | None) -> DoorSummary | None:
    if door is None:
        return None
    broken = [rule for rule in door["counts"] if rule["rows"]]
    kept = door.get("rows_kept", {})
    return DoorSummary(
        tables=[
            TableCount(table=plain(table), read=int(read), kept=int(kept.get(table, read)))
            for table, read in door.get("rows_read", {}).items()
        ],
        rules=[
            DoorRow(
                table=plain(rule["table"]),
                meaning=_meaning(rule["rule"]),
                rows=int(rule["rows"]),
                of=int(rule["of"]),
                share=float(rule["share"]),
                limit=number(rule["limit"]),
                passed=bool(rule["passed"]),
            )
            for rule in broken
        ],
        rules_clean=len(door["counts"]) - len(broken),
        notes=[plain(note) for note in door.get("notes", ())],
    )


def _meaning(rule: str) -> str:
    words = RULES[rule].meaning if rule in RULES else rule.replace("_", " ")
    return plain(words[:1].upper() + words[1:], 200)


def _interval(estimate: Mapping[str, Any] | None, value: float | None = None) -> Interval:
    """Read an estimate, or a bare value where there is none."""
    known = estimate or {"value": value, "low": None, "high": None}
    return Interval(
        value=number(known["value"]), low=number(known["low"]), high=number(known["high"])
    )


def _numbers(row: Mapping[str, Any]) -> dict[str, float | None]:
    return {key: number(value) for key, value in row.items()}
