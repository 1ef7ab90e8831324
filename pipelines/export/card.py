"""The points card as Markdown for people and as CSV for tools."""

import csv
import io
import re

from leadlight.models.points_card import PointsCard
from leadlight.pipelines.delivery.csv import spreadsheet_cell


def card_as_csv(card: PointsCard) -> str:
    """Write the card as CSV, safe in a spreadsheet: a line for each signal, and the cut-off."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["signal", "condition", "value", "points", "feature"])
    for signal in card.signals:
        cells = [signal.label, signal.condition, signal.value, signal.points, signal.feature]
        # Points are numbers, and may be negative.
        writer.writerow(
            [cell if isinstance(cell, int) else spreadsheet_cell(cell) for cell in cells]
        )
    writer.writerow(["An MQL from this sum of points", "at least", card.cut_off, "", ""])
    return text.getvalue()


def card_as_markdown(card: PointsCard, definition: str) -> str:
    """Write the card as Markdown, with what it loses against the model.

    Parameters
    ----------
    card : PointsCard
    definition : str
        The model's own definition of an MQL, in one sentence.
    """
    loss = card.loss
    rows = "\n".join(
        f"| {_plain(signal.in_words())} | {signal.points:+d} |" for signal in card.signals
    )
    return f"""# Points card

Add the points of each line that holds for a lead. **From {card.cut_off} points it is an MQL.**

| Signal | Points |
|---|---:|
{rows}

## What it loses

The card is a short form of the model, whose definition is: {_plain(definition)} It knows no floors
and no probabilities. Measured on {loss.leads:,} leads that taught neither:

| | Card | Model |
|---|---:|---:|
| Area under the ROC curve | {loss.card_auc:.3f} | {loss.model_auc:.3f} |
| Leads that are MQLs | {loss.card_share:.1%} | {loss.model_share:.1%} |

The two agree on {loss.agreement:.1%} of leads; of the model's MQLs the card finds {loss.found:.0%}.
"""


def _plain(text: str) -> str:
    """Return a text in which nothing is Markdown or HTML, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#&])", r"\\\1", " ".join(text.split()))
