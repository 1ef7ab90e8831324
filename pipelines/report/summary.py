"""The report as plain data: every number and sentence of the page, testable without the page.

``summarize`` gives a dict that JSON can hold; ``page.to_html`` only sets it out. A part of the
report that cannot be made (no dates, no scores yet) is None, and ``absent`` says why in words.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from leadlight.models.policies import UNCALIBRATED

from .absence import absent_parts
from .contents import (
    CurvePoint,
    LiftSummary,
    MQLSummary,
    ReasonsSummary,
    ReasonSummary,
    ReliabilitySummary,
    Summary,
)
from .definition_words import mql_sentences
from .door import door_summary
from .feedback import feedback_summary
from .formats import count, day, number, plain
from .grid import grid_summary
from .interval import interval_of
from .lead_scores import scores_summary
from .leaks import leaks_summary
from .metrics import metric_list
from .model_choice import (
    blend_sentences,
    candidate_summary,
    ceiling_sentence,
    recency_sentence,
    rules_sentences,
    shapley_sentence,
)
from .segments import segments_summary
from .shapes import shapes_summary
from .verdict import (
    best_share_sentence,
    calibration_sentence,
    family_sentence,
    prediction_sentence,
    unseen_sentence,
    verdict_sentences,
)

REASONS_SHOWN = 12
_STORY = (
    "evaluation",
    "unseen",
    "threshold",
    "grid",
    "importance",
    "shapes",
    "candidates",
    "blend",
    "recency",
    "ceiling",
    "tried",
    "rules",
    "segments",
    "feedback",
    "leaks",
    "windows",
    "door",
    "notes",
)


def summarize(
    *,
    metadata: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    unseen: Mapping[str, Any] | None = None,
    threshold: Mapping[str, Any] | None = None,
    grid: Sequence[Mapping[str, Any]] | None = None,
    floors: Mapping[str, float] | None = None,
    importance: Sequence[Mapping[str, Any]] = (),
    shapes: Sequence[Mapping[str, Any]] = (),
    candidates: Sequence[Mapping[str, Any]] = (),
    blend: Sequence[Mapping[str, Any]] = (),
    recency: Mapping[str, Any] | None = None,
    ceiling: Mapping[str, Any] | None = None,
    tried: Sequence[str] = (),
    rules: Sequence[Mapping[str, Any]] = (),
    segments: Sequence[Mapping[str, Any]] = (),
    feedback: Mapping[str, Any] | None = None,
    leaks: Sequence[Mapping[str, Any]] | None = None,
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
    grid : sequence of mappings, optional
        ``GridCell.to_dict()`` of the same choice.
    floors : mapping, optional
        Least ``fit`` and ``engagement`` percentile of an MQL, 0 to 1.
    importance : sequence of mappings
        ``{group, label, family, strength}``; strength is the mean absolute part of the log-odds.
    shapes : sequence of mappings
        What each value of the strongest signals adds: see ``shapes_summary``.
    candidates : sequence of mappings
        ``{name, log_loss: {value, low, high}, fit_seconds, chosen}``.
    blend, recency, ceiling : optional
        How the model was made of them: see ``model_choice``.
    tried : sequence of str
        Sentences: what was tried besides.
    rules : sequence of mappings
        ``{words, signal}`` of each signal of a rules-only start.
    segments : sequence of mappings
        Calibration by segment: see ``segments_summary``.
    feedback : mapping, optional
        The decisions of sales: see ``feedback_summary``.
    leaks : sequence of mappings, optional
        The leak audit, empty if it found nothing: see ``leaks_summary``.
    windows : sequence of str
        Sentences: how time was split, and which step of the ladder was taken.
    door : mapping, optional
        The check of the data: see ``door_summary``.
    scores : DataFrame, optional
        The newest scores: see ``scores_summary``.
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
    horizon, uncalibrated = metadata.get("horizon_days"), metadata.get(UNCALIBRATED)
    summary = Summary(
        project=plain(metadata["project"], 120),
        version=plain(metadata["version"], 60),
        trained_at=day(metadata.get("trained_at")),
        as_of=day(metadata.get("as_of")),
        horizon_days=horizon,
        predicts=prediction_sentence(horizon),
        uncalibrated=uncalibrated,
        verdict=verdict_sentences(evaluation, threshold, horizon, uncalibrated),
        evaluated=_evaluated_sentence(evaluation, uncalibrated),
        metrics=metric_list(evaluation, horizon),
        unseen=unseen_sentence(unseen),
        mql=_mql(threshold, grid, floors or {}, horizon),
        scores=scores_summary(
            scores, threshold, floors or {}, day(metadata.get("as_of")), leads_shown
        ),
        reasons=_reasons(importance),
        shapes=shapes_summary(shapes),
        reliability=_reliability(evaluation),
        segments=segments_summary(segments),
        lift=_lift(evaluation),
        feedback=feedback_summary(feedback),
        leaks=leaks_summary(leaks),
        blend=[*blend_sentences(blend), *rules_sentences(rules)],
        candidates=[candidate_summary(candidate, blend) for candidate in candidates],
        recency=recency_sentence(recency),
        ceiling=ceiling_sentence(ceiling),
        shapley=shapley_sentence(blend),
        windows=[plain(sentence) for sentence in windows],
        tried=[plain(sentence) for sentence in tried],
        door=door_summary(door),
        notes=[plain(note) for note in notes if not threshold or note not in threshold["notes"]],
        absent={},
    )
    summary["absent"] = absent_parts(summary)
    return summary


def summarize_training(
    story: Mapping[str, Any],
    *,
    version: object = "",
    as_of: str | None = None,
    floors: Mapping[str, float] | None = None,
    scores: pd.DataFrame | None = None,
) -> Summary:
    """Gather what the story of a training says, of an older leadlight too.

    Parameters
    ----------
    story : mapping
        Plain data of the training, as the decision version keeps it.
    version : object
        Number of the decision version.
    as_of : str, optional
        Of the scores, ISO 8601, UTC.
    floors : mapping, optional
    scores : DataFrame, optional
    """
    told = {name: story[name] for name in _STORY if name in story}
    metadata = {**story["metadata"], "version": version, "as_of": as_of}
    return summarize(metadata=metadata, floors=floors, scores=scores, **told)


def _evaluated_sentence(evaluation: Mapping[str, Any], uncalibrated: str | None) -> str:
    rows, leads = evaluation["rows"], evaluation["leads"]
    clusters = "" if leads == rows else f" from {count(leads)} leads or accounts"
    unseen = (
        "that taught the rules nothing but their level"
        if uncalibrated
        else "that the model had not seen, in the last window"
    )
    return (
        f"Measured on {count(rows)} rows{clusters} with {count(evaluation['positives'])} "
        f"conversions {unseen}. Ranges are 95% intervals."
    )


def _mql(
    threshold: Mapping[str, Any] | None,
    grid: Sequence[Mapping[str, Any]] | None,
    floors: Mapping[str, float],
    horizon: int | None,
) -> MQLSummary | None:
    if threshold is None:
        return None
    return MQLSummary(
        sentences=mql_sentences(threshold, floors, horizon),
        threshold=number(threshold["threshold"]),
        per_week=interval_of(threshold.get("mqls_per_week"), threshold["expected_mqls_per_week"]),
        share=number(threshold["share"]),
        precision=interval_of(threshold["precision"]),
        recall=interval_of(threshold["recall"]),
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
        grid=grid_summary(grid),
        gives_up=[plain(sentence) for sentence in threshold.get("gives_up", ())],
        notes=[plain(note) for note in threshold["notes"]],
    )


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


def _numbers(row: Mapping[str, Any]) -> dict[str, float | None]:
    return {key: number(value) for key, value in row.items()}
