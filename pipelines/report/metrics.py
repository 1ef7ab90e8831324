"""The metrics table: each figure of the test window with its interval and one line of meaning."""

import math
from collections.abc import Mapping
from typing import Any, TypedDict

from .formats import decimal, number, points
from .verdict import within


class Metric(TypedDict):
    """One figure with its 95 % interval and what it means."""

    key: str
    label: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    explanation: str


# (key of the evaluation, label, unit, meaning); the blanks are filled with what a score that knows
# nothing would reach on the same rows.
_MEANINGS = (
    ("base_rate", "Base rate", "percent", "Share of all leads that convert{within}."),
    (
        "lift_at_10",
        "Lift at 10%",
        "times",
        "How many times as often as the average the best tenth converts.",
    ),
    (
        "auc",
        "AUC",
        "",
        "Chance that a lead that converted is ranked above one that did not: 0.5 is a coin, "
        "1 is perfect.",
    ),
    (
        "average_precision",
        "Average precision",
        "",
        "Precision averaged over all thresholds; a random order gives {base_rate}.",
    ),
    (
        "log_loss",
        "Log loss",
        "",
        "Penalty for wrong probabilities, hardest for confident ones; lower is better. Always "
        "saying the base rate gives {log_loss}.",
    ),
    (
        "brier",
        "Brier score",
        "",
        "Mean squared gap between probability and outcome; lower is better. Always saying the "
        "base rate gives {brier}.",
    ),
    (
        "ece",
        "Calibration error",
        "points",
        "Average gap between promised and actual share, in percentage points (ECE); perfect "
        "probabilities would show {noise} by chance.",
    ),
    (
        "calibration_slope",
        "Calibration slope",
        "",
        "1 is right; below 1 the probabilities are too extreme, above 1 too timid.",
    ),
    (
        "calibration_intercept",
        "Calibration intercept",
        "",
        "0 is right; below 0 the probabilities are too high on the whole, above 0 too low.",
    ),
)


def metric_list(evaluation: Mapping[str, Any], horizon_days: int | None) -> list[Metric]:
    """List the figures of the test window in the order of the page.

    Parameters
    ----------
    evaluation : mapping
        ``Evaluation.to_dict()``.
    horizon_days : int or None
    """
    base = number(evaluation["base_rate"]) or 0.0
    known = {
        "within": within(horizon_days),
        "base_rate": decimal(base),
        "log_loss": decimal(-sum(p * math.log(p) for p in (base, 1 - base) if p > 0)),
        "brier": decimal(base * (1 - base)),
        "noise": points(number(evaluation["ece_noise"])),
    }
    return [
        Metric(
            key=key,
            label=label,
            value=number(evaluation[key]["value"]),
            low=number(evaluation[key]["low"]),
            high=number(evaluation[key]["high"]),
            unit=unit,
            explanation=meaning.format_map(known),
        )
        for key, label, unit, meaning in _MEANINGS
    ]
