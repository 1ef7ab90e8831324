"""What sales says of the MQLs: accepted, rejected and why, beside what the score had said."""

from collections.abc import Mapping
from typing import Any, TypedDict

from .formats import count, number, percent, plain


class RejectionSummary(TypedDict):
    """Rejections of one reason: mean probability, and the share that converted all the same."""

    reason: str
    rows: int
    probability: float | None
    won: float | None


class FeedbackSummary(TypedDict):
    """The decisions of sales."""

    sentences: list[str]
    reasons: list[RejectionSummary]


def feedback_summary(feedback: Mapping[str, Any] | None) -> FeedbackSummary | None:
    """Sum the decisions of sales up; None where there are none.

    Parameters
    ----------
    feedback : mapping or None
        ``{rows, accepted, rejected, by_reason: [{reason, rows, mean_probability, won}],
        mean_probability_accepted, mean_probability_rejected, agreement, by_verdict}``.
    """
    if not feedback or not feedback["rows"]:
        return None
    told = [
        _share_sentence(feedback),
        _agreement_sentence(feedback),
        _outcome_sentence(feedback.get("by_verdict") or {}),
    ]
    return FeedbackSummary(
        sentences=[sentence for sentence in told if sentence],
        reasons=[
            RejectionSummary(
                reason=plain(row["reason"] or "no reason given", 160),
                rows=int(row["rows"]),
                probability=number(row["mean_probability"]),
                won=number(row.get("won")),
            )
            for row in sorted(feedback["by_reason"], key=lambda row: -row["rows"])
        ],
    )


def _share_sentence(feedback: Mapping[str, Any]) -> str:
    rows, accepted = feedback["rows"], feedback["accepted"]
    return (
        f"Sales accepted {count(accepted)} and rejected {count(feedback['rejected'])} of "
        f"{count(rows)} leads that it was handed: {percent(accepted / rows)} accepted."
    )


def _agreement_sentence(feedback: Mapping[str, Any]) -> str | None:
    accepted = number(feedback["mean_probability_accepted"])
    rejected = number(feedback["mean_probability_rejected"])
    if accepted is None or rejected is None:
        return None
    said = (
        f"The score gave those accepted {percent(accepted)} on average, and those rejected "
        f"{percent(rejected)}"
    )
    agreement = feedback.get("agreement") or {}
    low, high = number(agreement.get("low")), number(agreement.get("high"))
    if low is not None and high is not None and low <= 0.5 <= high:
        return f"{said}, which may be chance: sales and score have little in common."
    if accepted > rejected:
        return f"{said}: sales and score point the same way."
    return f"{said}: they disagree. The reasons below say what the score does not see."


def _outcome_sentence(by_verdict: Mapping[str, Any]) -> str | None:
    won = {verdict: number(leads["won"]) for verdict, leads in by_verdict.items()}
    accepted, rejected = won.get("accepted"), won.get("rejected")
    if accepted is None or rejected is None:
        return None
    return (
        f"Of those accepted {percent(accepted)} converted, of those rejected {percent(rejected)}."
    )
