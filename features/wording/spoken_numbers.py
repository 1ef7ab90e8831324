"""Numbers as a sentence tells them."""

import math
from datetime import datetime, timedelta
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from leadlight.features.feature import Feature

from .texts import Wording

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


def ago(wording: Wording, days: float, as_of: datetime | None) -> str:
    """Say how long ago something was, and on which day (UTC) where it is known when "now" is.

    Whole days, rounded down: what happened 47 hours ago was a day ago.
    """
    told = wording.say("ago", max(math.floor(days), 0))
    if as_of is None:
        return told
    return wording.say("ago_dated", ago=told, date=day_before(wording, days, as_of))


def day_before(wording: Wording, days: float, as_of: datetime) -> str:
    """Write the day (UTC) that lies so many days before an instant."""
    return wording.day(as_of - timedelta(days=days))


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
