"""A fold as it was then: what was known of the rows that teach, and the later rows that judge."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from .encoding import FloatArray
from .exploration import stands_for
from .lesson import enough_rows, stood_for
from .maturity import KnownRows, Treatment, known_rows
from .selection import Fold
from .time_order import Rows, TimeOrder


@dataclass(frozen=True, eq=False)
class LaidFold:
    """Rows that teach with what was known of them, and rows that judge.

    Attributes
    ----------
    fit : ndarray of int
        Positions in the frame.
    won : ndarray of bool
        What was known of each fit row: a win that had come.
    weight : ndarray of float64
        What each fit row counts for by what was known of it.
    stands : ndarray of float64
        How many rows of its label each fit row stands for, where some were left out.
    judge : ndarray of int
        Positions in the frame.
    """

    fit: Rows
    won: npt.NDArray[np.bool_]
    weight: FloatArray
    stands: FloatArray
    judge: Rows


def laid_fold(
    fold: Fold,
    frame: pd.DataFrame,
    order: TimeOrder,
    *,
    horizon_days: int,
    immature: Treatment,
    seed: int,
) -> LaidFold:
    """Return what was known when a fold's judging window began, losses beyond need left out.

    Parameters
    ----------
    fold : Fold
        Its fit rows are the mature ones.
    frame : DataFrame
    order : TimeOrder
        Of the frame's rows.
    horizon_days : int
    immature : {"drop", "weight"}
        What becomes of the snapshots that were young then.
    seed : int
        Of the losses that are left out; see ``enough_rows``.
    """
    if order.kind != "as_of" or immature == "drop":
        known = plainly_known(frame, fold.fit)
    else:
        cutoff = int(order.moment[fold.judge].min())
        known = known_at(frame, order, cutoff, horizon_days=horizon_days, immature=immature)
    kept = enough_rows(known.won, seed=seed)
    stands = stood_for(known.won, kept)
    return LaidFold(known.rows[kept], known.won[kept], known.weight[kept], stands, fold.judge)


def known_at(
    frame: pd.DataFrame, order: TimeOrder, moment: int, *, horizon_days: int, immature: Treatment
) -> KnownRows:
    """Return what was known of dated rows at a moment (microseconds, UTC); see ``known_rows``."""
    return known_rows(
        frame,
        np.flatnonzero((order.moment < moment) & (stands_for(frame) > 0.0)),
        pd.Timestamp(moment, unit="us", tz="UTC"),
        horizon_days=horizon_days,
        treatment=immature,
    )


def plainly_known(frame: pd.DataFrame, rows: Rows) -> KnownRows:
    """Return rows whose labels are all known, with weights of their own, but for idle ones."""
    rows = rows[stands_for(frame)[rows] > 0.0]
    taken = frame.iloc[rows]
    weight = taken["weight"].to_numpy(dtype=np.float64) if "weight" in taken else np.ones(len(rows))
    won = taken["label"].to_numpy(dtype=bool)
    return KnownRows(rows, won, np.ones(len(rows), dtype=bool), weight)
