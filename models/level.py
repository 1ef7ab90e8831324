"""Level: how many leads are won drifts, so the calibration's level follows the newest wins."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .bootstrap import Codes, finite
from .calibration import Calibration
from .log_odds import Floats, counted_rows, level_shift, row_losses

LEAST_WINS_OF_LEVEL = 10.0
"""Wins, and losses, that must remain in a memory's weights for a level to be read from them."""

CLEAR_EVIDENCE = 3.0
"""Nats (odds of 20 to 1) by which a memory must have foretold better than any longer one."""

_LEAST_FOLDS = 3
# Weights of rows ten half-lives back are a thousandth: left out.
_HALF_LIVES = 10


@dataclass(frozen=True)
class MemoryTrial:
    """How well levels of one memory would have foretold the rows that followed.

    Attributes
    ----------
    half_life : float
        Rows after which a row counts half; infinite: all rows count alike.
    log_loss : float
        In nats, over the judged rows of all folds.
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
        On the level that the newest rows had, with the chosen memory.
    half_life : float
        Of the chosen memory, in rows; infinite: all rows count alike.
    shift : float
        Log-odds that were added to the level of the fitted shape.
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


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows whose labels are known, with their margins.

    Attributes
    ----------
    margin : array of shape (n,)
        Log-odds of one model.
    label : array of shape (n,)
        Whether the lead was won within the horizon.
    moment : array of shape (n,)
        Place of each row in time, any unit.
    weight : array of shape (n,) or None
        How many rows each counts for, at least 0; None: each counts once.
    cluster : array of int, shape (n,)
        Lead or account of each row, whose repeated snapshots are one piece of evidence.
    """

    margin: ArrayLike
    label: ArrayLike
    moment: ArrayLike
    weight: ArrayLike | None
    cluster: Codes


def retrained_level(
    folds: Sequence[tuple[Labelled, Labelled]], newest: Labelled, calibration: Calibration
) -> TrackedLevel:
    """Set the level of a newly fitted model from its newest rows, as served best in earlier folds.

    A model that is fitted anew has taken in the newest wins already, so that what earlier models
    promised says nothing of its level. It is read from the model's own rows: unlike a slope, a mean
    can hardly be overfitted by a model that has an intercept. For each fold and each memory the
    level is read from the rows that taught, newest rows most, and judged by log loss on the rows
    that followed. The longest memory that no shorter one beats by clear evidence serves.

    Parameters
    ----------
    folds : sequence of (Labelled, Labelled)
        Per fold, in time: the rows that its model was fitted on (with the weights it was fitted
        with) and the later rows that judge it, all with margins of this fold's model. No row is
        judged in two folds.
    newest : Labelled
        The rows that the final model was fitted on, with its margins and weights.
    calibration : Calibration
        Its shape is kept.

    Returns
    -------
    TrackedLevel
        With ``half_life`` infinite, the mean probability is the share of wins over all rows.

    References
    ----------
    Dawid (1984), Statistical theory: the prequential approach. Kass & Raftery (1995), Bayes
    factors. Errors over folds would not serve here: one jump of the base rate makes them so large
    that no memory is ever clearly better.
    """
    pairs = [
        (_History.of(fit, calibration), _History.of(judge, calibration)) for fit, judge in folds
    ]
    trials, half_life = _best_memory(pairs)
    shift = _History.of(newest, calibration).shift(half_life)
    return TrackedLevel(calibration.shifted(shift), half_life, shift, trials)


@dataclass(frozen=True, eq=False)
class _History:
    """Rows in the order of time, with the log-odds that they were promised."""

    moment: Floats
    log_odds: Floats
    won: Floats
    weight: Floats
    cluster: Floats

    @classmethod
    def of(cls, rows: Labelled, calibration: Calibration) -> "_History":
        at, _, _ = counted_rows(rows.moment, rows.label, rows.weight)
        values, won, rows_of = counted_rows(rows.margin, rows.label, rows.weight)
        cluster, _, _ = counted_rows(rows.cluster, rows.label, rows.weight)
        order = np.argsort(at, kind="stable")
        log_odds = calibration.log_odds(values[order])
        return cls(at[order], log_odds, won[order], rows_of[order], cluster[order])

    def since(self, first: int) -> "_History":
        return _History(
            self.moment[first:],
            self.log_odds[first:],
            self.won[first:],
            self.weight[first:],
            self.cluster[first:],
        )

    def shift(self, half_life: float) -> float:
        """Read the shift of the level, newest rows most; none from rows of one label only.

        Rows of one moment are equally old. A memory that holds too few wins gives way to all rows.
        """
        if math.isinf(half_life) or not len(self.won):
            recent, faded = self, self.weight
        else:
            oldest = self.moment[max(0, len(self.won) - int(_HALF_LIVES * half_life) - 1)]
            first = int(np.searchsorted(self.moment, oldest, side="left"))
            recent = self.since(first)
            later = len(recent.won) - np.searchsorted(recent.moment, recent.moment, side="right")
            faded = recent.weight * 0.5 ** (later / half_life)
        if _scarcest(recent.won, faded) >= LEAST_WINS_OF_LEVEL:
            return level_shift(recent.log_odds, recent.won, faded)
        return self.shift(math.inf) if math.isfinite(half_life) else 0.0

    def losses(self, shift: float) -> Floats:
        """Return the log loss of each row on a shifted level."""
        return row_losses(self.log_odds + shift, self.won > 0.0)


def _best_memory(
    pairs: Sequence[tuple[_History, _History]],
) -> tuple[tuple[MemoryTrial, ...], float]:
    """Judge each memory on the rows that followed; the longest not clearly beaten serves."""
    pairs = [
        (known, following)
        for known, following in pairs
        if _scarcest(known.won, known.weight) >= 2.0 * LEAST_WINS_OF_LEVEL
    ]
    if len(pairs) < _LEAST_FOLDS:
        return (), math.inf
    losses = {
        half_life: np.concatenate(
            [following.losses(known.shift(half_life)) for known, following in pairs]
        )
        for half_life in _memories(pairs[-1][0])
    }
    weight = np.concatenate([following.weight for _, following in pairs])
    trials = tuple(
        MemoryTrial(half_life, float(np.average(loss, weights=weight)))
        for half_life, loss in losses.items()
    )
    lowest = min(trial.log_loss for trial in trials)
    evidence = sum(len(np.unique(following.cluster)) for _, following in pairs)
    enough = lowest + CLEAR_EVIDENCE / evidence
    return trials, next(each.half_life for each in reversed(trials) if each.log_loss <= enough)


def _memories(known: _History) -> list[float]:
    """Return half-lives in rows, doubling from one that holds just enough wins; all rows last."""
    rate = float(np.average(known.won, weights=known.weight))
    half_lives = []
    half_life = math.ceil(LEAST_WINS_OF_LEVEL / min(rate, 1.0 - rate))
    while half_life < len(known.won) / 2:
        half_lives.append(float(half_life))
        half_life *= 2
    return [*half_lives, math.inf]


def _scarcest(won: Floats, weight: Floats) -> float:
    wins = float(np.sum(weight * won))
    return min(wins, float(weight.sum()) - wins)
