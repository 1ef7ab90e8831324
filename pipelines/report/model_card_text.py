"""A model card as text: Markdown for a registry's page, HTML that needs nothing else."""

import re

from .model_card import CardTable, ModelCard
from .page import render

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~!$])")
_LINE_START = re.compile(r"^(?=[-+=])|^(\d+)(?=[.)](?:\s|$))")


def card_html(card: ModelCard, kind: str = "model card") -> str:
    """Set a card out as one HTML page, headed by its kind; equal cards give equal bytes."""
    return render("model_card.html", card=card, kind=kind)


def card_markdown(card: ModelCard) -> str:
    """Set a card out as Markdown (CommonMark with tables); text from the data stays text."""
    lines = [f"# {_escaped(card.title)}"]
    for section in card.sections:
        lines += ["", f"## {_escaped(section.heading)}", ""]
        lines += [f"- {_escaped(sentence)}" for sentence in section.sentences]
        if section.table:
            lines += ["", *_table_lines(section.table)]
    return "\n".join(lines) + "\n"


def _table_lines(table: CardTable) -> list[str]:
    return [
        _row(table.heads),
        _row(["---"] * len(table.heads), escaped=False),
        *(_row(cells) for cells in table.rows),
    ]


def _row(cells: list[str] | tuple[str, ...], *, escaped: bool = True) -> str:
    return f"| {' | '.join(_escaped(cell) if escaped else cell for cell in cells)} |"


def _escaped(text: str) -> str:
    line = " ".join(text.split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _SPECIAL.sub(r"\\\1", line)
    return _LINE_START.sub(lambda found: f"{found[1]}\\" if found[1] else "\\", line)
