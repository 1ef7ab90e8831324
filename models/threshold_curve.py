"""The curve of thresholds: what each would bring, thinned to what a chart and a table can show."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .bootstrap import Floats, finite
from .promotions import Volumes

_CURVE_POINTS = 200
_OPTIONAL = frozenset({"mqls_per_week", "profit_per_week"})


@dataclass(frozen=True)
class ThresholdPoint:
    """What one threshold would bring; precision and recall as in ``ThresholdChoice``.

    Attributes
    ----------
    profit_per_week : float or None
        Only where the policy is profit, and with dates.
    """

    threshold: float
    share: float
    mqls_per_week: float | None
    precision: float
    recall: float
    lift: float
    profit_per_week: float | None = None

    def with_profit(self, win_value: float, touch_cost: float) -> "ThresholdPoint":
        """Return the point with what its new MQLs of a week bring."""
        if self.mqls_per_week is None or not math.isfinite(self.precision):
            return self
        profit = self.mqls_per_week * (win_value * self.precision - touch_cost)
        return replace(self, profit_per_week=profit)

    def to_dict(self) -> dict[str, float | None]:
        """Return plain data for a JSON file: null where a figure has no meaning."""
        return {key: None if value is None else finite(value) for key, value in vars(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ThresholdPoint":
        """Read what ``to_dict`` wrote."""
        return cls(
            **{
                key: math.nan if value is None and key not in _OPTIONAL else value
                for key, value in data.items()
            }
        )


def point_at(volumes: Volumes, at: int) -> ThresholdPoint:
    """Return one point of the volumes."""
    return ThresholdPoint(
        threshold=float(volumes.threshold[at]),
        share=float(volumes.share[at]),
        mqls_per_week=None if volumes.weekly is None else float(volumes.weekly[at]),
        precision=float(volumes.precision[at]),
        recall=float(volumes.recall[at]),
        lift=float(volumes.lift[at]),
    )


def thinned_curve(volumes: Volumes, chosen: int) -> tuple[ThresholdPoint, ...]:
    """Return at most 200 points by rising threshold, the chosen one among them."""
    return tuple(point_at(volumes, at) for at in _shown(volumes.share, chosen))


def _shown(share: Floats, chosen: int) -> list[int]:
    """Pick the points to keep: even steps of the share, and finer ones where it is small."""
    if len(share) <= _CURVE_POINTS:
        return list(range(len(share)))
    half = _CURVE_POINTS // 2
    smallest = max(float(share[-1]), 1e-6)
    wanted = np.concatenate(
        [np.linspace(0.0, share[0], half), np.geomspace(smallest, share[0], half - 1)]
    )
    falling = share[::-1]
    at = len(share) - 1 - np.minimum(np.searchsorted(falling, wanted), len(share) - 1)
    return sorted({*at.tolist(), chosen})
