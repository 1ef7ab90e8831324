"""Probing: a fitted model is asked for its margins at leads of whom hardly anything is known."""

from functools import cached_property

import numpy as np
from sklearn.pipeline import Pipeline

from .encoding import LARGEST, FloatArray
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
    columns : int
        Features of the encoded matrix.
    """

    def __init__(self, estimator: Pipeline, columns: int) -> None:
        self._estimator = estimator
        self._columns = columns

    @cached_property
    def baseline(self) -> float:
        """Margin of the lead whose every feature is missing."""
        return float(self._margins({0: np.array([np.nan])})[0])

    def shape(self, at: int, cuts: FloatArray) -> Shape:
        """Return the step table of one feature, the value on each step being asked for."""
        added = self._margins({at: _probes(cuts)}) - self.baseline
        return Shape(cuts, added[:-1], float(added[-1]))

    def line(self, at: int, scale: float, shift: float) -> Shape:
        """Return the line of one feature, both its ends being asked for."""
        low, high = self._margins({at: np.array([-LARGEST, LARGEST])})
        line = Line(float(high - low), scale, shift)
        return Shape(np.empty(0), np.array([low - self.baseline]), 0.0, (line,))

    def pair(
        self, first: int, second: int, first_cuts: FloatArray, second_cuts: FloatArray
    ) -> PairGrid:
        """Return what two features add together, beyond what each adds alone."""
        rows, columns = _probes(first_cuts), _probes(second_cuts)
        across = np.repeat(rows, len(columns)), np.tile(columns, len(rows))
        margins = self._margins({first: across[0], second: across[1]})
        together = margins.reshape(len(rows), len(columns))
        # The last row and column are those of missing values: what each feature adds alone.
        values = together - together[:, -1:] - together[-1:, :] + self.baseline
        return PairGrid(first, second, first_cuts, second_cuts, values)

    def _margins(self, known: dict[int, FloatArray]) -> FloatArray:
        """Return the margins of leads of whom only some features are known."""
        count = len(next(iter(known.values())))
        step = max(1, _PROBED_VALUES // self._columns)
        margins = np.empty(count)
        for start in range(0, count, step):
            rows = slice(start, min(start + step, count))
            shown = np.full((rows.stop - start, self._columns), np.nan)
            for at, values in known.items():
                shown[:, at] = values[rows]
            margins[rows] = self._estimator.decision_function(shown)
        return margins


def _probes(cuts: FloatArray) -> FloatArray:
    """Return a value on each step: its upper end, the largest number, and a missing value."""
    return np.append(cuts, [LARGEST, np.nan])
