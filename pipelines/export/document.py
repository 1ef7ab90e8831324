"""The decision version as one document, so that another language can score by it."""

from typing import Any

from leadlight.features.feature import Feature
from leadlight.models.decision import DecisionVersion
from leadlight.models.encoding import LARGEST
from leadlight.models.grades import GRADES
from leadlight.models.pair_grid import PairGrid
from leadlight.models.reasons import ReasonGroups
from leadlight.models.reference import Distribution
from leadlight.models.shape import Shape

from .limits import refuse_unlimited_trees

FORMAT = "leadlight model, version 1"

HOW_TO_SCORE = (
    "Each feature becomes a number x. A category: the position of its value in levels, and "
    "len(levels) for any other value. A number: held between -largest and largest. A feature that "
    "is not learned: 0, always. NULL, NaN and None are missing.",
    "The step of x on cuts is the first i with x <= cuts[i]; above all cuts it is len(cuts); of a "
    "missing value it is len(cuts) + 1.",
    "A feature's part is values[step on cuts] and, unless x is missing, for each of its lines "
    "slope * min(max(l * scale + shift, 0), 1) where l = sign(x) * log(1 + |x|).",
    "A pair adds values[step of first on first_cuts][step of second on second_cuts], half of it to "
    "the part of each of its two features.",
    "margin = baseline + the sum of all parts. A family's sum (fit, engagement) is that of the "
    "parts of its features.",
    "log-odds = slope * margin + intercept. With knots (margin, log-odds): straight between "
    "neighbouring knots, of the slope beyond the first and the last, plus intercept.",
    "probability = 1 / (1 + exp(-log-odds)).",
    "grade: the first whose least_margin the margin reaches.",
    "An MQL: the probability is at least least_probability (of its segment, where there are "
    "segments), and the sums of fit and engagement at least least_fit and least_engagement, where "
    "these are given.",
    "A reason is the sum, over the features of one reason, of part less average_part; times "
    "points_per_log_odds it is in points of 100.",
)


def model_document(decision: DecisionVersion) -> dict[str, Any]:
    """Return plain data that says all of how a lead is scored; ``how_to_score`` says it in words.

    Parameters
    ----------
    decision : DecisionVersion

    Returns
    -------
    dict
        ``features`` in order, each with ``cuts`` and ``values`` (log-odds; the last but one value
        is for all above the last cut, the last one for a missing value); ``pairs``;
        ``calibration``; ``grades``; ``mql``.

    Raises
    ------
    ConfigError
        The model holds unlimited trees.
    """
    refuse_unlimited_trees(decision, "--json")
    compiled, reference = decision.compiled, decision.reference
    average = reference.mean_parts.tolist()
    return {
        "format": FORMAT,
        "how_to_score": list(HOW_TO_SCORE),
        "definition": decision.definition_in_words(),
        "uncalibrated": decision.uncalibrated,
        "horizon_days": decision.metadata.get("horizon_days"),
        "trained_at": decision.metadata.get("trained_at"),
        "largest": LARGEST,
        "baseline": compiled.baseline,
        "features": [
            {
                **_described(feature),
                "levels": None if levels is None else list(levels),
                "learned": feature.name not in compiled.encoding.unlearned,
                **_tabled(shape),
                "average_part": average[at],
            }
            for at, (feature, levels, shape) in enumerate(
                zip(decision.features, compiled.encoding.levels, compiled.shapes, strict=True)
            )
        ],
        "pairs": [_paired(pair, compiled.features) for pair in compiled.pairs],
        "calibration": {"knots": [], **decision.calibration.to_dict()},
        "grades": [
            {"grade": grade, "least_margin": _least(reference.margin, share)}
            for grade, share in GRADES
        ],
        "mql": _mql(decision),
        "reasons": list(ReasonGroups.of(decision.features).ids),
        "points_per_log_odds": reference.point_scale.per_log_odds,
        "segments": _segments(decision),
    }


def _described(feature: Feature) -> dict[str, Any]:
    return {"name": feature.name, "family": feature.family, "reason": feature.group}


def _tabled(shape: Shape) -> dict[str, Any]:
    return {
        "cuts": shape.thresholds.tolist(),
        "values": shape.table.tolist(),
        "lines": [
            {"slope": line.slope, "scale": line.scale, "shift": line.shift} for line in shape.lines
        ],
    }


def _paired(pair: PairGrid, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "first": names[pair.first],
        "second": names[pair.second],
        "first_cuts": pair.first_cuts.tolist(),
        "second_cuts": pair.second_cuts.tolist(),
        "values": pair.values.tolist(),
    }


def _mql(decision: DecisionVersion) -> dict[str, Any]:
    reference, floors, threshold = decision.reference, decision.floors, decision.threshold
    return {
        "least_probability": threshold.threshold,
        "segments_by": threshold.by,
        "least_probability_of_segment": {
            each.segment: each.threshold for each in threshold.segments
        },
        "least_fit": _least(reference.fit, floors.fit),
        "least_engagement": _least(reference.engagement, floors.engagement),
    }


def _segments(decision: DecisionVersion) -> dict[str, Any] | None:
    """Return the averages that reasons compare with within segments."""
    segments = decision.reference.segments
    if segments is None:
        return None
    means = segments.mean_parts.tolist()
    return {
        "feature": segments.feature,
        "average_parts": dict(zip(segments.values, means, strict=True)),
    }


def _least(distribution: Distribution | None, share: float) -> float | None:
    """Return the least sum that reaches a share of held-out leads; None where all do."""
    if distribution is None or share <= 0.0:
        return None
    return distribution.least_reaching(share)
