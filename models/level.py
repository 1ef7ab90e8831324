"""Level: how many leads are won drifts, so the calibration's level follows the newest wins."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from .bootstrap import Codes, finite
from .calibration import Calibration
from .log_odds import Floats, counted_rows, level_shift, row_losses

LEAST_WINS_OF_LEVEL = 10.0
"""Wins, and losses, that must remain in a memory's weights for a level to be read from them."""

CLEAR_EVIDENCE = 3.0
"""Nats (odds of 20 to 1) by which something must have foretold better than doing without it."""

_AS_IT_IS = Calibration(1.0, 0.0)
_LEAST_FOLDS = 3
_WIDEST = 2.0
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
    weight : float
        Of its level in the mean of all.
    """

    half_life: float
    log_loss: float
    weight: float

    def to_dict(self) -> dict[str, float | None]:
        """Return plain data for a JSON file; no half-life stands for all rows."""
        return {
            "half_life": finite(self.half_life),
            "log_loss": self.log_loss,
            "weight": self.weight,
        }


@dataclass(frozen=True)
class TrackedLevel:
    """A calibration whose level follows the newest known labels.

    Attributes
    ----------
    shape : Calibration
        Before it was set on a level.
    calibration : Calibration
        On the level that the newest rows had.
    half_life : float
        Of the memory that weighs most, in rows; infinite: all rows count alike.
    shift : float
        Log-odds that were added to the level of the fitted shape.
    spread : float
        How far levels went astray afterwards, as a standard deviation in log-odds; 0: no further
        than chance tells.
    tried : tuple of MemoryTrial
        Shortest memory first, all rows last; empty where the history is too short to judge.
    """

    shape: Calibration
    calibration: Calibration
    half_life: float
    shift: float
    spread: float
    tried: tuple[MemoryTrial, ...]

    def read_from(self, newest: "Labelled") -> "TrackedLevel":
        """Read the level anew from the rows of a model that is fitted in the same way.

        Parameters
        ----------
        newest : Labelled
            The rows that the model was fitted on, with its margins and weights.
        """
        shift = _History.of(newest, self.shape).mean_shift(self.tried)
        calibration = self.shape.shifted(shift).unsure(self.spread)
        return replace(self, calibration=calibration, shift=shift)

    def sentence(self) -> str:
        """Say what the level follows, and how sure of it the probabilities are."""
        if math.isinf(self.half_life):
            said = "The level is that of all labels"
        else:
            said = f"The level follows the newest labels, half after {self.half_life:,.0f} rows"
        if not self.spread:
            return f"{said}."
        return (
            f"{said}; levels went astray by {self.spread:.1f} log-odds afterwards, so "
            "probabilities are drawn towards a half."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file; no half-life stands for all rows."""
        return {
            "half_life": finite(self.half_life),
            "unit": "rows",
            "shift": self.shift,
            "spread": self.spread,
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
    that followed. The level is the mean over all memories, each weighing what that evidence says,
    and all rows alike more than any other from the start.

    The level will move on while the model is in use. How far levels had gone astray in the windows
    that followed is read from the same folds, and the probabilities are means over where the level
    may be by then; they stay as they are unless that is clearly better.

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
        Where all rows alike weigh all, the mean probability is the share of wins over all rows.

    References
    ----------
    Dawid (1984), Statistical theory: the prequential approach. Kass & Raftery (1995), Bayes
    factors; Hoeting, Madigan, Raftery & Volinsky (1999), Bayesian model averaging. Errors over
    folds would not serve here: one jump of the base rate makes them so large that no memory is ever
    clearly better.
    """
    pairs = [
        (_History.of(fit, calibration), _History.of(judge, calibration)) for fit, judge in folds
    ]
    trials = _tried(pairs)
    heaviest = max(trials, key=lambda trial: trial.weight, default=None)
    half_life = heaviest.half_life if heaviest else math.inf
    spread = _spread(pairs, trials)
    tracked = TrackedLevel(calibration, calibration, half_life, 0.0, spread, trials)
    return tracked.read_from(newest)


def foretold_losses(folds: Sequence[tuple[Labelled, Labelled]]) -> Floats:
    """Return how well margins would have foretold what followed, level and all.

    Parameters
    ----------
    folds : sequence of (Labelled, Labelled)
        As for ``retrained_level``.

    Returns
    -------
    array of shape (judged rows,)
        Log loss of each judged row, fold by fold, in nats, with the memories and the spread that
        ``retrained_level`` would take.
    """
    pairs = [(_History.of(fit, _AS_IT_IS), _History.of(judge, _AS_IT_IS)) for fit, judge in folds]
    trials = _tried(pairs)
    spread = _spread(pairs, trials)
    losses = []
    for (known, _), (_, judge) in zip(pairs, folds, strict=True):
        foretold = _AS_IT_IS.shifted(known.mean_shift(trials)).unsure(spread)
        losses.append(row_losses(foretold.log_odds(judge.margin), np.asarray(judge.label) > 0))
    return np.concatenate(losses)


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

    def mean_shift(self, trials: Sequence[MemoryTrial]) -> float:
        """Read the shift with each memory, and weigh them; with all rows, where none was tried."""
        if not trials:
            return self.shift(math.inf)
        return sum(trial.weight * self.shift(trial.half_life) for trial in trials)

    def losses(self, shift: float) -> Floats:
        """Return the log loss of each row on a shifted level."""
        return row_losses(self.log_odds + shift, self.won > 0.0)


def _tried(pairs: Sequence[tuple[_History, _History]]) -> tuple[MemoryTrial, ...]:
    """Judge each memory on the rows that followed; nothing where the history is too short."""
    pairs = [
        (known, following)
        for known, following in pairs
        if _scarcest(known.won, known.weight) >= 2.0 * LEAST_WINS_OF_LEVEL
    ]
    if len(pairs) < _LEAST_FOLDS:
        return ()
    weight = np.concatenate([following.weight for _, following in pairs])
    half_lives = _memories(pairs[-1][0])
    losses = np.array(
        [
            np.average(
                np.concatenate(
                    [following.losses(known.shift(half_life)) for known, following in pairs]
                ),
                weights=weight,
            )
            for half_life in half_lives
        ]
    )
    evidence = -_pieces(pairs) * losses
    evidence[-1] += CLEAR_EVIDENCE
    weights = softmax(evidence)
    return tuple(
        MemoryTrial(half_life, float(loss), float(weight))
        for half_life, loss, weight in zip(half_lives, losses, weights, strict=True)
    )


def _spread(pairs: Sequence[tuple[_History, _History]], trials: Sequence[MemoryTrial]) -> float:
    """Return the standard deviation of levels to come that foretells best; 0 unless clearly so."""
    if not trials:
        return 0.0
    log_odds = np.concatenate(
        [following.log_odds + known.mean_shift(trials) for known, following in pairs]
    )
    won = np.concatenate([following.won > 0.0 for _, following in pairs])
    weight = np.concatenate([following.weight for _, following in pairs])

    def loss(spread: float) -> float:
        factor = _AS_IT_IS.unsure(spread).slope
        return float(np.average(row_losses(factor * log_odds, won), weights=weight))

    found = minimize_scalar(loss, bounds=(0.0, _WIDEST), method="bounded", options={"xatol": 1e-4})
    enough = CLEAR_EVIDENCE / _pieces(pairs)
    return float(found.x) if loss(0.0) - float(found.fun) > enough else 0.0


def _pieces(pairs: Sequence[tuple[_History, _History]]) -> int:
    """Count the leads that judge: each is one piece of evidence."""
    return sum(len(np.unique(following.cluster)) for _, following in pairs)


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
