"""The newest scores as plain data: how many leads, how spread, and the hottest of them."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from .contents import GradeCount, LeadSummary, ProbabilityRange, ScoresSummary
from .formats import number, plain

# Probabilities bunch near zero, so the ranges widen upwards; each edge is a number people use.
PROBABILITY_EDGES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
GRADES = ("A", "B", "C", "D")


def scores_summary(
    scores: pd.DataFrame | None,
    threshold: Mapping[str, Any] | None,
    floors: Mapping[str, float],
    as_of: str | None,
    leads_shown: int,
) -> ScoresSummary | None:
    """Sum the newest scores up; None before scoring.

    Parameters
    ----------
    scores : DataFrame or None
        ``lead_id, probability, percentile, grade, mql, fit_percentile, engagement_percentile,
        reasons_for, reasons_against``; percentiles from 0 to 1.
    threshold : mapping or None
        ``ThresholdChoice.to_dict()``.
    floors : mapping
        Least ``fit`` and ``engagement`` percentile of an MQL, 0 to 1.
    as_of : str or None
        Day of the scores, in words.
    leads_shown : int
        How many of the hottest leads to list.
    """
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
