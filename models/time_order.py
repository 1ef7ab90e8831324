"""Time order: where each snapshot stands, what was known when, and where windows may begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlight.features.errors import NotEnoughDataError

from .bootstrap import lead_clusters

Rows = npt.NDArray[np.intp]
Moments = npt.NDArray[np.int64]
OrderKind = Literal["as_of", "position", "random"]

DAY = 86_400_000_000
"""Microseconds."""

_BOUNDARIES = 80  # a multiple of 20, so that shares in steps of 5 % are met exactly


@dataclass(frozen=True, eq=False)
class TimeOrder:
    """The place of each row in time.

    Attributes
    ----------
    moment : ndarray of int64
        ``as_of`` in microseconds (UTC); or the rank of ``position``; or a number drawn for the
        account, where there is neither.
    gap : int
        After which a row's label is known: the horizon, or one place in the order.
    kind : {"as_of", "position", "random"}
    """

    moment: Moments
    gap: int
    kind: OrderKind

    def known_before(self, moment: int) -> Rows:
        """Return the rows whose label was known at a moment."""
        return np.flatnonzero(self.moment + self.gap <= moment)

    def between(self, first: int, end: int | None = None) -> Rows:
        """Return the rows from a moment on, and before another."""
        inside = self.moment >= first
        return np.flatnonzero(inside if end is None else inside & (self.moment < end))

    def taken(self, rows: Rows) -> "TimeOrder":
        """Return the order of some of the rows."""
        return TimeOrder(self.moment[rows], self.gap, self.kind)

    def described(self, rows: Rows) -> str:
        """Say from when to when rows reach; nothing where they were drawn at random."""
        moments = self.moment[rows]
        if self.kind == "as_of":
            return f"{_date(moments.min())} to {_date(moments.max())}, "
        if self.kind == "position":
            return f"rows {moments.min() + 1:,} to {moments.max() + 1:,}, "
        return ""


def time_order(frame: pd.DataFrame, *, horizon_days: int, seed: int) -> TimeOrder:
    """Read the order of snapshots from ``as_of``, else from ``position``, else draw accounts.

    Parameters
    ----------
    frame : DataFrame
        With lead_id, account_id, as_of (UTC, or all missing), position.
    horizon_days : int
        Days after as_of within which a win counts.
    seed : int
        For the random draw, where there is no order.

    Raises
    ------
    NotEnoughDataError
        Some rows have a position and others have none.
    """
    if frame["as_of"].notna().all():
        stamps = pd.to_datetime(frame["as_of"], utc=True).dt.as_unit("us")
        return TimeOrder(stamps.to_numpy(dtype=np.int64), horizon_days * DAY, "as_of")
    unplaced = int(frame["position"].isna().sum())
    if 0 < unplaced < len(frame):
        raise NotEnoughDataError(
            f"{unplaced:,} of {len(frame):,} rows have no value in the column that orders them in "
            "time, so later rows cannot judge earlier ones",
            hint="Fill it, name another under sources.leads.order_by, or leave such rows out with "
            "sources.leads.where.",
        )
    if not unplaced:
        places = np.unique(frame["position"].to_numpy(dtype=np.float64), return_inverse=True)[1]
        return TimeOrder(np.asarray(places, dtype=np.int64), 1, "position")
    cluster = lead_clusters(frame)
    drawn = np.random.default_rng(seed).permutation(int(cluster.max()) + 1)
    return TimeOrder(drawn[cluster].astype(np.int64), 1, "random")


def window_starts(
    order: TimeOrder,
    won: npt.NDArray[np.bool_],
    shares: Sequence[float],
    *,
    least: int,
    kept: float,
) -> list[int] | None:
    """Place the first moment of each window but the first.

    The first window's labels are known before the second begins; later windows follow each other
    at once. Boundaries are placed so that the smallest window, measured by its intended share, is
    as large as it can be.

    Parameters
    ----------
    order : TimeOrder
    won : ndarray of bool
    shares : sequence of float
        Intended share of the rows of each window.
    least : int
        Least number of wins, and of losses, in each window.
    kept : float
        Least share of all rows that the windows hold together: the gap must not eat up a short
        history.

    Returns
    -------
    list of int, or None
        None where no boundaries satisfy.
    """
    sequence = np.argsort(order.moment, kind="stable")
    moments = order.moment[sequence]
    wins_before = np.concatenate([[0], np.cumsum(won[sequence])])
    firsts = np.unique(moments)
    if len(firsts) > _BOUNDARIES:
        places = np.arange(_BOUNDARIES) * len(moments) // _BOUNDARIES
        firsts = np.unique(moments[places])
    count = len(firsts)
    starts = np.append(np.searchsorted(moments, firsts, side="left"), 0)
    purged = np.append(np.searchsorted(moments, firsts - order.gap, side="right"), len(moments))
    adjacent = np.append(starts[:-1], len(moments))
    # A path through the boundaries, window by window: the best smallest window so far.
    best = np.full((len(shares) + 1, count + 1), -np.inf)
    came_from = np.zeros((len(shares) + 1, count + 1), dtype=np.intp)
    best[0, count] = np.inf  # the first window starts at row 0
    for at, share in enumerate(shares, start=1):
        ends = purged if at == 1 else adjacent
        rows = ends[None, :] - starts[:, None]
        wins = wins_before[ends][None, :] - wins_before[starts][:, None]
        size = np.where((wins >= least) & (rows - wins >= least), rows / share, -np.inf)
        reach = np.minimum(best[at - 1][:, None], size)
        came_from[at] = reach.argmax(axis=0)
        best[at] = reach.max(axis=0)
        if at < len(shares):
            best[at, count] = -np.inf  # only the last window ends with the data
    if not np.isfinite(best[-1, count]):
        return None
    path = [count]
    for at in range(len(shares), 1, -1):
        path.insert(0, int(came_from[at, path[0]]))
    held = int(purged[path[0]]) + sum(
        int(adjacent[end] - starts[start]) for start, end in pairwise(path)
    )
    if held < kept * len(moments):
        return None
    return [int(firsts[place]) for place in path[:-1]]


def _date(moment: int) -> str:
    return pd.Timestamp(int(moment), unit="us", tz="UTC").strftime("%Y-%m-%d")
