"""Recency: how fast what was learned grows old, chosen by how well it foresaw later windows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .encoding import FloatArray
from .time_order import DAY, TimeOrder

_SHARES = (1 / 3, 1 / 10)
"""Half-lives to try, as shares of the history."""

_LEAST_WINS = 100.0
"""Wins that a decayed history must be worth, or it is not tried."""


@dataclass(frozen=True)
class Recency:
    """How the weight of a row falls with its age.

    Attributes
    ----------
    half_life : float or None
        In which a row's weight halves; None: all rows count alike.
    unit : {"days", "rows"}
    log_loss : mapping of (float or None) to float
        Half-life tried -> mean log loss on later windows, in nats.
    """

    half_life: float | None
    unit: str
    log_loss: Mapping[float | None, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        tried = [{"half_life": key, "log_loss": loss} for key, loss in self.log_loss.items()]
        return {"half_life": self.half_life, "unit": self.unit, "tried": tried}


def half_lives(order: TimeOrder, won: FloatArray) -> tuple[float, ...]:
    """Return the half-lives worth trying, longest first, in days (or rows, without dates).

    Parameters
    ----------
    order : TimeOrder
    won : ndarray, shape (n,)
        Labels as 0 and 1.
    """
    if order.kind == "random":
        return ()
    span = float(np.ptp(order.moment)) / _unit(order)
    tried = (round(span * share, 1) for share in _SHARES)
    return tuple(
        half_life
        for half_life in tried
        if half_life > 0 and _effective_wins(decayed(order, half_life), won) >= _LEAST_WINS
    )


def decayed(order: TimeOrder, half_life: float | None) -> FloatArray:
    """Return the weight of each row, 1 for the newest.

    Parameters
    ----------
    order : TimeOrder
        Of the rows to learn from.
    half_life : float or None
        In days (or rows, without dates).
    """
    if half_life is None:
        return np.ones(len(order.moment))
    age = (order.moment.max() - order.moment) / _unit(order)
    return np.asarray(np.exp2(-age / half_life), dtype=np.float64)


def unit_of(order: TimeOrder) -> str:
    """Return what half-lives of this order are counted in."""
    return "days" if order.kind == "as_of" else "rows"


def _unit(order: TimeOrder) -> int:
    return DAY if order.kind == "as_of" else 1


def _effective_wins(weight: FloatArray, won: FloatArray) -> float:
    """How many equally weighted wins the weighted ones are worth (Kish 1965)."""
    wins = weight * won
    squares = float(wins @ wins)
    return float(wins.sum()) ** 2 / squares if squares else 0.0
