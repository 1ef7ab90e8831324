"""One training and its peer, plain boosted trees, each told with its time; run apart."""

import hashlib
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits
from train_snapshots import HORIZON_DAYS, Shape

from leadlight.features.errors import NoSignalError, NotEnoughDataError
from leadlight.models.encoding import LeadEncoder, feature_kinds
from leadlight.models.selection import split_windows
from leadlight.models.time_order import time_order
from leadlight.models.training import train_model
from leadlight.models.training_rows import Watch
from leadlight.pipelines.fold_store import kept_folds


@dataclass(frozen=True)
class Spent:
    """What work took.

    Attributes
    ----------
    seconds : float
        By the clock.
    processor : float
        Seconds of processor time, of all processes and threads.
    started, ended : float
        Seconds on ``time.monotonic``, the clock that all processes share.
    """

    seconds: float
    processor: float
    started: float
    ended: float


@dataclass(frozen=True)
class Trained:
    """A training that ended.

    Attributes
    ----------
    spent : Spent
        Without reading the file.
    auc : float
        On the last window; NaN where there was no model.
    failure : str
        Why there was no model; empty where there is one.
    probabilities : str
        Hash of those on the last window.
    """

    spent: Spent
    auc: float
    failure: str = ""
    probabilities: str = ""


@dataclass(frozen=True)
class PlainFit:
    """A fit of plain boosted trees; ``threads`` as for ``run_plain``."""

    threads: int | None
    spent: Spent


def run_training(path: Path, shape: Shape, folds: Path, seed: int) -> Trained:
    """Train as ``leadlight train`` does once the frame is there."""
    frame = pd.read_parquet(path)
    clock = _Clock()
    try:
        with kept_folds(folds) as store:
            result = train_model(
                frame,
                shape.features,
                horizon_days=HORIZON_DAYS,
                seed=seed,
                watch=Watch(store=store),
            )
    except (NoSignalError, NotEnoughDataError) as error:
        return Trained(clock.spent(), float("nan"), str(error))
    spent = clock.spent()
    told = result.held_out["probability"].to_numpy().tobytes()
    return Trained(
        spent, result.evaluation.auc.value, probabilities=hashlib.sha256(told).hexdigest()
    )


def run_plain(
    path: Path, shape: Shape, threads: int | None, repeats: int, seed: int
) -> tuple[PlainFit, ...]:
    """Fit plain boosted trees on all rows, already encoded, several times.

    Parameters
    ----------
    path : Path
    shape : Shape
    threads : int or None
        None: as many as scikit-learn takes by itself.
    repeats : int
    seed : int
    """
    matrix, won = _encoded(pd.read_parquet(path), shape)
    return tuple(
        PlainFit(threads, _timed(lambda: _plain(matrix, won, seed), threads))
        for _ in range(repeats)
    )


def plain_auc(path: Path, shape: Shape, seed: int) -> float:
    """Return the AUC on the last window of plain boosted trees that learned what was known."""
    frame = pd.read_parquet(path)
    windows = split_windows(frame, time_order(frame, horizon_days=HORIZON_DAYS, seed=seed))
    matrix, won = _encoded(frame, shape)
    model = _plain(matrix[windows.train], won[windows.train], seed)
    told = model.predict_proba(matrix[windows.test])[:, 1]
    return float(roc_auc_score(won[windows.test], told))


def _encoded(frame: pd.DataFrame, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    names = tuple(feature.name for feature in shape.features)
    matrix = LeadEncoder(names, feature_kinds(shape.features)).fit_transform(frame)
    return matrix, frame["label"].to_numpy(dtype=bool)


def _plain(matrix: np.ndarray, won: np.ndarray, seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(random_state=seed).fit(matrix, won)


def _timed(work: Callable[[], object], threads: int | None) -> Spent:
    with threadpool_limits(limits=threads) if threads else nullcontext():
        clock = _Clock()
        work()
        return clock.spent()


class _Clock:
    """Wall and processor time from its making on."""

    def __init__(self) -> None:
        self._processor = _processor_seconds()
        self._started = time.monotonic()

    def spent(self) -> Spent:
        ended = time.monotonic()
        processor = _processor_seconds() - self._processor
        return Spent(ended - self._started, processor, self._started, ended)


def _processor_seconds() -> float:
    """Return the processor time of this process, its ended children and those still alive."""
    process = psutil.Process()
    return sum(sum(each.cpu_times()[:4]) for each in (process, *process.children(recursive=True)))
