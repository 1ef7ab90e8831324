"""The grid of fit by engagement: volumes and conversion rates, A1 to D4, as marketers know it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .bootstrap import Codes, Estimate, clustered_share, lead_clusters
from .exploration import stands_for
from .grades import GRADES
from .policies import Floors
from .threshold import ThresholdChoice

LEVELS = tuple(zip("1234", (least for _, least in GRADES), strict=True))
"""Engagement from 1, the most active tenth, to 4; cut as the grades of fit are."""


@dataclass(frozen=True)
class GridCell:
    """Held-out leads of one grade of fit and one level of engagement.

    Attributes
    ----------
    fit : str
        A (best tenth), B (to the 70th percentile), C (to the 40th), D.
    engagement : str
        1 (best tenth) to 4, cut alike.
    rows : int
        Snapshots.
    share : float
        Of all snapshots.
    mqls : int
        Snapshots that are MQLs.
    won : Estimate
        Share won within the horizon, with its clustered 95 % interval; NaN in an empty cell.
    """

    fit: str
    engagement: str
    rows: int
    share: float
    mqls: int
    won: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return dict(vars(self)) | {"won": self.won.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "GridCell":
        """Read what ``to_dict`` wrote."""
        return cls(**{**data, "won": Estimate.from_dict(data["won"])})


def score_grid(
    held_out: pd.DataFrame, choice: ThresholdChoice, floors: Floors
) -> tuple[GridCell, ...]:
    """Count leads and conversions by grade of fit and level of engagement.

    Parameters
    ----------
    held_out : DataFrame of n rows
        As ``choose_threshold`` takes it.
    choice : ThresholdChoice
    floors : Floors

    Returns
    -------
    tuple of GridCell
        Sixteen, A1 first, by grade and then by level; none where a family has no percentile.
    """
    fit = held_out["fit_percentile"].to_numpy(dtype=np.float64)
    engagement = held_out["engagement_percentile"].to_numpy(dtype=np.float64)
    if np.isnan(fit).any() or np.isnan(engagement).any():
        return ()
    mql = (
        (held_out["probability"].to_numpy() >= choice.least(held_out))
        & (fit >= floors.fit)
        & (engagement >= floors.engagement)
    )
    won, codes = held_out["label"].to_numpy(dtype=bool), lead_clusters(held_out)
    weight = stands_for(held_out)
    row, column = _band(fit), _band(engagement)
    return tuple(
        _cell(grade, level, (row == at) & (column == beside), mql, won, codes, weight)
        for at, (grade, _) in enumerate(GRADES)
        for beside, (level, _) in enumerate(LEVELS)
    )


def _band(percentile: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return 0 for the best band, 3 for the last."""
    edges = np.array([least for _, least in reversed(GRADES)][1:])
    return len(edges) - np.searchsorted(edges, percentile, side="right")


def _cell(
    grade: str,
    level: str,
    inside: NDArray[np.bool_],
    mql: NDArray[np.bool_],
    won: NDArray[np.bool_],
    codes: Codes,
    weight: NDArray[np.float64],
) -> GridCell:
    return GridCell(
        fit=grade,
        engagement=level,
        rows=int(inside.sum()),
        share=float(inside.mean()),
        mqls=int(mql[inside].sum()),
        won=clustered_share(won[inside], codes[inside], weight[inside]),
    )
