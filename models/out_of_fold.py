"""Out-of-fold margins: what each candidate says of rows that it was not fitted on."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from leadlight.features.feature import Feature

from .bootstrap import Codes
from .candidates import CandidateName
from .encoding import FloatArray
from .fitting import margins_by_choice, side_by_side
from .laid_fold import LaidFold
from .lesson import Lesson, taken_rows
from .time_order import Rows

Choice = float | int
Done = Callable[[int, int], None]
"""Told how many fits are done, and of how many."""

ENOUGH_ROWS = 20_000
"""Rows that a fold's candidates learn from; more hardly change a choice."""


class FoldStore(Protocol):
    """Keeps finished folds, so that the same training again does not fit them again."""

    def recall(self, key: str) -> Mapping[str, FloatArray] | None:
        """Return what was kept under a key; None for nothing."""

    def keep(self, key: str, arrays: Mapping[str, FloatArray]) -> None:
        """Keep the arrays under a key."""


@dataclass(frozen=True, eq=False)
class Taught:
    """The rows that taught a fold's model, with the margins that it gives them.

    Attributes
    ----------
    places : ndarray of int
        Among the fold's fit rows.
    margins : mapping of choice to ndarray
    """

    places: Rows
    margins: Mapping[Choice, FloatArray]


@dataclass(frozen=True, eq=False)
class Trial:
    """A candidate's margins on all judged rows.

    Attributes
    ----------
    name : str
    margins : mapping of choice to ndarray, shape (judged rows,)
        At each choice of its setting.
    taught : tuple of Taught
        One for each fold.
    seconds : float
        Spent on fitting; as long as it took when a kept fold was made.
    """

    name: CandidateName
    margins: Mapping[Choice, FloatArray]
    taught: tuple[Taught, ...]
    seconds: float


@dataclass(frozen=True, eq=False)
class FoldTask:
    """One candidate to fit on one fold.

    Attributes
    ----------
    name : str
    fold : LaidFold
    weight : ndarray of float64
        Of the fold's fit rows.
    choices : tuple, optional
        Default: all that the candidate offers.
    columns : tuple of int, optional
        The features to learn from; default: all.
    bags : int
        At most; the final fit has more.
    most_rows : int
        Whole leads are taken at random where the fold has more.
    """

    name: CandidateName
    fold: LaidFold
    weight: FloatArray
    choices: tuple[Choice, ...] | None = None
    columns: tuple[int, ...] | None = None
    bags: int = 4
    most_rows: int = ENOUGH_ROWS


def out_of_fold(
    tasks: Sequence[FoldTask],
    features: Sequence[Feature],
    rows: Lesson,
    *,
    seed: int,
    store: FoldStore | None = None,
    done: Done | None = None,
) -> list[Trial]:
    """Fit each task's candidate, several at a time, and return its judged margins.

    Parameters
    ----------
    tasks : sequence of FoldTask
    features : sequence of Feature, k of them
    rows : Lesson of shape (n, k)
        All rows that folds take from.
    seed : int
    store : FoldStore, optional
    done : callable, optional

    Returns
    -------
    list of Trial
        In the order of the tasks.
    """
    base = _digest(features, rows, seed) if store else ""
    found: dict[int, Trial] = {}
    keys = [_key(base, task) for task in tasks] if store else [""] * len(tasks)
    for at, task in enumerate(tasks):
        kept = store.recall(keys[at]) if store else None
        if kept is not None:
            found[at] = _trial(task.name, kept)
    missing = [at for at in range(len(tasks)) if at not in found]
    fits = side_by_side(partial(_try, tasks[at], features, rows, seed) for at in missing)
    for at, trial in zip(missing, fits, strict=True):
        found[at] = trial
        if store:
            store.keep(keys[at], _arrays(trial))
        if done:
            done(len(found), len(tasks))
    return [found[at] for at in range(len(tasks))]


def joined(trials: Sequence[Trial]) -> Trial:
    """Join one candidate's trials of several folds, in their order."""
    first = trials[0]
    return Trial(
        first.name,
        {
            choice: np.concatenate([trial.margins[choice] for trial in trials])
            for choice in first.margins
        },
        tuple(taught for trial in trials for taught in trial.taught),
        sum(trial.seconds for trial in trials),
    )


def _try(task: FoldTask, features: Sequence[Feature], rows: Lesson, seed: int) -> Trial:
    started = time.perf_counter()
    places = _thinned(rows.cluster[task.fold.fit], task.most_rows, seed)
    fit = task.fold.fit[places]
    shown = taken_rows(rows.matrix, np.concatenate([fit, task.fold.judge]))
    if task.columns is not None:
        features = [features[at] for at in task.columns]
        shown = np.asfortranarray(shown[:, task.columns])
    taught = len(fit)
    margins = margins_by_choice(
        task.name,
        features,
        Lesson(shown[:taught], task.fold.won[places], task.weight[places], rows.cluster[fit]),
        shown,
        seed=seed,
        choices=task.choices,
        most_bags=task.bags,
    )
    return Trial(
        task.name,
        {choice: margin[taught:] for choice, margin in margins.items()},
        (Taught(places, {choice: margin[:taught] for choice, margin in margins.items()}),),
        time.perf_counter() - started,
    )


def _thinned(cluster: Codes, most: int, seed: int) -> Rows:
    """Take whole leads (accounts) at random where there are more rows than are needed."""
    if len(cluster) <= most:
        return np.arange(len(cluster))
    drawn = np.random.default_rng(seed).random(int(cluster.max()) + 1)
    return np.flatnonzero(drawn[cluster] < most / len(cluster))


def _digest(features: Sequence[Feature], rows: Lesson, seed: int) -> str:
    """Return a name for all that the fits depend on but the task."""
    digest = hashlib.sha256(repr((tuple(features), seed)).encode())
    for array in (rows.matrix, rows.won, rows.weight, rows.cluster):
        digest.update(np.ascontiguousarray(array.T).data)
    return digest.hexdigest()


def _key(base: str, task: FoldTask) -> str:
    digest = hashlib.sha256(
        f"{base} {task.name} {task.choices} {task.columns} {task.bags} {task.most_rows}".encode()
    )
    for array in (task.fold.fit, task.fold.won, task.fold.judge, task.weight):
        digest.update(array.tobytes())
    return digest.hexdigest()[:32]


def _arrays(trial: Trial) -> dict[str, FloatArray]:
    (taught,) = trial.taught
    return {
        "choices": np.array(list(trial.margins), dtype=np.float64),
        "margins": np.stack(list(trial.margins.values())),
        "places": taught.places.astype(np.float64),
        "taught": np.stack(list(taught.margins.values())),
        "seconds": np.array(trial.seconds),
    }


def _trial(name: CandidateName, arrays: Mapping[str, FloatArray]) -> Trial:
    choices = [int(c) if name != "logistic" else float(c) for c in arrays["choices"]]
    margins = dict(zip(choices, arrays["margins"], strict=True))
    taught = dict(zip(choices, arrays["taught"], strict=True))
    places = arrays["places"].astype(np.intp)
    return Trial(name, margins, (Taught(places, taught),), float(arrays["seconds"]))
