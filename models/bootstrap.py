"""Intervals that know that one lead's snapshots, or one account's leads, are not independent.

Figures over a whole window come from a pairs bootstrap of clusters: leads (accounts, where there
are any) are drawn with replacement, all rows of each together. Shares of few rows come from a
Wilson interval on the effective number of rows, which stays honest at 0 of 12.

References
----------
Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 13 (percentile intervals).
Cameron, Gelbach & Miller (2008), Bootstrap-based improvements for inference with clustered errors.
Wilson (1927), Probable inference; with the design effect of Korn & Graubard (1998).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

# Weights held at a time (of one block of resamples): 8 MB an array.
_BLOCK_WEIGHTS = 1_000_000
_NORMAL_975 = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; NaN (null in JSON) where it cannot be known."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Return plain data for a JSON file, without NaN."""
        return {
            "value": finite(self.value),
            "low": finite(self.low),
            "high": finite(self.high),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Estimate":
        """Read what ``to_dict`` wrote."""
        value, low, high = (
            math.nan if data[key] is None else float(data[key]) for key in ("value", "low", "high")
        )
        return cls(value, low, high)


def finite(value: float) -> float | None:
    """Return a number as JSON has it: null where it is not finite."""
    return float(value) if math.isfinite(value) else None


def cluster_codes(cluster: ArrayLike | None, rows: int) -> Codes:
    """Return the cluster of each row as a number from 0, in order of appearance.

    Parameters
    ----------
    cluster : array of shape (n,) or None
        Ids of leads or accounts; a row without an id, or all rows if None, stands for itself.
    rows : int
    """
    if cluster is None:
        return np.arange(rows, dtype=np.intp)
    codes, known = pd.factorize(np.asarray(cluster), use_na_sentinel=True)
    codes = codes.astype(np.intp)
    alone = codes < 0
    codes[alone] = len(known) + np.arange(int(alone.sum()))
    return codes


def lead_clusters(frame: pd.DataFrame) -> Codes:
    """Return the cluster of each snapshot: its account where there is one, else its lead.

    Parameters
    ----------
    frame : DataFrame with lead_id and, where there are accounts, account_id
    """
    lead = pd.factorize(frame["lead_id"])[0].astype(np.intp)
    if "account_id" not in frame:
        return cluster_codes(lead, len(frame))
    account = pd.factorize(frame["account_id"])[0].astype(np.intp)
    apart = int(account.max(initial=-1)) + 1
    return cluster_codes(np.where(account >= 0, account, lead + apart), len(frame))


def resampled_weights(codes: Codes, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Draw clusters with replacement and yield how often each row was drawn, in blocks.

    Parameters
    ----------
    codes : array of shape (n,)
        Cluster of each row, numbered from 0.
    resamples : int
    seed : int
        The draws do not depend on how they are cut into blocks.

    Yields
    ------
    array of shape (b, n)
        Weights of the rows in b resamples; memory is bounded whatever n is.
    """
    clusters = int(codes.max(initial=-1)) + 1
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK_WEIGHTS // max(len(codes), 1))
    for first in range(0, resamples, block):
        drawn = min(block, resamples - first)
        weights = np.empty((drawn, len(codes)))
        for row in weights:
            times = np.bincount(generator.integers(0, clusters, clusters), minlength=clusters)
            row[:] = times[codes]
        yield weights


def percentile_interval(value: float, draws: Floats) -> Estimate:
    """Put a 95 % percentile interval around a figure.

    Resamples in which the figure has no meaning (one label only) are left out; if those are half
    of them or more, or the figure itself has none, the interval is unknown. The interval always
    holds the figure itself, which a figure biased by noise (calibration error) might escape.

    Parameters
    ----------
    value : float
        The figure on all rows.
    draws : array of shape (resamples,)
    """
    known = draws[np.isfinite(draws)]
    if not math.isfinite(value) or 2 * len(known) <= len(draws):
        return Estimate(value, math.nan, math.nan)
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value))


def clustered_mean(values: Floats, codes: Codes, weight: Floats) -> tuple[float, float]:
    """Return a weighted mean and its standard error, which knows that clusters are not independent.

    Of a paired difference of losses it tells whether one model is clearly better than another.

    Parameters
    ----------
    values, weight : array of shape (n,)
    codes : array of shape (n,)
        Cluster of each row; the error of a single cluster's mean is infinite.

    References
    ----------
    Liang & Zeger (1986), Longitudinal data analysis using generalized linear models; with the
    correction for few clusters of Cameron & Miller (2015), A practitioner's guide to
    cluster-robust inference.
    """
    total = float(weight.sum())
    mean = float(np.sum(weight * values)) / total
    _, dense = np.unique(codes, return_inverse=True)
    sums = np.bincount(dense, weights=weight * (values - mean))
    if len(sums) == 1:
        return mean, math.inf
    return mean, float(np.sqrt(len(sums) / (len(sums) - 1) * (sums @ sums))) / total


def mean_interval(values: Floats, codes: Codes, *, resamples: int, seed: int) -> Estimate:
    """Estimate a mean with a 95 % interval from a bootstrap that draws clusters.

    Parameters
    ----------
    values : array of shape (n,)
    codes : array of shape (n,)
        Cluster of each row, numbered from 0; of a single cluster's mean the interval is unknown.
    resamples : int
    seed : int
    """
    if not len(values):
        return Estimate(math.nan, math.nan, math.nan)
    sums = np.bincount(codes, weights=values)
    counts = np.bincount(codes).astype(np.float64)
    if len(sums) == 1:
        return Estimate(float(values.mean()), math.nan, math.nan)
    blocks = resampled_weights(np.arange(len(sums)), resamples=resamples, seed=seed)
    draws = np.concatenate([(weights @ sums) / (weights @ counts) for weights in blocks])
    return percentile_interval(float(values.mean()), draws)


def clustered_share(
    label: NDArray[np.bool_], codes: Codes, weight: Floats | None = None
) -> Estimate:
    """Estimate a share of rows with a Wilson interval on the effective number of rows.

    Parameters
    ----------
    label : array of shape (n,)
    codes : array of shape (n,)
        Cluster of each row.
    weight : array of shape (n,), optional
        How many rows each stands for; those that stand for none are not looked at.
    """
    if weight is not None:
        counts = weight > 0.0
        label, codes, weight = label[counts], codes[counts], weight[counts]
    if len(label) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    share = float(np.average(label, weights=weight))
    return Estimate(share, *_wilson(share, effective_rows(label, codes, weight)))


def effective_rows(label: NDArray[np.bool_], codes: Codes, weight: Floats | None = None) -> float:
    """Return how many independent rows tell as much of a share as these clustered ones.

    Rows of one cluster tell less than as many independent rows: the number of rows is divided by
    the design effect (variance between cluster sums over the binomial variance, at least 1).
    Where all labels are equal, and so no variance is seen, each cluster counts once.

    Parameters
    ----------
    label : array of shape (n,), n > 0
    codes : array of shape (n,)
        Cluster of each row.
    weight : array of shape (n,), all above 0, optional
        How many rows each stands for. Unequal ones tell less (Kish 1965).
    """
    weights = np.ones(len(label)) if weight is None else weight
    squares = float(weights @ weights)
    rows = float(weights.sum()) ** 2 / squares
    share = float(np.average(label, weights=weights))
    _, dense = np.unique(codes, return_inverse=True)
    clusters = int(dense.max()) + 1
    if not (0.0 < share < 1.0 and 1 < clusters < len(label)):
        return min(float(clusters), rows)
    sums = np.bincount(dense, weights=weights * (label - share))
    between = clusters / (clusters - 1) * float(sums @ sums) / squares
    return rows / max(1.0, between / (share * (1.0 - share)))


def _wilson(share: float, rows: float) -> tuple[float, float]:
    squared = _NORMAL_975**2
    centre = (share + squared / (2.0 * rows)) / (1.0 + squared / rows)
    spread = share * (1.0 - share) / rows + squared / (4.0 * rows**2)
    reach = _NORMAL_975 * math.sqrt(spread) / (1.0 + squared / rows)
    return max(0.0, min(share, centre - reach)), min(1.0, max(share, centre + reach))
