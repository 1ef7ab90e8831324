"""Challenge: champion and challenger on the same later window, and which leads would change place.

Both models are judged on the same rows and the same draws of the bootstrap, so that what makes a
window easy or hard for both cancels out.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .bootstrap import (
    Codes,
    Estimate,
    Floats,
    cluster_codes,
    percentile_interval,
    resampled_weights,
)
from .evaluation import Evaluation, evaluate
from .ranking import FIGURES, rank_leads

COMPARED = ("log_loss", "auc", "lift_at_10", "ece", "calibration_slope")
MOST_MOVES = 20

_RESAMPLES = 400


@dataclass(frozen=True)
class Comparison:
    """Two models on one window that neither has seen.

    Attributes
    ----------
    champion, challenger : Evaluation
    differences : mapping of str to Estimate
        Challenger minus champion for each of ``COMPARED``; paired 95 % intervals, clustered.
    """

    champion: Evaluation
    challenger: Evaluation
    differences: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {
            "champion": self.champion.to_dict(),
            "challenger": self.challenger.to_dict(),
            "differences": {name: each.to_dict() for name, each in self.differences.items()},
        }


def compare_models(
    champion: ArrayLike,
    challenger: ArrayLike,
    label: ArrayLike,
    codes: Codes,
    *,
    seed: int,
    stands_for: Floats | None = None,
) -> Comparison:
    """Compare two models' probabilities on the same rows.

    Parameters
    ----------
    champion, challenger : array of shape (n,)
        Calibrated probability of a win within the horizon.
    label : array of shape (n,)
    codes : array of shape (n,)
        Lead or account of each row, numbered from 0.
    seed : int
        Of the bootstrap.
    stands_for : array of shape (n,), optional
        How many rows each stands for; those that stand for none judge nothing.

    Raises
    ------
    NotEnoughDataError
        There are no rows.
    """
    won = np.asarray(label, dtype=bool)
    before, after = (np.asarray(each, dtype=np.float64) for each in (champion, challenger))
    weight = np.ones(len(won)) if stands_for is None else stands_for
    counts = weight > 0.0
    before, after, won, weight = before[counts], after[counts], won[counts], weight[counts]
    codes = cluster_codes(codes[counts], len(won))
    evaluations = [
        evaluate(each, won, codes, seed=seed, stands_for=weight) for each in (before, after)
    ]
    first, second = (_figures(each, won, codes, weight, seed) for each in (before, after))
    gap = second - first
    places = [(name, FIGURES.index(name)) for name in COMPARED]
    differences = {
        name: percentile_interval(float(gap[place, 0]), gap[place, 1:]) for name, place in places
    }
    return Comparison(evaluations[0], evaluations[1], differences)


def _figures(probability: Floats, won: Any, codes: Codes, weight: Floats, seed: int) -> Floats:
    """Return the figures of all rows, then those of each resample, shape (figures, 1 + draws)."""
    ranked = rank_leads(probability, won, codes, weight)
    whole = ranked.figures(np.ones((1, len(won))))
    # The draws depend on the seed and the number of clusters alone: both models get the same.
    blocks = resampled_weights(ranked.codes, resamples=_RESAMPLES, seed=seed)
    return np.concatenate([whole, *(ranked.figures(weights) for weights in blocks)], axis=1)


@dataclass(frozen=True)
class RankMove:
    """A lead that would change its place.

    Attributes
    ----------
    lead_id : str
    before, after : float
        Share of today's leads that are less likely to convert, by the champion and by the
        challenger (0 to 1).
    mql_before, mql_after : bool
    reasons_before, reasons_after : tuple of str
        What each of them says for the lead where it puts it higher, against it where lower.
    """

    lead_id: str
    before: float
    after: float
    mql_before: bool
    mql_after: bool
    reasons_before: tuple[str, ...]
    reasons_after: tuple[str, ...]


@dataclass(frozen=True)
class MqlChange:
    """What a change of champion would do to today's leads.

    Attributes
    ----------
    leads : int
        That both decide on.
    mqls_before, mqls_after : int
    gained, lost : int
        Leads that would become MQL, and that would be it no more.
    moves : tuple of RankMove
        The twenty largest, by how far the lead moves among all.
    """

    leads: int
    mqls_before: int
    mqls_after: int
    gained: int
    lost: int
    moves: tuple[RankMove, ...]

    @property
    def overlap(self) -> float | None:
        """Share of the leads that are MQL by either that are MQL by both; None without any."""
        either = self.mqls_before + self.gained
        return (self.mqls_before - self.lost) / either if either else None

    @property
    def share(self) -> float | None:
        """Change of the number of MQLs over the champion's number; None where it has none."""
        if not self.mqls_before:
            return None
        return (self.mqls_after - self.mqls_before) / self.mqls_before

    def sentence(self) -> str:
        """Say how many leads would gain and lose MQL."""
        return (
            f"{self.gained:,} {'lead' if self.gained == 1 else 'leads'} would gain MQL, "
            f"{self.lost:,} would lose it "
            f"({self.mqls_before:,} MQLs before, {self.mqls_after:,} after)."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {**asdict(self), "overlap": self.overlap, "share": self.share}


def mql_change(champion: pd.DataFrame, challenger: pd.DataFrame) -> MqlChange:
    """Tell which leads change place when the challenger decides in place of the champion.

    Parameters
    ----------
    champion, challenger : DataFrame
        What ``DecisionVersion.decide`` gives for the same moment; leads that only one of them
        decides on are left out.
    """
    both = champion.merge(challenger, on="lead_id", suffixes=("_before", "_after"))
    before, after = both["mql_before"].to_numpy(bool), both["mql_after"].to_numpy(bool)
    ranks = {side: _place(both[f"probability_{side}"]) for side in ("before", "after")}
    distance = np.abs(ranks["after"] - ranks["before"])
    largest = np.lexsort((both["lead_id"].to_numpy(), -distance))[:MOST_MOVES]
    return MqlChange(
        leads=len(both),
        mqls_before=int(before.sum()),
        mqls_after=int(after.sum()),
        gained=int((after & ~before).sum()),
        lost=int((before & ~after).sum()),
        moves=tuple(
            _move(both.iloc[at], float(ranks["before"][at]), float(ranks["after"][at]))
            for at in largest.tolist()
            if distance[at] > 0.0
        ),
    )


def _place(probability: "pd.Series[float]") -> Floats:
    """Return the share of leads strictly below each."""
    ranks = probability.rank(method="min").to_numpy(dtype=np.float64)
    return (ranks - 1.0) / max(1, len(ranks))


def _move(row: "pd.Series[Any]", before: float, after: float) -> RankMove:
    rises = after > before
    sides = ("against", "for") if rises else ("for", "against")
    return RankMove(
        str(row["lead_id"]),
        before,
        after,
        bool(row["mql_before"]),
        bool(row["mql_after"]),
        tuple(row[f"reasons_{sides[0]}_before"]),
        tuple(row[f"reasons_{sides[1]}_after"]),
    )
