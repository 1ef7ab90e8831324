"""The agreement page: what an MQL is, for both teams, and whether that still holds."""

from leadlight.models.agreement import Month, is_due
from leadlight.pipelines.agreement import AgreementFacts

from .formats import count, percent
from .model_card import CardSection, CardTable, ModelCard

_MOST_MONTHS = 24
_MOST_REASONS = 10


def agreement_page(facts: AgreementFacts, project: str) -> ModelCard:
    """Lay the agreement out as sections; text from the data is not escaped yet."""
    return ModelCard(
        title=f"{project}: what is an MQL?",
        sections=(
            _definition(facts),
            _review(facts),
            _months(facts),
            _verdicts(facts),
            _history(facts),
        ),
    )


def _definition(facts: AgreementFacts) -> CardSection:
    now = facts.definitions[-1]
    told = [
        now.words,
        f"Definition {now.number}, agreed on {now.decided_at:%Y-%m-%d} by {now.author}: "
        f"{now.reason}.",
        f"Answers for it: {now.owner}." if now.owner else "Nobody answers for it: name an owner.",
        f"To be reviewed on {now.review_on:%Y-%m-%d}.",
    ]
    if now.mqls_per_week is not None:
        told.append(f"Expected: {now.mqls_per_week:,.1f} new MQLs a week.")
    if now.precision is not None:
        told.append(f"Expected to convert: {percent(now.precision)} of MQLs.")
    return CardSection("The definition", tuple(told))


def _review(facts: AgreementFacts) -> CardSection:
    due = [concern.what.lower() for concern in facts.concerns if concern.is_due]
    verdict = (
        f"A review is due: {', '.join(due)}."
        if is_due(facts.concerns)
        else "No review is due: the definition does what was agreed."
    )
    rows = tuple(
        (concern.what, "review" if concern.is_due else "fine", concern.sentence)
        for concern in facts.concerns
    )
    return CardSection("Does it still hold?", (verdict,), CardTable(("", "", ""), rows))


def _months(facts: AgreementFacts) -> CardSection:
    if facts.logged_since is None:
        said = "No lead was moved yet: `leadlight score` keeps the log of who became an MQL."
        return CardSection("From MQL to customer", (said,))
    said = (
        f"Moves are known since {facts.logged_since:%Y-%m-%d}. A month shows the leads that became "
        "MQLs in it for the first time, and how many of them went on until today: young months are "
        "not over."
    )
    heads = ("Month", "New MQLs", "To SQL", "Won", "SQL without having been MQL")
    shown = [month for month in facts.months if month.mqls or month.raised][-_MOST_MONTHS:]
    rows = tuple(
        (
            month.month,
            count(month.mqls),
            _part(month.sqls, month),
            _part(month.customers, month),
            count(month.raised),
        )
        for month in shown
    )
    return CardSection("From MQL to customer", (said,), CardTable(heads, rows))


def _part(leads: int, month: Month) -> str:
    return f"{count(leads)} ({percent(leads / month.mqls)})" if month.mqls else "–"


def _verdicts(facts: AgreementFacts) -> CardSection:
    judged = [month for month in facts.months if month.judged][-_MOST_MONTHS:]
    if not judged:
        return CardSection("What sales says", ("Sales has given no verdict on any lead.",))
    reasons = "; ".join(f"{why} ({rows:,})" for why, rows in facts.rejections[:_MOST_REASONS])
    said = (
        f"Reasons of rejections in the last 180 days: {reasons}."
        if reasons
        else "Nothing was rejected in the last 180 days."
    )
    rows = tuple(
        (month.month, count(month.judged), percent(month.accepted / month.judged))
        for month in judged
    )
    return CardSection("What sales says", (said,), CardTable(("Month", "Judged", "Accepted"), rows))


def _history(facts: AgreementFacts) -> CardSection:
    rows = tuple(
        (str(each.number), f"{each.decided_at:%Y-%m-%d}", each.author, each.reason, each.words)
        for each in reversed(facts.definitions)
    )
    heads = ("Definition", "Agreed", "By", "Why", "In words")
    return CardSection("Earlier definitions", (), CardTable(heads, rows))
