"""The MQL definition in words: the threshold, the question that it answers, and the floors."""

from collections.abc import Mapping
from typing import Any

from .formats import count, number, percent, plain
from .verdict import within


def mql_sentences(
    threshold: Mapping[str, Any], floors: Mapping[str, float], horizon_days: int | None
) -> list[str]:
    """Put the MQL definition in words: the threshold, why it lies there, and the floors.

    Parameters
    ----------
    threshold : mapping
        ``ThresholdChoice.to_dict()``.
    floors : mapping
        Least percentile (0 to 1) of ``fit`` and of ``engagement``; 0 or absent means no floor.
    horizon_days : int or None
    """
    sentences = [
        f"A lead is an MQL when its probability to convert{within(horizon_days)} is "
        f"{_least(threshold)} or more.",
        policy_sentence(threshold, horizon_days),
    ]
    clauses = [
        f"its {family} must not be among the lowest {percent(floor)}"
        for family in ("fit", "engagement")
        if (floor := floors.get(family, 0.0))
    ]
    if clauses:
        sentences.append(f"Besides, compared with other leads, {' and '.join(clauses)}.")
    return sentences


def policy_sentence(threshold: Mapping[str, Any], horizon_days: int | None) -> str:
    """Say which question the threshold answers.

    Parameters
    ----------
    threshold : mapping
        ``ThresholdChoice.to_dict()``.
    horizon_days : int or None
    """
    policy = threshold["policy"]
    match policy["policy"]:
        case "capacity":
            return _capacity_sentence(policy)
        case "top_share":
            said = f"lets the best {percent(policy['share'])} of leads pass"
        case "precision":
            said = (
                f"is the lowest at which at least {percent(policy['precision'])} of MQLs convert"
                f"{within(horizon_days)}, with {percent(policy['confidence'])} confidence"
            )
        case "recall":
            said = f"is the highest that keeps {percent(policy['recall'])} of the conversions"
        case "profit":
            return _profit_sentence(policy, threshold.get("profit") or {})
        case _:
            said = "is a fixed choice of the team"
    return f"That threshold {said}."


def _capacity_sentence(policy: Mapping[str, Any]) -> str:
    each = policy["leads_per_week"]
    if isinstance(each, Mapping):
        told = ", ".join(f"{plain(name, 60)} {count(number(most))}" for name, most in each.items())
        return (
            "Coming down from the top, each threshold is as far as its team can take. New MQLs a "
            f"week by {plain(policy['by'], 60)}: {told}."
        )
    return (
        "Coming down from the top, that threshold is as far as sales can take: no more than "
        f"{count(each)} new MQLs a week."
    )


def _profit_sentence(policy: Mapping[str, Any], profit: Mapping[str, Any]) -> str:
    value = number(profit.get("win_value")) or number(policy["win_value"])
    bring = f" of {value:,.0f}" if value is not None else ""
    return (
        "From that threshold on, working a lead brings at least what it costs: a touch costs "
        f"{policy['touch_cost']:,.0f}, a win has a value{bring}."
    )


def _least(threshold: Mapping[str, Any]) -> str:
    segments = threshold.get("segments") or ()
    if not segments:
        return percent(number(threshold["threshold"]))
    told = [f"{percent(each['threshold'])} ({plain(each['segment'], 60)})" for each in segments]
    return " or ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else told[0]
