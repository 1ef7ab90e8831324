"""Selection: later rows judge what earlier rows taught, once they had become known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlight.features.errors import NotEnoughDataError, TooEarlyError

from .bootstrap import lead_clusters
from .time_order import DAY, Rows, TimeOrder, window_starts

LEAST_WINS = 20
"""Wins (and losses) below which nothing can be learned and checked."""

_CROSS_FITTED = 5


@dataclass(frozen=True, eq=False)
class Windows:
    """The last window, and all that was known before it; positions in the frame.

    Attributes
    ----------
    train : ndarray of int
        Every row whose outcome was known before the test window begins.
    before_test : ndarray of int
        Every row that lies before it: also those whose horizon had not ended yet.
    test_start : int
        The first moment of the test window, as in ``TimeOrder``.
    test : ndarray of int
        Looked at once, at the end.
    description : tuple of str
        Sentences: how they were split, dates and counts.
    """

    train: Rows
    before_test: Rows
    test_start: int
    test: Rows
    description: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows that teach, and rows that judge: positions in the frame."""

    fit: Rows
    judge: Rows


@dataclass(frozen=True)
class Folds:
    """How a model's choices are judged; no row is judged twice.

    Attributes
    ----------
    folds : tuple of Fold
        In the order of time, unless cross-fitted.
    description : tuple of str
        Which step of the ladder was taken, dates and counts.
    rolling : bool
        Whether each judging window is later than what taught; if not, leads were left out in turn.
    """

    folds: tuple[Fold, ...]
    description: tuple[str, ...]
    rolling: bool

    @property
    def judged(self) -> Rows:
        """All judged rows, fold by fold."""
        return np.concatenate([fold.judge for fold in self.folds])


@dataclass(frozen=True)
class _Step:
    """A step of the ladder: shares of the windows, wins (and losses) in each, rows in all."""

    shares: tuple[float, ...]
    least: int
    kept: float
    sentence: str = ""


_TEST = (_Step((0.80, 0.20), 50, 0.5), _Step((0.75, 0.25), 5, 0.0))
_ROLLING = (
    _Step((0.40, 0.20, 0.20, 0.20), 50, 0.5, "in three windows, one after the other"),
    _Step(
        (0.50, 0.25, 0.25),
        40,
        0.5,
        "in two windows, one after the other, because the history is too short for three",
    ),
    _Step(
        (0.70, 0.30), 30, 0.5, "in one window, because the history is too short for more than one"
    ),
)


def split_windows(
    frame: pd.DataFrame, order: TimeOrder, *, test_start: int | None = None
) -> Windows:
    """Set the last window apart, and keep what was known before it.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        With lead_id, account_id, label (none missing).
    order : TimeOrder
    test_start : int, optional
        Moment at which the last window begins; default: it holds about a fifth of the rows.

    Raises
    ------
    NotEnoughDataError
        There are no rows, no wins, or fewer than 20 losses.
    TooEarlyError
        There are fewer than 20 wins, or no boundary leaves enough wins and losses on either side.
    """
    won = frame["label"].to_numpy(dtype=bool)
    check_labels(won)
    first = _test_start(order, won) if test_start is None else test_start
    train, test = order.known_before(first), order.between(first)
    description = (
        f"The last window is looked at once, at the end{_DRAWN[order.kind]}.",
        _described("Train", train, order, won),
        _described("Test", test, order, won),
        *_gap_sentence(order),
    )
    before = np.flatnonzero(order.moment < first)
    return Windows(train, before, first, test, description)


def unseen_start(frame: pd.DataFrame, order: TimeOrder, known_until: int) -> int | None:
    """Return where a last window begins that a model made at a moment has not seen.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        With lead_id, account_id, label (none missing).
    order : TimeOrder
    known_until : int
        Moment up to which labels were known to the model that is to be judged.

    Returns
    -------
    int or None
        None where fewer than 20 wins, or losses, have become known of rows since then, or nothing
        was known before it.

    Raises
    ------
    NotEnoughDataError
        As ``split_windows``.
    """
    won = frame["label"].to_numpy(dtype=bool)
    check_labels(won)
    usual = _test_start(order, won)
    if usual >= known_until:
        return usual
    later = order.between(known_until)
    if min(won[later].sum(), (~won[later]).sum()) < LEAST_WINS:
        return None
    return int(order.moment[later].min())


