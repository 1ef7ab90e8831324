"""What a person reads on a terminal of a threshold: figures, what it gives up, chart, and grid."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .report.definition_words import mql_sentences
from .report.formats import count, number, percent, times

_WIDE, _HIGH = 60, 11
_PRECISION, _RECALL = ("●", "green"), ("○", "red")
_MEASURES = {"recall": _RECALL, "precision": _PRECISION}


def threshold_answer(told: Mapping[str, Any]) -> RenderableType:
    """Show what a policy would bring, beside what holds now.

    Parameters
    ----------
    told : mapping
        ``WhatIf.to_dict()``.
    """
    choice, now = told["threshold"], told["in_force"]
    definition = mql_sentences(choice, told["floors"], told["horizon_days"])
    parts: list[RenderableType] = [
        Text(" ".join(definition), "bold"),
        Text(_window_sentence(told), "dim"),
        Text(),
        _figures(choice, now),
    ]
    if choice["segments"]:
        parts.append(_segments(choice))
    parts += [Text(f"Gives up: {sentence}") for sentence in choice["gives_up"]]
    parts += [Text(f"Note: {note}", "dim") for note in choice["notes"]]
    parts += [Text(), threshold_chart(choice)]
    if told["grid"]:
        parts += [Text(), grid_table(told["grid"])]
    return Group(*parts)


def threshold_chart(choice: Mapping[str, Any]) -> Text:
    """Draw precision and recall against the number of MQLs, with the chosen threshold marked.

    Parameters
    ----------
    choice : mapping
        ``ThresholdChoice.to_dict()``.
    """
    weekly = choice["expected_mqls_per_week"] is not None and not choice["segments"]
    curve = [point for point in choice["curve"] if point["precision"] is not None]
    # Beyond three times the choice nobody looks; the scale is even in the share of leads.
    reach = min(1.0, max(0.02, 3.0 * choice["share"]))
    curve = [point for point in curve if point["share"] <= reach]
    if len(curve) < 2:
        return Text("There are too few leads to draw other thresholds.", "dim")
    top = math.ceil(10 * max(point[name] or 0 for point in curve for name in _MEASURES)) / 10
    cells: dict[tuple[int, int], tuple[str, str]] = {}
    for measure, mark in _MEASURES.items():
        for point in curve:
            if point[measure] is not None:
                across = round(point["share"] / reach * (_WIDE - 1))
                cells[across, round(point[measure] / top * (_HIGH - 1))] = mark
    chosen = round(choice["share"] / reach * (_WIDE - 1))
    chart = Text()
    for height in range(_HIGH - 1, -1, -1):
        chart.append(f"{percent(round(top * height / (_HIGH - 1), 2)):>5} ", "dim")
        for across in range(_WIDE):
            blank = ("│", "bold") if across == chosen else (" ", "")
            chart.append(*cells.get((across, height), blank))
        chart.append("\n")
    end = percent(reach)
    chart.append(
        " " * 6 + f"0%{'share of leads that are MQLs':^{_WIDE - 2 - len(end)}}{end}\n", "dim"
    )
    chart.append(*_PRECISION).append(" precision: MQLs that convert   ")
    chart.append(*_RECALL).append(" recall: conversions found   ")
    said = f"{choice['expected_mqls_per_week']:.1f} a week" if weekly else percent(choice["share"])
    return chart.append(f"│ chosen: {said}")


def grid_table(grid: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show fit by engagement: the share that converts, and how many leads and MQLs there are.

    Parameters
    ----------
    grid : sequence of mapping
        ``GridCell.to_dict()``, by grade and then by level.
    """
    levels = list(dict.fromkeys(cell["engagement"] for cell in grid))
    table = Table(
        title="Converts, by fit (A best) and engagement (1 best); leads, and MQLs among them",
        title_justify="left",
    )
    table.add_column("fit", justify="center")
    for level in levels:
        table.add_column(level, justify="right")
    for grade in dict.fromkeys(cell["fit"] for cell in grid):
        cells = [cell for cell in grid if cell["fit"] == grade]
        table.add_row(grade, *(_cell(cell) for cell in cells))
    return table


def _cell(cell: Mapping[str, Any]) -> Text:
    won = number(cell["won"])
    share = cell["mqls"] / cell["rows"] if cell["rows"] else 0.0
    style = "bold green" if share >= 0.5 else "green" if share > 0 else "dim"
    return Text.assemble(
        (percent(won), style), (f"\n{count(cell['rows'])} / {count(cell['mqls'])}", "dim")
    )


def _figures(choice: Mapping[str, Any], now: Mapping[str, Any]) -> Table:
    table = Table()
    for name in ("figure", "this policy", "95 % interval", "in force"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    table.add_row("probability from", percent(choice["threshold"]), "", percent(now["threshold"]))
    for name, key, form in _ROWS:
        value = number(choice.get(key))
        if value is not None:
            table.add_row(
                name, form(value), _interval(choice[key], form), form(number(now.get(key)))
            )
    promise, profit = choice["promise"], choice["profit"]
    if promise:
        realised = promise["realised"]
        table.add_row(
            f"of {count(promise['promotions'])} promoted leads converted",
            percent(realised["value"]),
            _interval(realised, percent),
            "",
        )
    if profit:
        table.add_row(
            "profit of an MQL",
            _money(profit["per_mql"]["value"]),
            _interval(profit["per_mql"], _money),
            "",
        )
        if profit["per_week"] is not None:
            table.add_row("profit a week", _money(profit["per_week"]), "", "")
    return table


def _segments(choice: Mapping[str, Any]) -> Table:
    table = Table(title=f"By {choice['policy']['by']}", title_justify="left")
    for name in ("segment", "probability from", "new MQLs a week", "precision"):
        table.add_column(name, justify="left" if name == "segment" else "right")
    for each in choice["segments"]:
        table.add_row(
            Text(str(each["segment"])),
            percent(each["threshold"]),
            _weekly(number(each["mqls_per_week"])),
            percent(number(each["precision"])),
        )
    return table


def _window_sentence(told: Mapping[str, Any]) -> str:
    days = f" from {told['first']} to {told['last']}" if told["first"] else ""
    return (
        f"On the {count(told['snapshots'])} snapshots{days} that decision version "
        f"{told['version']} had not seen, {count(told['wins'])} of them won."
    )


def _weekly(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _money(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"


def _interval(estimate: Any, form: Any) -> str:
    if not isinstance(estimate, Mapping) or number(estimate.get("low")) is None:
        return ""
    return f"{form(estimate['low'])} to {form(estimate['high'])}"


_ROWS = (
    ("new MQLs a week", "mqls_per_week", _weekly),
    ("share of leads", "share", percent),
    ("precision: MQLs that convert", "precision", percent),
    ("recall: conversions found", "recall", percent),
    ("lift over the average lead", "lift", times),
)
