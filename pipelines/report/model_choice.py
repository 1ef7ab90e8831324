"""How the model was chosen: the candidates, the blend, the weight of old rows, and the ceiling."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from leadlight.features.wording import ENGLISH
from leadlight.models.candidates import CEILING

from .formats import decimal, number, percent, plain
from .interval import Interval, interval_of

_NAMES = {
    "logistic": "Logistic regression",
    "boosted_additive": "Boosted additive model",
    "boosted_pairs": "Boosted pairs",
    "unlimited_trees": "Unlimited trees",
    "rules_only": "Rules only",
}
_MEANINGS = {
    "logistic": "a scorecard: each signal adds or takes a fixed number of points",
    "boosted_additive": "a curve of points for each signal",
    "boosted_pairs": "curves, and tables of points for some pairs of signals",
    "unlimited_trees": "trees that join any number of signals",
    "rules_only": "each signal gives or takes a point, as the catalog expects; nothing was learned",
}


class CandidateSummary(TypedDict):
    """A candidate model on the windows where the choice was made."""

    name: str
    log_loss: Interval
    fit_seconds: float | None
    weight: float | None
    chosen: bool


def candidate_summary(
    candidate: Mapping[str, Any], blend: Sequence[Mapping[str, Any]]
) -> CandidateSummary:
    """Sum a candidate up.

    Parameters
    ----------
    candidate : mapping
        ``{name, log_loss, fit_seconds, chosen}``.
    blend : sequence of mappings
        ``{name, weight}`` of each member; empty where there is no blend.
    """
    weights = {member["name"]: number(member["weight"]) for member in blend}
    weight = weights.get(candidate["name"])
    return CandidateSummary(
        name=_name(candidate["name"]),
        log_loss=interval_of(candidate["log_loss"]),
        fit_seconds=number(candidate["fit_seconds"]),
        weight=weight,
        chosen=bool(weight) if weights else bool(candidate["chosen"]),
    )


def blend_sentences(blend: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what the model is made of, the heaviest member first; nothing where it was not kept.

    Parameters
    ----------
    blend : sequence of mappings
        ``{name, weight}`` of each member.
    """
    total = sum(member["weight"] for member in blend)
    if not total:
        return []
    members = sorted(
        (member for member in blend if member["weight"] > 0), key=lambda member: -member["weight"]
    )
    if len(members) == 1:
        return [f"The model is one candidate alone: {_described(members[0]['name'])}."]
    told = [
        f"{_described(member['name'])}: weight {decimal(member['weight'], 2)}, "
        f"{percent(member['weight'] / total)} of all weight."
        for member in members
    ]
    return [
        f"The model is a sum of {len(members)} candidates. Their log-odds are added with these "
        "weights, learned on rows that no candidate had seen:",
        *told,
    ]


def rules_sentences(rules: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say the points of a rules-only start, one signal in a sentence.

    Parameters
    ----------
    rules : sequence of mappings
        ``{words, signal}`` of each.
    """
    return [f"{rule['signal']['points']:+d}: {plain(rule['words'])}." for rule in rules]


def recency_sentence(recency: Mapping[str, Any] | None) -> str | None:
    """Say how much old rows count; None where it was not kept.

    Parameters
    ----------
    recency : mapping or None
        ``{half_life, unit: "days" | "rows", tried}``; without a half-life all rows count alike.
    """
    if recency is None:
        return None
    half_life, tried = number(recency["half_life"]), len(recency["tried"])
    among = f" Chosen among {tried} on earlier windows." if tried > 1 else ""
    if half_life is None:
        return f"Old rows count as much as new ones.{among}"
    return (
        f"Old rows count less: the weight of a row halves every {half_life:,.0f} "
        f"{recency['unit']}.{among}"
    )


def shapley_sentence(blend: Sequence[Mapping[str, Any]]) -> str | None:
    """Say what reasons are where the model holds unlimited trees; None where it does not.

    Parameters
    ----------
    blend : sequence of mappings
        ``{name, weight}`` of each member.
    """
    held = any(member["name"] == CEILING and member["weight"] > 0 for member in blend)
    return f"{ENGLISH.say('card.shapley')}." if held else None


def ceiling_sentence(ceiling: Mapping[str, Any] | None) -> str | None:
    """Say what a model that cannot be explained would reach; None where it was not tried.

    Parameters
    ----------
    ceiling : mapping or None
        ``{log_loss, blend}``: of unlimited trees and of the blend, on the same rows, which neither
        was fitted on.
    """
    if ceiling is None:
        return None
    theirs, ours = number(ceiling["log_loss"]), number(ceiling["blend"])
    if theirs is None or ours is None:
        return None
    said = (
        "For comparison: trees without limits, whose reasons cannot be told exactly, reach a log "
        f"loss of {decimal(theirs, 4)} on the rows that judged the choice"
    )
    if theirs >= ours:
        return f"{said}: no better than this model's {decimal(ours, 4)}."
    return f"{said}, against this model's {decimal(ours, 4)}."


def _name(name: str) -> str:
    return _NAMES.get(name, plain(name).replace("_", " ").capitalize())


def _described(name: str) -> str:
    meaning = _MEANINGS.get(name)
    return f"{_name(name)} ({meaning})" if meaning else _name(name)
