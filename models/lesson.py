"""Lesson: encoded rows with their labels and weights, which a candidate learns from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .bootstrap import Codes
from .encoding import FloatArray


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a candidate learns from.

    Attributes
    ----------
    matrix : ndarray of float64, shape (n, k)
        Encoded features; NaN: missing.
    won : ndarray of bool, shape (n,)
    weight : ndarray of float64, shape (n,)
        How much each row counts.
    cluster : ndarray of int, shape (n,)
        Account of each row, or its lead.
    """

    matrix: FloatArray
    won: npt.NDArray[np.bool_]
    weight: FloatArray
    cluster: Codes

    def taken(self, rows: npt.NDArray[np.intp]) -> "Lesson":
        """Return some of the rows."""
        return Lesson(self.matrix[rows], self.won[rows], self.weight[rows], self.cluster[rows])

    def thinned(self, most: int) -> "Lesson":
        """Return at most so many rows, evenly spread."""
        if len(self.won) <= most:
            return self
        return self.taken(np.linspace(0, len(self.won) - 1, most).astype(np.intp))
