"""Promise kept: realised conversion of past scores against what they promised.

Wins are a sum of unequal coins; leads of one account hang together, so the variance is that of
whole accounts. The realised share is held against the promised one, with a margin for what
calibration itself may be off by.

References
----------
Spiegelhalter (1986), Probabilistic prediction in patient management and clinical trials,
Statistics in Medicine 5: the z of observed against promised.
Liang & Zeger (1986), Longitudinal data analysis using generalized linear models, Biometrika 73:
variance from the residual sums of clusters.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from .bootstrap import cluster_codes


@dataclass(frozen=True)
class PromiseKept:
    """What past scores promised, and what came of it.

    Attributes
    ----------
    leads : int
    promised, realised : float
        Wins: the sum of the probabilities, and the count.
    ratio, low, high : float
        Realised over promised, with its 95 % interval.
    p_value : float
        Chance of straying as far if the promise, but for the margin, were kept.
    """

    leads: int
    promised: float
    realised: float
    ratio: float
    low: float
    high: float
    p_value: float


def promise_kept(
    probability: ArrayLike,
    won: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    margin: float = 0.15,
) -> PromiseKept:
    """Hold realised conversion against the promised one.

    Parameters
    ----------
    probability : array of shape (n,)
        Of mature scores, each lead once.
    won : boolean array of shape (n,)
    cluster : array of shape (n,), optional
        Account of each lead.
    margin : float
        Share of the promise that is not held against it.
    """
    chance = np.asarray(probability, dtype=np.float64)
    label = np.asarray(won, dtype=np.float64)
    promised, realised = float(chance.sum()), float(label.sum())
    sums = np.bincount(cluster_codes(cluster, len(chance)), weights=label - chance)
    # Where hardly anything was won, residuals say less than the coins themselves.
    variance = max(float((sums**2).sum()), float((chance * (1 - chance)).sum()))
    error = math.sqrt(variance)
    beyond = max(0.0, abs(realised - promised) - margin * promised)
    over = max(promised, 1e-12)
    return PromiseKept(
        len(chance),
        promised,
        realised,
        realised / over,
        max(0.0, realised - 1.96 * error) / over,
        (realised + 1.96 * error) / over,
        float(2 * norm.sf(beyond / error)) if error > 0 and beyond > 0 else 1.0,
    )
