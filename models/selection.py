"""Selection windows: later rows judge what earlier rows taught, with a gap of one horizon."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlight.features.errors import NotEnoughDataError

from .bootstrap import lead_clusters

Rows = npt.NDArray[np.intp]

LEAST_WINS = 20
"""Wins (and losses) below which nothing can be learned and checked."""

_DAY = 86_400_000_000  # microseconds
_BOUNDARIES = 80  # a multiple of 20, so that shares in steps of 5 % are met exactly
_FOLDS = 5


@dataclass(frozen=True)
class Windows:
    """Which rows teach and which rows judge; each an array of positions in the frame.

    Attributes
    ----------
    fit : ndarray of int
        Candidates learn here.
    select : ndarray of int
        The candidate and its settings are chosen here; empty where the history is too short, and
        the choice is made by cross-fitting inside ``fit``.
    calibrate : ndarray of int
        The map from margin to probability is learned here, by a model fitted on ``fit`` and
        ``select``; empty where ``select`` (or the cross-fitted margins) must serve for it too.
    test : ndarray of int
        Looked at once, at the end.
    train : ndarray of int
        What the chosen candidate is fitted on in the end: every row whose outcome was known before
        the test window begins.
    description : tuple of str
        Sentences: which step of the ladder was taken, and each window's dates and counts.
    time_ordered : bool
        False where the rows have neither dates nor order, and leads were drawn at random.
    """

    fit: Rows
    select: Rows
    calibrate: Rows
    test: Rows
    train: Rows
    description: tuple[str, ...]
    time_ordered: bool


@dataclass(frozen=True)
class _Step:
    """A step of the ladder.

    The share of each window, its least number of wins and losses, and the least share of all rows
    that the windows hold together: the gaps between them must not eat up a short history.
    """

    shares: tuple[float, ...]
    least: int
    kept: float
    sentence: str


_LADDER = (
    _Step(
        (0.50, 0.15, 0.15, 0.20),
        50,
        0.5,
        "Four windows{order}: one to fit, one to choose the model, one to calibrate, one to test.",
    ),
    _Step(
        (0.60, 0.20, 0.20),
        30,
        0.5,
        "Three windows{order}, because the history is too short for four: one to fit, one to "
        "choose the model and to calibrate it, one to test.",
    ),
    _Step(
        (0.75, 0.25),
        5,
        0.0,
        "Two windows{order}, because the history is too short for three: one to fit, in which the "
        "model is chosen and calibrated on leads left out in turn (five folds), and one to test.",
    ),
)
_NAMES = {
    4: ("fit", "select", "calibrate", "test"),
    3: ("fit", "select", "test"),
    2: ("fit", "test"),
}


@dataclass(frozen=True)
class _Order:
    """The rows' place in time: ``moment`` and the distance that later windows keep."""

    moment: npt.NDArray[np.int64]
    gap: int
    kind: str  # "as_of", "position" or "random"


def split_windows(frame: pd.DataFrame, *, horizon_days: int, seed: int) -> Windows:
    """Split labelled snapshots into windows, each later than the one before.

    With ``as_of``, a row belongs to an earlier window only if its horizon ends before the next
    window begins, so that no label looks into a later window; rows in between are left out. With
    ``position`` alone, the order is that of the rows. With neither, whole accounts (leads where
    there are none) are drawn at random. Boundaries are placed so that the smallest window,
    measured by its intended share, is as large as it can be.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        With lead_id, account_id, as_of (UTC, or all missing), label (no missing), position.
    horizon_days : int
        Days after as_of within which a win counts.
    seed : int
        For the random draw, where there is no order.

    Raises
    ------
    NotEnoughDataError
        There are no rows, no or fewer than 20 wins or losses, or no boundary leaves enough of both
        on either side.
    """
    won = frame["label"].to_numpy(dtype=bool)
    check_labels(won)
    order = _order(frame, horizon_days, seed)
    for step in _LADDER:
        boundaries = _boundaries(order, won, step)
        if boundaries is not None:
            return _windows(order, won, step, boundaries, horizon_days)
    raise NotEnoughDataError(
        f"{len(won):,} mature snapshots with {int(won.sum()):,} wins{_span(order)} cannot be split "
        f"into an earlier and a later part{_apart(order, horizon_days)} with at least "
        f"{_LADDER[-1].least} wins and {_LADDER[-1].least} losses in each.",
        hint="Give a longer history of outcomes, or set a shorter label.horizon_days.",
    )


