"""The grid of fit by engagement, as the report shows it."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from .formats import count, number, percent


class GridCellSummary(TypedDict):
    """Leads of one grade of fit and one level of engagement; ``tint`` is 0 to 1, for the eye."""

    fit: str
    engagement: str
    rows: int
    mqls: int
    won: float | None
    low: float | None
    high: float | None
    tint: float


class GridSummary(TypedDict):
    """Fit from A down, engagement from 1 on; ``rows`` holds the cells of each grade."""

    sentence: str
    levels: list[str]
    rows: list[list[GridCellSummary]]


def grid_summary(grid: Sequence[Mapping[str, Any]] | None) -> GridSummary | None:
    """Lay the grid out in rows; None where a family has no percentile.

    Parameters
    ----------
    grid : sequence of mapping or None
        ``GridCell.to_dict()``, by grade and then by level.
    """
    if not grid:
        return None
    most = max((number(cell["won"]) or 0.0 for cell in grid), default=0.0) or 1.0
    grades = list(dict.fromkeys(cell["fit"] for cell in grid))
    rows = [[_cell(cell, most) for cell in grid if cell["fit"] == grade] for grade in grades]
    return GridSummary(
        sentence=_sentence(rows),
        levels=list(dict.fromkeys(cell["engagement"] for cell in grid)),
        rows=rows,
    )


def _cell(cell: Mapping[str, Any], most: float) -> GridCellSummary:
    won = number(cell["won"])
    return GridCellSummary(
        fit=str(cell["fit"]),
        engagement=str(cell["engagement"]),
        rows=int(cell["rows"]),
        mqls=int(cell["mqls"]),
        won=won,
        low=number(cell["won"]["low"]),
        high=number(cell["won"]["high"]),
        tint=round((won or 0.0) / most, 2),
    )


def _sentence(rows: Sequence[Sequence[GridCellSummary]]) -> str:
    """Say what each family alone is worth: clicks without fit, and fit without clicks."""
    both, eager, silent = rows[0][0], rows[-1][0], rows[0][-1]
    return (
        f"Fit and engagement together (A1) convert {percent(both['won'])}; the same engagement "
        f"without fit (D1) {percent(eager['won'])}, of {count(eager['rows'])} leads "
        f"{count(eager['mqls'])} MQLs; the same fit in silence (A4) {percent(silent['won'])}, of "
        f"{count(silent['rows'])} leads {count(silent['mqls'])} MQLs."
    )
