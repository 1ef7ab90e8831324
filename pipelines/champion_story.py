"""The story of the champions in Markdown: what MLflow shows of a model, a version and a run."""

from collections.abc import Iterable
from textwrap import shorten

from .report.model_card import CardSection, ModelCard
from .report.model_card_text import card_markdown

# MLflow keeps at most 5,000 characters of a description.
_MOST_CHARACTERS = 4_500
_LONGEST_DECISION = 600


def decisions_markdown(title: str, decisions: Iterable[str]) -> str:
    """Set decisions out, the newest first; the oldest are left out where they are too many.

    Parameters
    ----------
    title : str
    decisions : iterable of str
        In sentences: what was decided, when, by whom and why.
    """
    kept: list[str] = []
    left = _MOST_CHARACTERS
    for decision in decisions:
        told = shorten(decision, _LONGEST_DECISION, placeholder=" ...")
        left -= len(told)
        if left < 0:
            kept.append("Older decisions: leadlight versions")
            break
        kept.append(told)
    section = CardSection("Decisions about the champion", tuple(kept))
    return card_markdown(ModelCard(title, (section,)))


def run_markdown(
    decision: str, windows: Iterable[str], audit: Iterable[str], files: Iterable[str]
) -> str:
    """Set out what a training run decided, on which windows, and what its leak audit found.

    Parameters
    ----------
    decision : str
        What became of the version, and why.
    windows, audit : iterable of str
        Sentences.
    files : iterable of str
        Paths among the run's artefacts.
    """
    sections = (
        CardSection("Decision", (decision,)),
        CardSection("Windows", tuple(windows)),
        CardSection("Leak audit", tuple(audit)),
        CardSection("Artefacts", tuple(sorted(files))),
    )
    return card_markdown(
        ModelCard("A training of leadlight", tuple(each for each in sections if each.sentences))
    )
