"""Pair grid: what two features add to the margin together, beyond what each adds alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .encoding import FloatArray
from .steps import edges, finer, joined


@dataclass(frozen=True)
class PairGrid:
    """A step table over two features.

    Step ``i`` of an axis holds for ``cuts[i - 1] < x <= cuts[i]`` of a number, or for level ``i``
    of a category; the last but one for all above (rare and unseen levels), the last one for a
    missing value.

    Attributes
    ----------
    first, second : int
        Positions of the features, ``first < second``.
    first_cuts, second_cuts : ndarray of float64, shapes (s,) and (t,)
        Ascending; for a category 0, 1, ...
    values : ndarray of float64, shape (s + 2, t + 2)
        Log-odds.
    """

    first: int
    second: int
    first_cuts: FloatArray
    second_cuts: FloatArray
    values: FloatArray


@dataclass(frozen=True)
class Purified:
    """A grid parted into what the two features do together and what each does alone.

    Attributes
    ----------
    grid : PairGrid
        Its weighted mean is 0 along each row and each column.
    first, second : ndarray of float64, shapes (s + 2,) and (t + 2,)
        Log-odds that belong to one feature alone, at each step.
    level : float
        Log-odds that belong to neither.
    """

    grid: PairGrid
    first: FloatArray
    second: FloatArray
    level: float


def purify(grid: PairGrid, first_weight: FloatArray, second_weight: FloatArray) -> Purified:
    """Part a grid so that its sum stays and nothing of a single feature is left in it [1]_.

    Parameters
    ----------
    grid : PairGrid
    first_weight, second_weight : ndarray of float64, shapes (s + 2,) and (t + 2,)
        Weight of each step, not all 0; a cell weighs their product, so that one pass is enough.

    References
    ----------
    .. [1] Lengerich, Tan, Chang, Hooker, Caruana: Purifying interaction effects with the
       functional ANOVA. AISTATS 2020.
    """
    first = np.average(grid.values, axis=1, weights=second_weight)
    second = np.average(grid.values, axis=0, weights=first_weight)
    level = float(np.average(first, weights=first_weight))
    rest = grid.values - first[:, None] - second[None, :] + level
    return Purified(replace(grid, values=rest), first - level, second - level, level)


def weighted_grid(grids: Sequence[PairGrid], weights: Sequence[float]) -> PairGrid:
    """Return the weighted sum of grids of the same two features, on the union of their cuts."""
    first_cuts = np.unique(joined([grid.first_cuts for grid in grids]))
    second_cuts = np.unique(joined([grid.second_cuts for grid in grids]))
    values = np.zeros((len(first_cuts) + 2, len(second_cuts) + 2))
    for grid, weight in zip(grids, weights, strict=True):
        rows = finer(grid.first_cuts, edges(first_cuts))
        columns = finer(grid.second_cuts, edges(second_cuts))
        values += weight * grid.values[np.ix_(rows, columns)]
    return PairGrid(grids[0].first, grids[0].second, first_cuts, second_cuts, values)


def pairs_to_arrays(pairs: Sequence[PairGrid]) -> dict[str, npt.NDArray[Any]]:
    """Return plain arrays that hold all grids end to end."""
    counts = [[len(pair.first_cuts), len(pair.second_cuts)] for pair in pairs]
    return {
        "pairs": np.array([[p.first, p.second] for p in pairs], dtype=np.int64).reshape(-1, 2),
        "pair_cut_counts": np.array(counts, dtype=np.int64).reshape(-1, 2),
        "pair_cuts": joined([cuts for p in pairs for cuts in (p.first_cuts, p.second_cuts)]),
        "pair_values": joined([pair.values for pair in pairs]),
    }


def pairs_from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[PairGrid, ...]:
    """Read what ``pairs_to_arrays`` gave.

    Raises
    ------
    ValueError
        The arrays do not belong together.
    """
    counts = np.asarray(arrays["pair_cut_counts"], dtype=np.int64)
    cells = (counts + 2).prod(axis=1)
    if (len(arrays["pair_cuts"]), len(arrays["pair_values"])) != (counts.sum(), cells.sum()):
        raise ValueError("the compiled model's pairs do not belong together")
    cuts = np.split(arrays["pair_cuts"], np.cumsum(counts.ravel())[:-1])
    values = np.split(arrays["pair_values"], np.cumsum(cells)[:-1])
    return tuple(
        PairGrid(int(first), int(second), cuts[2 * at], cuts[2 * at + 1], value.reshape(shape))
        for at, ((first, second), value, shape) in enumerate(
            zip(arrays["pairs"], values[: len(counts)], counts + 2, strict=True)
        )
    )
