"""The leak audit in words: which columns know the outcome, how that shows, and what to write."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from .formats import count, decimal, number, plain

_NAMED = 5


class LeakSummary(TypedDict):
    """A column or event type that may know the outcome; ``reason`` ends a sentence about it."""

    where: str
    reason: str
    evidence: str
    gain: str | None
    excluded: bool
    config: str


class LeaksSummary(TypedDict):
    """What the audit found; ``alarm`` is for the top of the page."""

    sentences: list[str]
    alarm: str | None
    grave: bool
    certain: list[LeakSummary]
    suspect: list[LeakSummary]


def leaks_summary(leaks: Sequence[Mapping[str, Any]] | None) -> LeaksSummary | None:
    """Sum the leak audit up; None where it was not kept.

    Parameters
    ----------
    leaks : sequence of mappings or None
        ``{table, column, verdict: "certain" | "suspect", reason, evidence, auc_gain, excluded,
        config}``.
    """
    if leaks is None:
        return None
    certain, suspect = _leaks(leaks, "certain"), _leaks(leaks, "suspect")
    kept = [leak for leak in certain if not leak["excluded"]]
    told = [
        _kept_sentence(kept),
        _excluded_sentence([leak for leak in certain if leak["excluded"]]),
        _suspect_sentence(suspect),
    ]
    sentences = [sentence for sentence in told if sentence]
    return LeaksSummary(
        sentences=sentences
        or [
            "The audit asked of every column and event type whether it could be known on the day, "
            "and found none that knows the outcome."
        ],
        alarm=sentences[0] if certain else None,
        grave=bool(kept),
        certain=certain,
        suspect=suspect,
    )


def _leaks(
    leaks: Sequence[Mapping[str, Any]], verdict: Literal["certain", "suspect"]
) -> list[LeakSummary]:
    return [
        LeakSummary(
            where=plain(f"{leak['table']}.{leak['column']}", 160),
            reason=plain(leak["reason"], 300).rstrip("."),
            evidence=plain(leak["evidence"], 300).rstrip("."),
            gain=_gain_sentence(number(leak["auc_gain"])),
            excluded=bool(leak["excluded"]),
            config=plain(leak["config"], 200),
        )
        for leak in leaks
        if leak["verdict"] == verdict
    ]


def _gain_sentence(gain: float | None) -> str | None:
    if gain is None:
        return None
    sign = "+" if gain > 0 else ""
    return f"In a quick model of the other columns it changes the AUC by {sign}{decimal(gain)}."


def _kept_sentence(kept: Sequence[LeakSummary]) -> str | None:
    if not kept:
        return None
    return (
        f"{_number_of(kept)} outcome and {_was(kept)} kept, as the configuration says: "
        f"{_named(kept)}. The figures of this report are better than what will come."
    )


def _excluded_sentence(excluded: Sequence[LeakSummary]) -> str | None:
    if not excluded:
        return None
    return f"{_number_of(excluded)} outcome and {_was(excluded)} left out: {_named(excluded)}."


def _suspect_sentence(suspect: Sequence[LeakSummary]) -> str | None:
    if not suspect:
        return None
    used = [leak for leak in suspect if not leak["excluded"]]
    subject = "1 column is" if len(suspect) == 1 else f"{count(len(suspect))} columns are"
    if not used:
        return f"{subject} suspect and {_was(suspect)} left out."
    which = " and" if len(used) == len(suspect) else f", {count(len(used))} of them"
    return (
        f"{subject} suspect{which} used: {_named(used)}. Ask whoever fills the CRM when it is "
        "written, and exclude what is written later than the day of the score."
    )


def _was(leaks: Sequence[LeakSummary]) -> str:
    return "was" if len(leaks) == 1 else "were"


def _number_of(leaks: Sequence[LeakSummary]) -> str:
    return "1 column knows the" if len(leaks) == 1 else f"{count(len(leaks))} columns know the"


def _named(leaks: Sequence[LeakSummary]) -> str:
    names = [leak["where"] for leak in leaks[:_NAMED]]
    if len(leaks) > _NAMED:
        names.append(f"{count(len(leaks) - _NAMED)} more")
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
