"""The verdict: what an evaluation and a threshold mean, in plain words."""

from collections.abc import Mapping, Sequence
from typing import Any

from .formats import count, decimal, number, percent, points, times


def within(horizon_days: int | None) -> str:
    """Return " within 90 days", or nothing where the data has no dates."""
    return f" within {horizon_days} days" if horizon_days else ""


def prediction_sentence(horizon_days: int | None) -> str:
    """Say what a probability in this report is the probability of."""
    if horizon_days:
        return (
            f"For each open lead: the probability that it converts within {horizon_days} days, "
            "from what was known about it on the day."
        )
    return (
        "For each lead: the probability that it converts. The data has no dates, so there is no "
        "time limit on when."
    )


def verdict_sentences(
    evaluation: Mapping[str, Any],
    threshold: Mapping[str, Any] | None,
    horizon_days: int | None,
    uncalibrated: str | None = None,
) -> list[str]:
    """Say how good the score is: what the best tenth is worth, whether percentages hold, and MQLs.

    Parameters
    ----------
    evaluation : mapping
        ``Evaluation.to_dict()`` of the test window.
    threshold : mapping or None
        ``ThresholdChoice.to_dict()``.
    horizon_days : int or None
    uncalibrated : str, optional
        Why no probability is to be believed.

    Returns
    -------
    list of str
        Each one a full sentence, the most important first.
    """
    found = [
        uncalibrated,
        _ranking_sentence(evaluation),
        _promise_sentence(evaluation, threshold),
        _mql_sentence(threshold, horizon_days),
    ]
    return [sentence for sentence in found if sentence]


def _ranking_sentence(evaluation: Mapping[str, Any]) -> str | None:
    lift = evaluation["lift_at_10"]
    value, low = number(lift), number(lift.get("low"))
    if value is None:
        return None
    said = f"The best tenth of leads converts {times(value)} as often as the average"
    if low is not None and low <= 1:
        return f"{said}, which could still be luck: the interval begins at {times(low)}."
    return f"{said}."


def _promise_sentence(
    evaluation: Mapping[str, Any], threshold: Mapping[str, Any] | None
) -> str | None:
    """Compare promise and outcome where it matters most: in the bin nearest to the threshold."""
    bins = evaluation["reliability"]
    if not bins:
        return None
    near = number(threshold["threshold"]) if threshold else None
    shown = bins[-1] if near is None else min(bins, key=lambda b: abs(b["predicted"] - near))
    said = (
        f"When leadlight says {percent(shown['predicted'])}, "
        f"about {percent(shown['observed'])} convert"
    )
    low, high = number(shown["low"]), number(shown["high"])
    if low is None or high is None or low <= shown["predicted"] <= high:
        return f"{said}."
    bias = "hopeful" if shown["predicted"] > shown["observed"] else "cautious"
    return f"{said}: around there it is too {bias}."


def _mql_sentence(threshold: Mapping[str, Any] | None, horizon_days: int | None) -> str | None:
    if threshold is None:
        return None
    precision, recall = number(threshold["precision"]), number(threshold["recall"])
    if precision is None or recall is None:
        return None
    return (
        f"Of 100 MQLs about {count(precision * 100)} convert{within(horizon_days)}; MQLs are "
        f"{percent(number(threshold['share']))} of the leads and hold {percent(recall)} of all "
        "conversions."
    )


def calibration_sentence(evaluation: Mapping[str, Any]) -> str:
    """Say whether the probabilities are honest, beside what pure chance would show."""
    error = number(evaluation["ece"])
    noise = number(evaluation["ece_noise"])
    highest = number(evaluation["ece_noise"].get("high"))
    if error is None:
        return "There are too few rows to say how far the probabilities are off."
    said = f"On average a probability is off by {points(error)} percentage points"
    if noise is None:
        return f"{said}."
    allowed = highest if highest is not None else noise
    if error <= allowed:
        return (
            f"{said}. Perfect probabilities would show {points(noise)} on as many rows by chance, "
            "so no error can be told from noise."
        )
    return f"{said}, more than the {points(noise)} that chance alone would show."


def family_sentence(strength: Mapping[str, float]) -> str:
    """Say how much of the score is who a lead is, and how much is what it does."""
    total = sum(strength.values())
    if not total:
        return "No feature moves the score."
    fit, engagement = (strength.get(family, 0.0) / total for family in ("fit", "engagement"))
    if not fit or not engagement:
        only, other = ("fit", "engagement") if fit else ("engagement", "fit")
        return f"What moves the score is {only}: the data says nothing about {other}."
    told = (
        f"{percent(fit)} of what moves the score is fit (who the lead is), {percent(engagement)} "
        "is engagement (what it does)"
    )
    rest = 1 - fit - engagement
    return f"{told}, {percent(rest)} how long it has been a lead." if rest > 1e-9 else f"{told}."


def best_share_sentence(curve: Sequence[Mapping[str, Any]]) -> str:
    """Say what working only the best fifth of the leads would reach."""
    if not curve:
        return "There are too few rows for a lift curve."
    fifth = min(curve, key=lambda point: abs(point["share"] - 0.2))
    return (
        f"Working the best {percent(fifth['share'])} of leads reaches {percent(fifth['gain'])} of "
        "all conversions; in a random order it would reach "
        f"{percent(fifth['share'])}."
    )


def unseen_sentence(evaluation: Mapping[str, Any] | None) -> str | None:
    """Say how the score does on leads that training had never seen; None if that is unknown."""
    if evaluation is None or number(evaluation["auc"]) is None:
        return None
    return (
        f"Among the {count(evaluation['rows'])} rows of leads that training had never seen, AUC is "
        f"{decimal(number(evaluation['auc']))} and the best tenth converts "
        f"{times(number(evaluation['lift_at_10']))} as often as the average."
    )
