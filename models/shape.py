"""Shape: what one feature adds to the margin, as a step table and lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .encoding import FloatArray
from .scales import signed_log
from .steps import COUNTS, Slots, Steps, edges, finer, joined, slots


@dataclass(frozen=True)
class Line:
    """A line in the signed logarithm, level outside the range seen in training.

    It adds ``slope * clip(signed_log(x) * scale + shift, 0, 1)``, and nothing where x is missing.

    Attributes
    ----------
    slope : float
        Log-odds from the lowest to the highest value seen in training.
    scale, shift : float
        Map the range seen in training to [0, 1].
    """

    slope: float
    scale: float
    shift: float

    def parts(self, logs: FloatArray) -> FloatArray:
        """Return the log-odds at each signed logarithm, shape (n,)."""
        # fmax takes NaN to 0: a missing value has no line.
        place = np.fmax(logs * self.scale + self.shift, 0.0)
        return np.asarray(np.fmin(place, 1.0) * self.slope)


@dataclass(frozen=True)
class Shape:
    """What one feature adds to the margin: a step table plus lines.

    Step ``i`` of a number holds for ``thresholds[i - 1] < x <= thresholds[i]``; step ``i`` of a
    category for its level ``i``, the last one for rare and unseen levels. A missing value has one
    value instead of both.

    Attributes
    ----------
    thresholds : ndarray of float64, shape (t,)
        Ascending; for a category 0, 1, ... so that step ``i`` is level ``i``.
    steps : ndarray of float64, shape (t + 1,)
        Log-odds.
    missing : float
        Log-odds of a missing value.
    lines : tuple of Line
        One for each scale on which a scorecard of the blend saw the number.
    """

    thresholds: FloatArray
    steps: FloatArray
    missing: float
    lines: tuple[Line, ...] = ()

    @cached_property
    def places(self) -> Steps:
        """Finds the step of a value."""
        return Steps(self.thresholds)

    @cached_property
    def table(self) -> FloatArray:
        """Log-odds of each step, the missing value's last, shape (t + 2,)."""
        return np.append(self.steps, self.missing)

    @cached_property
    def count_steps(self) -> Slots:
        """Step of each count, shape (COUNTS,)."""
        return slots(self.places.edges, np.arange(COUNTS, dtype=np.float64))

    @cached_property
    def count_parts(self) -> FloatArray:
        """Log-odds that each count adds, lines included, shape (COUNTS,)."""
        return self.parts_at(self.count_steps, np.arange(COUNTS, dtype=np.float64))

    def parts_at(self, found: Slots, values: FloatArray) -> FloatArray:
        """Return the log-odds that each encoded value adds, shape (n,), its step being known."""
        added = self.table.take(found)
        if self.lines:
            logs = signed_log(values)
            for line in self.lines:
                added += line.parts(logs)
        return added

    def raised(self, cuts: FloatArray, added: FloatArray) -> "Shape":
        """Return the shape plus a step table whose ``cuts`` are among the thresholds."""
        table = self.table + added[finer(cuts, self.places.edges)]
        return Shape(self.thresholds, table[:-1], float(table[-1]), self.lines)


def weighted_shape(shapes: Sequence[Shape], weights: Sequence[float]) -> Shape:
    """Return the weighted sum of one feature's shapes, on the union of their thresholds."""
    thresholds = np.unique(joined([shape.thresholds for shape in shapes]))
    upper = edges(thresholds)
    table = np.zeros(len(upper))
    slopes: dict[tuple[float, float], float] = {}
    for shape, weight in zip(shapes, weights, strict=True):
        table += weight * shape.table[finer(shape.thresholds, upper)]
        for line in shape.lines:
            scale = (line.scale, line.shift)
            slopes[scale] = slopes.get(scale, 0.0) + weight * line.slope
    lines = tuple(Line(slope, *scale) for scale, slope in slopes.items())
    return Shape(thresholds, table[:-1], float(table[-1]), lines)


def shapes_to_arrays(shapes: Sequence[Shape]) -> dict[str, npt.NDArray[Any]]:
    """Return plain arrays that hold all shapes end to end."""
    lines = [line for shape in shapes for line in shape.lines]
    return {
        "thresholds": joined([shape.thresholds for shape in shapes]),
        "threshold_counts": np.array([len(shape.thresholds) for shape in shapes], dtype=np.int64),
        "steps": joined([shape.steps for shape in shapes]),
        "missing": np.array([shape.missing for shape in shapes], dtype=np.float64),
        "lines": np.array(
            [[line.slope, line.scale, line.shift] for line in lines], dtype=np.float64
        ).reshape(-1, 3),
        "line_counts": np.array([len(shape.lines) for shape in shapes], dtype=np.int64),
    }


def shapes_from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[Shape, ...]:
    """Read what ``shapes_to_arrays`` gave.

    Raises
    ------
    ValueError
        The arrays do not belong together.
    """
    counts = np.asarray(arrays["threshold_counts"], dtype=np.int64)
    line_counts = np.asarray(arrays["line_counts"], dtype=np.int64)
    sizes = (len(arrays["thresholds"]), len(arrays["steps"]), len(arrays["lines"]))
    if sizes != (counts.sum(), (counts + 1).sum(), line_counts.sum()):
        raise ValueError("the compiled model's tables do not belong together")
    return tuple(
        Shape(cuts, steps, float(missing), tuple(Line(*line) for line in lines.tolist()))
        for cuts, steps, missing, lines in zip(
            np.split(arrays["thresholds"], np.cumsum(counts)[:-1]),
            np.split(arrays["steps"], np.cumsum(counts + 1)[:-1]),
            arrays["missing"],
            np.split(arrays["lines"], np.cumsum(line_counts)[:-1]),
            strict=True,
        )
    )
