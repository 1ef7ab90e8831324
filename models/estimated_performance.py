"""Estimated performance: what today's scores promise before any label is known.

If probabilities are calibrated, each score says in itself how often it will be right. So the
share of MQLs that will convert, the share of all leads, the conversions that MQLs will hold, and
the AUC follow from the scores alone. What it cannot see is a change of what scores mean: that shows
only when labels mature (``promise``).

References
----------
NannyML (2022), Confidence-based performance estimation (CBPE), user guide: the method. The AUC is
that of Hand & Till's ranks, weighted by the chance of each lead to be won or lost.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class EstimatedPerformance:
    """What scores promise of themselves.

    Attributes
    ----------
    leads, mqls : int
    base_rate : float
        Share of leads that will be won within the horizon.
    precision, recall : float
        Share of MQLs that will be won; share of wins that are MQLs. NaN without MQLs.
    auc : float
        Chance that a lead to be won scores above one that is not.
    """

    leads: int
    mqls: int
    base_rate: float
    precision: float
    recall: float
    auc: float


def estimated_performance(probability: ArrayLike, mql: ArrayLike) -> EstimatedPerformance:
    """Estimate performance from calibrated scores alone.

    Parameters
    ----------
    probability : array of shape (n,), n > 0
    mql : boolean array of shape (n,)
    """
    chance, chosen = np.asarray(probability, dtype=np.float64), np.asarray(mql, dtype=np.bool_)
    wins = float(chance.sum())
    held = float(chance[chosen].sum())
    return EstimatedPerformance(
        leads=len(chance),
        mqls=int(chosen.sum()),
        base_rate=wins / len(chance),
        precision=held / chosen.sum() if chosen.any() else float("nan"),
        recall=held / wins if wins > 0 else float("nan"),
        auc=expected_auc(chance),
    )


def expected_auc(probability: ArrayLike) -> float:
    """Return the AUC that calibrated probabilities promise; ties count half.

    Parameters
    ----------
    probability : array of shape (n,)

    Examples
    --------
    >>> expected_auc([0.3, 0.3, 0.3])
    0.5
    """
    chance, ties = np.unique(np.asarray(probability, dtype=np.float64), return_counts=True)
    won, lost = chance * ties, (1 - chance) * ties
    below = np.cumsum(lost) - lost
    pairs = won.sum() * lost.sum()
    return float((won * (below + lost / 2)).sum() / pairs) if pairs > 0 else float("nan")
