"""Numbers as people say them: rounded, with words for none, one and two."""

import math
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from .feature import Feature

_WHOLE_DAYS = frozenset({"days_since_last", "age", "days_since_sales_touch", "longest_gap"})
_ROUGH = frozenset(
    {
        "intensity",
        "views_per_session",
        "email_rate",
        "evening_share",
        "weekend_share",
        "value",
    }
)


def as_number(value: object) -> float | None:
    """Return the value as a float; None if it is missing or no number."""
    if value is None or not isinstance(value, SupportsFloat):
        return None
    number = float(value)
    return None if math.isnan(number) else number


def figure(number: float) -> str:
    """Whole numbers whole, others to three significant digits; thousands apart."""
    if number == round(number) and abs(number) < 1e15:
        return f"{number:,.0f}"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def percent(share: float) -> str:
    """Return a share as a whole percentage; a tiny one as "less than 1%"."""
    return "less than 1%" if 0 < share < 0.005 else f"{share:.0%}"


def times(number: float) -> str:
    """Return "once", "twice", "3 times"."""
    return {1.0: "once", 2.0: "twice"}.get(number, f"{figure(number)} times")


def counted(number: float, one: str, many: str) -> str:
    """Return "one deal", "3 deals"."""
    return f"one {one}" if number == 1 else f"{figure(number)} {many}"


def ago(days: float) -> str:
    """Whole days, rounded down: what happened 47 hours ago was a day ago."""
    whole = math.floor(days)
    if whole <= 0:
        return "less than a day ago"
    return "a day ago" if whole == 1 else f"{whole:,} days ago"


def as_spoken(feature: Feature, numbers: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Round a numeric feature's values to what its sentence tells of them.

    Values that round to the same number have the same sentence.

    Parameters
    ----------
    feature : Feature
    numbers : ndarray of float64
    """
    if feature.statistic in _WHOLE_DAYS:
        days: NDArray[np.floating[Any]] = np.floor(numbers)
        return days
    if feature.statistic == "trend":
        sign: NDArray[np.floating[Any]] = np.sign(numbers)
        return sign
    if feature.statistic in _ROUGH:
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = 10.0 ** (np.floor(np.log10(np.abs(numbers))) - 1)
            rounded: NDArray[np.floating[Any]] = np.round(numbers / scale) * scale
        return np.where(numbers == 0, 0.0, rounded)
    return numbers
