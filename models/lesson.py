"""Lesson: encoded rows with their labels and weights, which a candidate learns from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .bootstrap import Codes
from .encoding import FloatArray
from .time_order import Rows

_FEWEST_ROWS, _LOSSES_A_WIN = 20_000, 20


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

    @property
    def scarcest(self) -> int:
        """Rows of the label that is the rarer one: mostly the wins."""
        wins = int(np.count_nonzero(self.won))
        return min(wins, len(self.won) - wins)

    def taken(self, rows: Rows) -> "Lesson":
        """Return some of the rows."""
        matrix = taken_rows(self.matrix, rows)
        return Lesson(matrix, self.won[rows], self.weight[rows], self.cluster[rows])

    def thinned(self, most: int) -> "Lesson":
        """Return at most so many rows, evenly spread."""
        if len(self.won) <= most:
            return self
        return self.taken(np.linspace(0, len(self.won) - 1, most).astype(np.intp))


def taken_rows(matrix: FloatArray, rows: Rows) -> FloatArray:
    """Return some rows, column-major: nearly all that is done to a matrix goes down its columns."""
    return matrix.T.take(rows, axis=1).T


def enough_rows(won: npt.NDArray[np.bool_], *, seed: int) -> Rows:
    """Choose the rows that teach nearly what all would: every win, and losses enough.

    Where wins are rare they tell most of what there is to learn: beyond 20 losses a win, more of
    them hardly lower the variance of anything [1]_. They are drawn at random, and stand for the
    others by the weights of ``stood_for`` [2]_. (The scarcer label is meant where wins are many.)

    Parameters
    ----------
    won : ndarray of bool, shape (n,)
    seed : int

    Returns
    -------
    ndarray of int
        Positions in rising order; all where there are 20,000 at most.

    References
    ----------
    .. [1] King & Zeng (2001), Logistic regression in rare events data.
    .. [2] Fithian & Hastie (2014), Local case-control sampling, section 2.
    """
    wins, losses = np.flatnonzero(won), np.flatnonzero(~won)
    scarce, plenty = (wins, losses) if len(wins) < len(losses) else (losses, wins)
    drawn = max(_FEWEST_ROWS - len(scarce), _LOSSES_A_WIN * len(scarce))
    if drawn >= len(plenty):
        return np.arange(len(won))
    kept = np.random.default_rng(seed).choice(plenty, drawn, replace=False)
    return np.sort(np.concatenate([scarce, kept]))


def stood_for(won: npt.NDArray[np.bool_], rows: Rows) -> FloatArray:
    """Return how many rows of its label each of some rows stands for, shape of ``rows``.

    Parameters
    ----------
    won : ndarray of bool, shape (n,)
        All rows.
    rows : ndarray of int
        Those that were chosen.
    """
    taken = won[rows]
    wins = np.count_nonzero(won) / max(1, int(np.count_nonzero(taken)))
    losses = np.count_nonzero(~won) / max(1, int(np.count_nonzero(~taken)))
    return np.asarray(np.where(taken, wins, losses), dtype=np.float64)
