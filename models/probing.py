"""Probing: a fitted model is asked for its margins at leads of whom hardly anything is known."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from sklearn.pipeline import Pipeline

from .boosted_trees import Pair
from .encoding import LARGEST, Encoding, FloatArray
from .pair_grid import PairGrid
from .shape import Line, Shape

_PROBED_VALUES = 1_000_000
"""Encoded values shown at a time: the model's own copies of them stay below 100 MB."""


class Probe:
    """Asks a fitted model that is a sum of functions of one and of two features.

    Parameters
    ----------
    estimator : Pipeline
        The steps after the encoding, fitted.
    encoding : Encoding
    """

    def __init__(self, estimator: Pipeline, encoding: Encoding) -> None:
        self._estimator = estimator
        self._levels = encoding.levels

    @cached_property
    def baseline(self) -> float:
        """Margin of the lead whose every feature is missing."""
        (margin,) = self._margins([{0: np.array([np.nan])}])
        return float(margin[0])

    def shapes(
        self, thresholds: Sequence[FloatArray], lines: Mapping[int, tuple[float, float]]
    ) -> list[Shape]:
        """Return what each feature adds alone, the value on each step being asked for.

        Parameters
        ----------
        thresholds : sequence of ndarray of float64
            Per feature, where the model splits the number; a category has a step for each level
            instead.
        lines : mapping of int to (float, float)
            Features that enter as a line, with its scale and shift: only both ends are asked for.
        """
        steps = [self._steps(at, cuts) for at, cuts in enumerate(thresholds)]
        ends = np.array([-LARGEST, LARGEST])
        told = self._margins(
            [{at: ends if at in lines else values} for at, (_, values) in enumerate(steps)]
        )
        return [
            _line(margin, self.baseline, *lines[at])
            if at in lines
            else Shape(cuts, margin[:-1] - self.baseline, float(margin[-1] - self.baseline))
            for at, ((cuts, _), margin) in enumerate(zip(steps, told, strict=True))
        ]

    def pairs(self, thresholds: Mapping[Pair, tuple[FloatArray, FloatArray]]) -> list[PairGrid]:
        """Return what each two features add together, beyond what each adds alone."""
        axes = [
            (self._steps(first, cuts[0]), self._steps(second, cuts[1]))
            for (first, second), cuts in thresholds.items()
        ]
        told = self._margins(
            [
                {first: np.repeat(rows, len(columns)), second: np.tile(columns, len(rows))}
                for (first, second), ((_, rows), (_, columns)) in zip(thresholds, axes, strict=True)
            ]
        )
        grids = []
        for both, ((first_cuts, rows), (second_cuts, _)), margin in zip(
            thresholds, axes, told, strict=True
        ):
            together = margin.reshape(len(rows), -1)
            # The last row and column are those of missing values: what each feature adds alone.
            values = together - together[:, -1:] - together[-1:, :] + self.baseline
            grids.append(PairGrid(*both, first_cuts, second_cuts, values))
        return grids

    def _margins(self, asked: Sequence[Mapping[int, FloatArray]]) -> list[FloatArray]:
        """Return the margins of leads of whom only some features are known, question by question.

        Many questions are shown at a time: a model takes as long for one lead as for hundreds.
        """
        ends = np.cumsum([0, *(len(next(iter(known.values()))) for known in asked)])
        margins = np.empty(int(ends[-1]))
        most = max(1, _PROBED_VALUES // len(self._levels))
        for start in range(0, len(margins), most):
            end = min(start + most, len(margins))
            shown = np.full((end - start, len(self._levels)), np.nan)
            first = int(np.searchsorted(ends, start, side="right")) - 1
            for at in range(first, int(np.searchsorted(ends, end, side="left"))):
                low, high = max(start, ends[at]), min(end, ends[at + 1])
                for column, values in asked[at].items():
                    shown[low - start : high - start, column] = values[
                        low - ends[at] : high - ends[at]
                    ]
            margins[start:end] = self._estimator.decision_function(shown)
        return np.split(margins, ends[1:])[:-1]

    def _steps(self, at: int, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the cuts of a feature's table, and a value on each step, missing last."""
        levels = self._levels[at]
        cuts = thresholds if levels is None else np.arange(len(levels), dtype=np.float64)
        highest = LARGEST if levels is None else float(len(levels))
        return cuts, np.append(cuts, [highest, np.nan])


def _line(ends: FloatArray, baseline: float, scale: float, shift: float) -> Shape:
    low, high = ends
    line = Line(float(high - low), scale, shift)
    return Shape(np.empty(0), np.array([low - baseline]), 0.0, (line,))
