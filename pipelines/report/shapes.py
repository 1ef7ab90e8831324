"""Shapes of the strongest signals: what each value adds to the score, and what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from .formats import number, plain


class StepSummary(TypedDict):
    """Leads of one value: points beyond the average lead with the range of nine in ten of them.

    ``won`` is the share that converted, from ``low`` to ``high`` its 95 % interval.
    """

    value: str
    rows: int
    points: float
    low_points: float
    high_points: float
    won: float | None
    low: float | None
    high: float | None


class ShapeSummary(TypedDict):
    """One signal, value by value."""

    label: str
    family: Literal["fit", "engagement", "timing"]
    steps: list[StepSummary]


def shapes_summary(shapes: Sequence[Mapping[str, Any]]) -> list[ShapeSummary]:
    """Gather the shapes of a training.

    Parameters
    ----------
    shapes : sequence of mappings
        ``FeatureShape.to_dict()``, the strongest signal first.
    """
    return [
        ShapeSummary(
            label=plain(shape["label"], 160),
            family=shape["family"],
            steps=[_step(step) for step in shape["steps"]],
        )
        for shape in shapes
    ]


def _step(step: Mapping[str, Any]) -> StepSummary:
    return StepSummary(
        value=plain(step["value"], 160),
        rows=int(step["rows"]),
        points=float(step["points"]),
        low_points=float(step["low_points"]),
        high_points=float(step["high_points"]),
        won=number(step["won"]),
        low=number(step["low"]),
        high=number(step["high"]),
    )
