"""Maturity: what was known of each snapshot's label at an instant, and what it weighs.

At an instant, a snapshot is mature once its horizon has ended. Of a younger one only a win that has
come already is known; that none has come yet is less than a loss. Two treatments:

``drop``
    Only mature snapshots teach.
``weight``
    Young snapshots teach as far as their time has passed. One that was won is a win. One that was
    not won yet is a loss, with the weight ``K (1 - p) / (1 - p K)``: the chance that it stays one,
    times the chance ``K`` that a win would have been seen by now, of all wins within the horizon.
    So, at each age, wins and losses stand in the proportion that they will have in the end.
    Without the weight, snapshots not won yet would be taken for losses; were young wins alone
    added, the newest leads would look as if all were won.

What is assumed: how long a win takes, among snapshots that are won within the horizon, depends
neither on who it is nor on when. Then the share of wins is unbiased at each age, whatever sorts of
leads are young. (``p`` is the mean; while a much likelier lead is young, its odds come out lower,
by a share of at most its own probability. A second round with each lead's own chance in place of
the mean was tried and gained nothing.) The textbook's way, to count a win by one over the
chance that its snapshot is old enough (inverse probability of censoring), assumes instead that
young snapshots are of the same sort as old ones; they are not: in a young company, old leads have
young snapshots only. It did worse than to drop in ``benchmarks/maturity.py``.

References
----------
Chapelle (2014), Modeling delayed feedback in display advertising, KDD: the same assumption, with an
exponential delay.
Lynden-Bell (1971), A method of allowing for known observational selection in small samples, MNRAS
155; Woodroofe (1985), Estimating a distribution function with truncated data, Ann. Stat. 13: the
distribution of durations of which long ones are seen of old snapshots only.
Graf, Schmoor, Sauerbrei & Schumacher (1999), Assessment and comparison of prognostic classification
schemes for survival data; Vock et al. (2016), Adapting machine learning techniques to censored
time-to-event health record data: the inverse probability of censoring.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from .encoding import FloatArray
from .time_order import DAY

Treatment = Literal["drop", "weight"]

_TOLD = ("as_of", "label", "win_after_days", "weight")


@dataclass(frozen=True)
class KnownRows:
    """The snapshots that can teach at an instant.

    Attributes
    ----------
    rows : ndarray of int
        Positions in the frame, ascending.
    won : ndarray of bool
        Whether each had been won before the instant: what to learn, in place of the label, which
        a young snapshot may have got later.
    mature : ndarray of bool
        Whether its horizon had ended: only such rows can judge.
    weight : ndarray of float
        What each counts for; 1 once it is mature, or its own weight.
    """

    rows: npt.NDArray[np.intp]
    won: npt.NDArray[np.bool_]
    mature: npt.NDArray[np.bool_]
    weight: FloatArray

    @property
    def follow_up(self) -> FloatArray:
        """What each counts for by its age alone: 1 once it is mature.

        Figures of outcomes rest on this; a row's own weight is for learning only.
        """
        return np.where(self.mature, 1.0, self.weight)


def known_rows(
    frame: pd.DataFrame,
    rows: npt.NDArray[np.intp],
    cutoff: pd.Timestamp,
    *,
    horizon_days: int,
    treatment: Treatment,
) -> KnownRows:
    """Return what was known at an instant, and what it weighs.

    Parameters
    ----------
    frame : DataFrame
        With ``as_of`` (UTC, none missing), ``label``, ``win_after_days`` (days from as_of to the
        win within the horizon, NaN for none) and, optionally, ``weight``, which counts for mature
        rows: what it rests on may have come as late as the horizon's end.
    rows : ndarray of int
        Positions in the frame to choose among.
    cutoff : Timestamp
        The instant, UTC: the beginning of the window that judges.
    horizon_days : int
        Days after as_of within which a win counts.
    treatment : {"drop", "weight"}
        Whether young rows are left out, or teach as far as their time has passed.
    """
    rows = np.sort(rows)
    taken = frame[[name for name in _TOLD if name in frame]].iloc[rows]
    as_of = taken["as_of"].dt.as_unit("us").to_numpy(dtype=np.int64)
    followed = (cutoff.as_unit("us").to_datetime64().astype(np.int64) - as_of) / DAY
    label = taken["label"].to_numpy(dtype=bool)
    mature = followed >= horizon_days
    own = taken["weight"].to_numpy(dtype=np.float64) if "weight" in taken else np.ones(len(taken))
    if treatment == "drop" or "win_after_days" not in taken:
        return KnownRows(rows[mature], label[mature], mature[mature], own[mature])
    days = np.where(label, taken["win_after_days"].to_numpy(dtype=np.float64), np.inf)
    won = days < followed
    limit = np.where(mature, np.inf, followed)
    seen = _share_seen(days[won], limit[won], limit)
    base = float(label[mature].mean()) if mature.any() else 0.0
    stays = (1 - base) / np.maximum(1 - base * seen, np.finfo(np.float64).tiny)
    weight = np.where(mature, own, np.where(won, 1.0, seen * stays))
    # Too young for any win to be seen: nothing is known, not even where one was seen by luck.
    told = seen > 0
    return KnownRows(rows[told], won[told], mature[told], weight[told])


def _share_seen(days: FloatArray, limit: FloatArray, followed: FloatArray) -> FloatArray:
    """Return which share of all wins comes within each follow-up (right-truncated durations).

    A win is seen if its duration ``days`` is below the ``limit`` of its own snapshot, so long ones
    are missing among the young. From the longest down, each duration is counted among those that
    could have been seen with it (the product-limit estimator of Lynden-Bell).
    """
    ascending, at_once = np.unique(days, return_counts=True)
    could = np.searchsorted(np.sort(days), ascending, side="right") - np.searchsorted(
        np.sort(limit), ascending, side="right"
    )
    shorter = np.append(np.cumprod((1 - at_once / could)[::-1])[::-1], 1.0)
    share: FloatArray = shorter[np.searchsorted(ascending, followed, side="left")]
    return share
