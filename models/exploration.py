"""Exploration: leads below the threshold that are tried, so that training sees what it never would.

Where only leads above the threshold are worked, what became of the others says nothing of what they
were worth. A share of them, drawn by chance, is passed to sales all the same. Each lead is drawn
anew once in a period, and stays drawn until its period ends, so that at any instant the chance of a
lead to be tried is that share. Weighing what was worked by one over the chance with which it was
passed makes it stand for all leads again.

References
----------
D. G. Horvitz, D. J. Thompson, A generalization of sampling without replacement from a finite
universe, JASA 47 (1952). L. Kish, Survey Sampling (1965), on the effective sample size.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .lifecycle import Flags, Floats

_Hashes = NDArray[np.uint64]
_KEY = "leadlight-drawn!"
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def drawn_to_explore(
    lead_id: NDArray[np.object_],
    *,
    as_of: np.datetime64,
    share: float,
    period_days: int,
    seed: int,
) -> Flags:
    """Draw the leads to be tried, the same ones for the same seed, lead and instant.

    Periods begin on another day for each lead, so that sales gets some of them each day.

    Parameters
    ----------
    lead_id : array of str, shape (n,)
    as_of : datetime64
        UTC.
    share : float
        Chance of each lead, 0 to 1.
    period_days : int
        For how long a draw holds.
    seed : int

    Returns
    -------
    array of bool, shape (n,)
    """
    if share <= 0.0:
        return np.zeros(len(lead_id), dtype=bool)
    lead = _mixed(
        pd.util.hash_array(lead_id, hash_key=_KEY, categorize=False)
        ^ _mixed(np.full(1, seed, dtype=np.uint64))
    )
    day = np.uint64(as_of.astype("datetime64[D]").astype(np.int64))
    days = np.uint64(period_days)
    period = (lead % days + day) // days
    chance = (_mixed(lead + _GOLDEN * period) >> np.uint64(11)) * 2.0**-53
    return np.asarray(chance < share)


def _mixed(numbers: _Hashes) -> _Hashes:
    """Return numbers in which each bit depends on each bit (the finaliser of SplitMix64)."""
    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def follow_up_weight(followed: Flags, propensity: Floats, governed: Flags) -> Floats:
    """Return how many snapshots each stands for where only leads passed to sales can be won.

    A snapshot of a lead in the hands of sales stands for one over the chance with which its lead
    was passed. One of any other lead stands for none: nobody tried. What lies before the first run
    of the lifecycle was worked by other rules, and stands for itself.

    Parameters
    ----------
    followed : array of bool, shape (n,)
        Whether the lead was ``mql`` or ``sql`` then.
    propensity : array of shape (n,)
        Chance with which it was passed, above 0; NaN where it was not.
    governed : array of bool, shape (n,)
        Whether there had been a run by then.

    Returns
    -------
    array of shape (n,)
    """
    chance = np.where(followed & (propensity > 0.0), propensity, 1.0)
    return np.where(governed, followed / chance, 1.0)


def stands_for(frame: pd.DataFrame) -> Floats:
    """Return how many snapshots each stands for: 0 where its label says nothing of its worth.

    Parameters
    ----------
    frame : DataFrame of n rows
        Optionally with ``stands_for``; see ``follow_up_weight``.

    Returns
    -------
    ndarray of shape (n,)
    """
    if "stands_for" not in frame:
        return np.ones(len(frame))
    return frame["stands_for"].to_numpy(dtype=np.float64)


def effective_rows(weight: Floats) -> float:
    """Return how many equally weighted rows the weighted ones are worth (Kish 1965)."""
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares else 0.0