def check_labels(won: npt.NDArray[np.bool_]) -> None:
    """Refuse labels that nothing can be learned from.

    Raises
    ------
    NotEnoughDataError
        No rows, only one label, or fewer than 20 of one.
    """
    rows, wins = len(won), int(won.sum())
    if rows == 0:
        raise NotEnoughDataError(
            "there is no mature snapshot: no lead's horizon has ended within the data.",
            hint="Set a shorter label.horizon_days, or give outcomes of a longer period.",
        )
    if wins == 0:
        raise NotEnoughDataError(
            f"none of the {rows:,} mature snapshots has a win.",
            hint="Check sources.outcomes.won (or the label's values), and that the outcomes' "
            "lead ids are those of the leads.",
        )
    if wins == rows:
        raise NotEnoughDataError(
            f"all {rows:,} mature snapshots are wins, so there is nothing to tell apart.",
            hint="Check sources.outcomes.won (or the label's values), and that leads without a "
            "win are in the data.",
        )
    if min(wins, rows - wins) < LEAST_WINS:
        scarce = "wins" if wins < LEAST_WINS else "snapshots without a win"
        raise NotEnoughDataError(
            f"only {min(wins, rows - wins)} {scarce} among {rows:,} mature snapshots; "
            f"at least {LEAST_WINS} are needed.",
            hint="Give a longer history of outcomes, or set a longer label.horizon_days.",
        )


def lead_folds(frame: pd.DataFrame, *, seed: int) -> list[tuple[Rows, Rows]]:
    """Return five (fit, judge) pairs that leave out whole accounts, leads with wins evenly spread.

    Parameters
    ----------
    frame : DataFrame with lead_id, account_id, label
    seed : int
    """
    cluster = lead_clusters(frame)
    wins = np.bincount(cluster, weights=frame["label"].to_numpy(dtype=bool))
    shuffled = np.random.default_rng(seed).permutation(len(wins))
    winners_first = shuffled[np.argsort(wins[shuffled] == 0, kind="stable")]
    fold_of = np.empty(len(wins), dtype=np.intp)
    fold_of[winners_first] = np.arange(len(wins)) % _FOLDS
    fold = fold_of[cluster]
    return [(np.flatnonzero(fold != at), np.flatnonzero(fold == at)) for at in range(_FOLDS)]


def _order(frame: pd.DataFrame, horizon_days: int, seed: int) -> _Order:
    if frame["as_of"].notna().all():
        stamps = pd.to_datetime(frame["as_of"], utc=True).dt.as_unit("us")
        return _Order(stamps.to_numpy(dtype=np.int64), horizon_days * _DAY, "as_of")
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
        return _Order(np.asarray(places, dtype=np.int64), 1, "position")
    cluster = lead_clusters(frame)
    drawn = np.random.default_rng(seed).permutation(int(cluster.max()) + 1)
    return _Order(drawn[cluster].astype(np.int64), 1, "random")


