"""Level: how many leads are won drifts, so the calibration's level follows the newest wins."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_expit

from .bootstrap import clustered_mean, finite
from .calibration import Calibration, Floats, counted_rows, level_shift

LEAST_WINS_OF_LEVEL = 10.0
"""Wins, and losses, that must remain in a memory's weights for a level to be read from them."""

_BLOCKS = 20
_LEAST_BLOCKS = 5
# Weights of rows ten half-lives back are a thousandth: left out.
_HALF_LIVES = 10


@dataclass(frozen=True)
class MemoryTrial:
    """How well levels of one memory would have foretold the blocks that followed.

    Attributes
    ----------
    half_life : float
        Rows after which a row counts half; infinite: all rows count alike.
    log_loss : float
        In nats, over all judged blocks.
    """

    half_life: float
    log_loss: float

    def to_dict(self) -> dict[str, float | None]:
        """Return plain data for a JSON file; no half-life stands for all rows."""
        return {"half_life": finite(self.half_life), "log_loss": self.log_loss}


@dataclass(frozen=True)
class TrackedLevel:
    """A calibration whose level follows the newest known labels.

    Attributes
    ----------
    calibration : Calibration
        Unchanged where no memory foretold clearly better than all rows did.
    half_life : float
        Of the chosen memory, in rows; infinite: all rows count alike.
    shift : float
        Log-odds that were added to the level of all rows.
    tried : tuple of MemoryTrial
        Shortest memory first, all rows last; empty where the history is too short to judge.
    """

    calibration: Calibration
    half_life: float
    shift: float
    tried: tuple[MemoryTrial, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file; no half-life stands for all rows."""
        return {
            "half_life": finite(self.half_life),
            "unit": "rows",
            "shift": self.shift,
            "tried": [trial.to_dict() for trial in self.tried],
        }


def tracked_level(
    margin: ArrayLike,
    label: ArrayLike,
    moment: ArrayLike,
    calibration: Calibration,
    *,
    gap: float,
    weight: ArrayLike | None = None,
) -> TrackedLevel:
    """Let the level follow the newest labels, with the memory that would have foretold best.

    The rows are walked in time, block by block. For each block and each memory the level is read
    from the rows whose labels were known when the block began, newest rows most, and judged by log
    loss on the block. The best memory serves if it beats "all rows alike" by more than one
    standard error over blocks; if not, nothing is changed.

    Parameters
    ----------
    margin : array of shape (n,)
        Log-odds of rows by models that were not fitted on them.
    label : array of shape (n,)
        Whether the lead was won within the horizon.
    moment : array of shape (n,)
        Place of each row in time, any unit.
    calibration : Calibration
        Fitted on these rows; only its level changes.
    gap : float
        In the unit of ``moment``: how much later than its row a label is known.
    weight : array of shape (n,), optional
        How many rows each counts for, at least 0.

    References
    ----------
    Dawid (1984), Statistical theory: the prequential approach.
    """
    history = _History.of(margin, label, moment, calibration, weight)
    trials, half_life = _best_memory(history, gap)
    shift = history.shift(len(history.won), half_life) if math.isfinite(half_life) else 0.0
    return TrackedLevel(calibration.shifted(shift), half_life, shift, trials)


def recent_level(
    margin: ArrayLike,
    label: ArrayLike,
    moment: ArrayLike,
    calibration: Calibration,
    *,
    half_life: float,
    weight: ArrayLike | None = None,
) -> Calibration:
    """Set the level so that the newest rows' mean probability is their share of wins.

    Parameters
    ----------
    margin, label, moment, weight : array of shape (n,)
        As in ``tracked_level``.
    calibration : Calibration
    half_life : float
        Rows after which a row counts half; infinite: all rows count alike. Where that leaves fewer
        than ``LEAST_WINS_OF_LEVEL`` wins or losses, all rows count alike.
    """
    history = _History.of(margin, label, moment, calibration, weight)
    return calibration.shifted(history.shift(len(history.won), half_life))


@dataclass(frozen=True, eq=False)
class _History:
    """Rows in the order of time, with the log-odds that they were promised."""

    moment: Floats
    log_odds: Floats
    won: Floats
    weight: Floats

    @classmethod
    def of(
        cls,
        margin: ArrayLike,
        label: ArrayLike,
        moment: ArrayLike,
        calibration: Calibration,
        weight: ArrayLike | None,
    ) -> "_History":
        at, _, _ = counted_rows(moment, label, weight)
        values, won, rows_of = counted_rows(margin, label, weight)
        order = np.argsort(at, kind="stable")
        log_odds = calibration.log_odds(values[order])
        return cls(at[order], log_odds, won[order], rows_of[order])

    def shift(self, known: int, half_life: float) -> float:
        """Read the shift of the level from the first ``known`` rows; nothing from one label only.

        Rows of one moment are equally old.
        """
        first = 0
        faded = self.weight[:known]
        if math.isfinite(half_life):
            first = max(0, known - int(_HALF_LIVES * half_life))
            later = np.searchsorted(self.moment[:known], self.moment[first:known], side="right")
            faded = faded[first:] * 0.5 ** ((known - later) / half_life)
        won = self.won[first:known]
        wins = float(faded @ won)
        scarcest = min(wins, float(faded.sum()) - wins)
        if math.isfinite(half_life) and scarcest < LEAST_WINS_OF_LEVEL:
            return self.shift(known, math.inf)
        return level_shift(self.log_odds[first:known], won, faded) if scarcest > 0.0 else 0.0

    def losses(self, start: int, end: int, shift: float) -> Floats:
        log_odds = self.log_odds[start:end] + shift
        won = self.won[start:end] > 0.0
        return np.asarray(-log_expit(np.where(won, log_odds, -log_odds)), dtype=np.float64)

    def blocks(self, gap: float) -> list[tuple[int, int, int]]:
        """Return (rows known before it, first row, row after the last) of each block to judge."""
        rows = len(self.won)
        wanted = np.arange(1, _BLOCKS) * rows // _BLOCKS
        starts = np.unique(np.searchsorted(self.moment, self.moment[wanted], side="left"))
        known = np.searchsorted(self.moment, self.moment[starts] - gap, side="right")
        wins = np.concatenate([[0.0], np.cumsum(self.weight * self.won)])[known]
        total = np.concatenate([[0.0], np.cumsum(self.weight)])[known]
        enough = np.minimum(wins, total - wins) >= 2.0 * LEAST_WINS_OF_LEVEL
        cut = [*starts.tolist(), rows]
        return [
            (int(seen), first, end)
            for seen, (first, end), judged in zip(known, pairwise(cut), enough, strict=True)
            if judged
        ]

    def memories(self) -> list[float]:
        """Return half-lives in rows, doubling from one that holds just enough wins; all rows last."""
        rate = float(np.average(self.won, weights=self.weight))
        half_lives = []
        half_life = math.ceil(LEAST_WINS_OF_LEVEL / min(rate, 1.0 - rate))
        while half_life < len(self.won) / 2:
            half_lives.append(float(half_life))
            half_life *= 2
        return [*half_lives, math.inf]


def _best_memory(history: _History, gap: float) -> tuple[tuple[MemoryTrial, ...], float]:
    blocks = history.blocks(gap) if len(history.won) else []
    if len(blocks) < _LEAST_BLOCKS:
        return (), math.inf
    block_of = np.repeat(np.arange(len(blocks)), [end - first for _, first, end in blocks])
    weight = np.concatenate([history.weight[first:end] for _, first, end in blocks])
    losses = {
        half_life: np.concatenate(
            [
                history.losses(first, end, history.shift(known, half_life))
                for known, first, end in blocks
            ]
        )
        for half_life in history.memories()
    }
    trials = tuple(
        MemoryTrial(half_life, float(np.average(loss, weights=weight)))
        for half_life, loss in losses.items()
    )
    best = min(trials, key=lambda trial: trial.log_loss).half_life
    gain, error = clustered_mean(losses[math.inf] - losses[best], block_of, weight)
    return trials, best if gain > error else math.inf
