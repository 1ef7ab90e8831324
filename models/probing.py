"""Probing: a fitted model is asked for its margins at leads of whom hardly anything is known."""

from functools import cached_property

import numpy as np
from sklearn.pipeline import Pipeline

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
        return float(self._margins({0: np.array([np.nan])})[0])

    def shape(self, at: int, thresholds: FloatArray) -> Shape:
        """Return the step table of one feature, the value on each step being asked for.

        Parameters
        ----------
        at : int
        thresholds : ndarray of float64
            Where the model splits the number; a category has a step for each level instead.
        """
        cuts, values = self._steps(at, thresholds)
        added = self._margins({at: values}) - self.baseline
        return Shape(cuts, added[:-1], float(added[-1]))

    def line(self, at: int, scale: float, shift: float) -> Shape:
        """Return the line of one feature, both its ends being asked for."""
        low, high = self._margins({at: np.array([-LARGEST, LARGEST])})
        line = Line(float(high - low), scale, shift)
        return Shape(np.empty(0), np.array([low - self.baseline]), 0.0, (line,))

    def pair(self, both: tuple[int, int], thresholds: tuple[FloatArray, FloatArray]) -> PairGrid:
        """Return what two features add together, beyond what each adds alone."""
        first, second = both
        first_cuts, rows = self._steps(first, thresholds[0])
        second_cuts, columns = self._steps(second, thresholds[1])
        known = {first: np.repeat(rows, len(columns)), second: np.tile(columns, len(rows))}
        together = self._margins(known).reshape(len(rows), len(columns))
        # The last row and column are those of missing values: what each feature adds alone.
        values = together - together[:, -1:] - together[-1:, :] + self.baseline
        return PairGrid(first, second, first_cuts, second_cuts, values)

    def _margins(self, known: dict[int, FloatArray]) -> FloatArray:
        """Return the margins of leads of whom only some features are known."""
        count = len(next(iter(known.values())))
        step = max(1, _PROBED_VALUES // len(self._levels))
        margins = np.empty(count)
        for start in range(0, count, step):
            rows = slice(start, min(start + step, count))
            shown = np.full((rows.stop - start, len(self._levels)), np.nan)
            for at, values in known.items():
                shown[:, at] = values[rows]
            margins[rows] = self._estimator.decision_function(shown)
        return margins

    def _steps(self, at: int, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the cuts of a feature's table, and a value on each step, missing last."""
        levels = self._levels[at]
        cuts = thresholds if levels is None else np.arange(len(levels), dtype=np.float64)
        highest = LARGEST if levels is None else float(len(levels))
        return cuts, np.append(cuts, [highest, np.nan])