def _boundaries(order: _Order, won: npt.NDArray[np.bool_], step: _Step) -> list[int] | None:
    """Return the first moment of each later window, or None where too few wins would be left."""
    sequence = np.argsort(order.moment, kind="stable")
    moments = order.moment[sequence]
    wins_before = np.concatenate([[0], np.cumsum(won[sequence])])
    firsts = np.unique(moments)
    if len(firsts) > _BOUNDARIES:
        places = np.arange(_BOUNDARIES) * len(moments) // _BOUNDARIES
        firsts = np.unique(moments[places])
    starts = np.searchsorted(moments, firsts, side="left")
    ends = np.searchsorted(moments, firsts - order.gap, side="right")
    starts, ends = np.append(starts, 0), np.append(ends, len(moments))
    count = len(firsts)
    # A path through the boundaries, window by window: the best smallest window so far.
    best = np.full((len(step.shares) + 1, count + 1), -np.inf)
    came_from = np.zeros((len(step.shares) + 1, count + 1), dtype=np.intp)
    best[0, count] = np.inf  # the first window starts at row 0
    for at, share in enumerate(step.shares, start=1):
        rows = ends[None, :] - starts[:, None]
        wins = wins_before[ends][None, :] - wins_before[starts][:, None]
        size = np.where((wins >= step.least) & (rows - wins >= step.least), rows / share, -np.inf)
        reach = np.minimum(best[at - 1][:, None], size)
        came_from[at] = reach.argmax(axis=0)
        best[at] = reach.max(axis=0)
        if at < len(step.shares):
            best[at, count] = -np.inf  # only the last window ends with the data
    if not np.isfinite(best[-1, count]):
        return None
    path = [int(came_from[-1, count])]
    for at in range(len(step.shares) - 1, 0, -1):
        path.insert(0, int(came_from[at, path[0]]))
    kept = sum(int(ends[end] - starts[start]) for start, end in pairwise([*path, count]))
    if kept < step.kept * len(moments):
        return None
    return [int(firsts[place]) for place in path[1:]]


def _windows(
    order: _Order,
    won: npt.NDArray[np.bool_],
    step: _Step,
    boundaries: list[int],
    horizon_days: int,
) -> Windows:
    edges = [int(order.moment.min()), *boundaries]
    rows = [
        np.flatnonzero((order.moment >= first) & (order.moment + order.gap <= following))
        for first, following in zip(edges, boundaries, strict=False)
    ]
    rows.append(np.flatnonzero(order.moment >= boundaries[-1]))
    named = dict(zip(_NAMES[len(rows)], rows, strict=True))
    none = np.empty(0, dtype=np.intp)
    train = np.flatnonzero(order.moment + order.gap <= boundaries[-1])
    described = [step.sentence.format(order=_ORDERS[order.kind])]
    if order.kind == "as_of":
        described.append(
            f"Each window begins {horizon_days} days or more after the last snapshot of the one "
            "before it, so that no label looks into a later window."
        )
    described += [_described(name, at, order, won) for name, at in named.items()]
    described.append(
        f"The final model is fitted on all {len(train):,} snapshots whose outcome was known before "
        "the test window."
    )
    return Windows(
        fit=named["fit"],
        select=named.get("select", none),
        calibrate=named.get("calibrate", none),
        test=named["test"],
        train=train,
        description=tuple(described),
        time_ordered=order.kind != "random",
    )


_ORDERS = {
    "as_of": " in the order of time",
    "position": " in the order of the rows",
    "random": " of leads drawn at random (the data has neither dates nor an order, so the test "
    "cannot show how the model ages)",
}


def _described(name: str, rows: Rows, order: _Order, won: npt.NDArray[np.bool_]) -> str:
    wins = int(won[rows].sum())
    counts = f"{len(rows):,} snapshots, {wins:,} won ({wins / len(rows):.1%})"
    moments = order.moment[rows]
    if order.kind == "as_of":
        return f"{name.capitalize()}: {_date(moments.min())} to {_date(moments.max())}, {counts}."
    if order.kind == "position":
        return (
            f"{name.capitalize()}: rows {moments.min() + 1:,} to {moments.max() + 1:,}, {counts}."
        )
    return f"{name.capitalize()}: {counts}."


def _date(moment: int) -> str:
    return pd.Timestamp(int(moment), unit="us", tz="UTC").strftime("%Y-%m-%d")


def _span(order: _Order) -> str:
    if order.kind != "as_of":
        return ""
    return f" from {_date(order.moment.min())} to {_date(order.moment.max())}"


def _apart(order: _Order, horizon_days: int) -> str:
    return f" {horizon_days} days (one horizon) apart" if order.kind == "as_of" else ""