def _test_start(order: TimeOrder, won: npt.NDArray[np.bool_]) -> int:
    for step in _TEST:
        starts = window_starts(order, won, step.shares, least=step.least, kept=step.kept)
        if starts is not None:
            return starts[0]
    raise TooEarlyError(
        f"{len(won):,} mature snapshots with {int(won.sum()):,} wins{_span(order)} cannot be "
        f"split into an earlier and a later part{_apart(order)} with at least "
        f"{_TEST[-1].least} wins and {_TEST[-1].least} losses in each.",
        hint="Give a longer history of outcomes, or set a shorter label.horizon_days.",
    )


def rolling_folds(frame: pd.DataFrame, order: TimeOrder, *, seed: int) -> Folds:
    """Return pairs of what was known then and a later window that judges it.

    Short histories walk down a ladder: three rolling windows, two, one; at last leads are left out
    in turn.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Known rows: lead_id, account_id, label.
    order : TimeOrder
        Of the same rows.
    seed : int
        For leaving out leads at random.
    """
    won = frame["label"].to_numpy(dtype=bool)
    for step in _ROLLING:
        starts = window_starts(order, won, step.shares, least=step.least, kept=step.kept)
        if starts is None:
            continue
        folds = tuple(
            Fold(order.known_before(first), order.between(first, end))
            for first, end in zip(starts, [*starts[1:], None], strict=True)
        )
        described = [_described(f"Judged {n}", f.judge, order, won) for n, f in _numbered(folds)]
        judged = f"Choices are judged {step.sentence}; each by what was known before it."
        return Folds(folds, (judged, *described), order.kind != "random")
    sentence = (
        "Choices are judged on leads left out in turn (five folds), because the history is too "
        "short to be judged by later windows."
    )
    return Folds(lead_folds(frame, seed=seed), (sentence,), rolling=False)


def check_labels(won: npt.NDArray[np.bool_]) -> None:
    """Refuse labels that nothing can be learned from.

    Raises
    ------
    NotEnoughDataError
        No rows, no win at all, only wins, or fewer than 20 losses.
    TooEarlyError
        Fewer than 20 wins.
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
        refused = TooEarlyError if wins < LEAST_WINS else NotEnoughDataError
        raise refused(
            f"only {min(wins, rows - wins)} {scarce} among {rows:,} mature snapshots; "
            f"at least {LEAST_WINS} are needed.",
            hint="Give a longer history of outcomes, or set a longer label.horizon_days.",
        )


def lead_folds(frame: pd.DataFrame, *, seed: int) -> tuple[Fold, ...]:
    """Return five folds that leave out whole accounts, leads with wins evenly spread.

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
    fold_of[winners_first] = np.arange(len(wins)) % _CROSS_FITTED
    fold = fold_of[cluster]
    return tuple(
        Fold(np.flatnonzero(fold != at), np.flatnonzero(fold == at)) for at in range(_CROSS_FITTED)
    )


_DRAWN = {
    "as_of": "",
    "position": "; the order is that of the rows",
    "random": "; leads are drawn at random (the data has neither dates nor an order, so the test "
    "cannot show how the model ages)",
}


def _gap_sentence(order: TimeOrder) -> tuple[str, ...]:
    if order.kind != "as_of":
        return ()
    return (
        f"Whatever judges begins {order.gap // DAY} days or more after the last snapshot that "
        "taught, so that no label looks into a later window.",
    )


def _numbered(folds: tuple[Fold, ...]) -> enumerate[Fold]:
    return enumerate(folds, start=1)


def _described(name: str, rows: Rows, order: TimeOrder, won: npt.NDArray[np.bool_]) -> str:
    wins = int(won[rows].sum())
    counts = f"{len(rows):,} snapshots, {wins:,} won ({wins / len(rows):.1%})"
    return f"{name}: {order.described(rows)}{counts}."


def _span(order: TimeOrder) -> str:
    if order.kind != "as_of":
        return ""
    first, last = order.described(np.arange(len(order.moment))).removesuffix(", ").split(" to ")
    return f" from {first} to {last}"


def _apart(order: TimeOrder) -> str:
    return f" {order.gap // DAY} days (one horizon) apart" if order.kind == "as_of" else ""
