"""A figure with its interval, as the report's plain data has it."""

from collections.abc import Mapping
from typing import Any, TypedDict

from .formats import number


class Interval(TypedDict):
    """A figure with its 95 % interval; None where it is unknown."""

    value: float | None
    low: float | None
    high: float | None


def interval_of(estimate: Mapping[str, Any] | None, value: float | None = None) -> Interval:
    """Read an estimate, or a bare value where there is none.

    Parameters
    ----------
    estimate : mapping or None
        ``{value, low, high}``.
    value : float, optional
    """
    known = estimate or {"value": value, "low": None, "high": None}
    return Interval(
        value=number(known["value"]), low=number(known["low"]), high=number(known["high"])
    )
