"""Replay steps: at which moments of history a replay retrains, and what each step is called."""

import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from leadlight.features.errors import ConfigError, NotEnoughDataError

from .time_order import TimeOrder

_EVERY = re.compile(r"([1-9]\d*)\s*([mwd]|rows?)")
_NEWEST = 0.3
_MOST_STEPS = 240


@dataclass(frozen=True)
class Every:
    """How far steps lie apart: ``1m``, ``2w``, ``10d``, ``500 rows``.

    Attributes
    ----------
    count : int
    unit : {"m", "w", "d", "row"}
        Calendar months, weeks, days; or rows, in a table without dates.
    """

    count: int
    unit: str

    @classmethod
    def read(cls, text: str) -> "Every":
        """Read ``1m``, ``2w``, ``10d`` or ``500 rows``.

        Raises
        ------
        ConfigError
            It is none of them.
        """
        found = _EVERY.fullmatch(text.strip().lower())
        if not found:
            raise ConfigError(
                f"--every: '{text}' is not a distance between steps",
                hint="Write it like 1m (months), 2w (weeks), 10d (days) or '500 rows'.",
            )
        return cls(int(found[1]), found[2].removesuffix("s"))


def replay_edges(
    order: TimeOrder,
    *,
    begin: datetime | int | None,
    end: datetime | int | None,
    every: Every | None,
    steps: int | None,
) -> tuple[list[int], list[str]]:
    """Return the moments between which steps lie, and the steps' names.

    Parameters
    ----------
    order : TimeOrder
    begin, end : datetime (UTC) or int, optional
        Where the replay begins and ends: a time, or a row (from 0). Default: the newest 30 % of
        rows, to the last.
    every : Every, optional
        Default: a month; a tenth of the way in a table without dates.
    steps : int, optional
        In place of ``every``: so many steps of equal length.

    Raises
    ------
    ConfigError
        Rows have no order, a distance does not fit the table, or there would be too many steps.
    NotEnoughDataError
        The replay would end before it begins.
    """
    _require_fitting(order, begin, end, every)
    first = _moment(begin, _usual_start(order))
    last = _moment(end, int(order.moment.max()) + 1)
    if first >= last:
        raise NotEnoughDataError(
            "the replay would end before it begins: of that time, no outcome is known yet.",
            hint="Give an earlier --from; snapshots younger than the horizon cannot be judged.",
        )
    dated = order.kind == "as_of"
    if steps is not None or (every is None and not dated):
        edges = np.unique(np.linspace(first, last, (steps or 10) + 1).astype(np.int64)).tolist()
    elif dated:
        edges = _calendar(first, last, every or Every(1, "m"))
    else:
        edges = [*range(first, last, every.count if every else 1), last]
    if len(edges) - 1 > _MOST_STEPS:
        raise ConfigError(
            f"that would be {len(edges) - 1:,} retrainings; at most {_MOST_STEPS} are replayed",
            hint="Give a longer --every.",
        )
    names = [_stamp(edge).strftime("%Y-%m-%d") if dated else f"row {edge:,}" for edge in edges]
    return edges, names[:-1]


def _require_fitting(
    order: TimeOrder, begin: datetime | int | None, end: datetime | int | None, every: Every | None
) -> None:
    if order.kind == "random":
        raise ConfigError(
            "the rows have no order in time, so there is no history to replay",
            hint="Name the column that orders them: sources.leads.order_by",
        )
    by_rows = order.kind == "position"
    told = {"--from": begin, "--to": end}
    for option, value in told.items():
        if value is not None and isinstance(value, int) != by_rows:
            raise ConfigError(
                f"{option} is {value}, and the rows of this project "
                f"{'have an order and no dates' if by_rows else 'have dates'}",
                hint="Give the number of a row." if by_rows else "Give a date like 2025-01-31.",
            )
    if every is not None and (every.unit == "row") != by_rows:
        raise ConfigError(
            "--every asks for a calendar, and the rows have no dates"
            if by_rows
            else "--every asks for rows, and the rows have dates",
            hint="Write --every '500 rows', or --steps 10." if by_rows else "Write --every 1m.",
        )


def _usual_start(order: TimeOrder) -> int:
    ordered = np.sort(order.moment)
    return int(ordered[int(len(ordered) * (1 - _NEWEST))])


def _moment(given: datetime | int | None, usual: int) -> int:
    if given is None:
        return usual
    if isinstance(given, int):
        return given
    return _microseconds(pd.Timestamp(given))


def _microseconds(stamp: pd.Timestamp) -> int:
    return int(stamp.as_unit("us").to_datetime64().astype(np.int64))


def _stamp(moment: int) -> pd.Timestamp:
    return pd.Timestamp(moment, unit="us", tz="UTC")


def _calendar(first: int, last: int, every: Every) -> list[int]:
    """Step from the first moment as a calendar does: the 31st is followed by a month's last day."""
    begin, edges = _stamp(first), [first]
    while edges[-1] < last and len(edges) <= _MOST_STEPS + 1:
        count = every.count * len(edges)
        step = {
            "m": pd.DateOffset(months=count),
            "w": pd.DateOffset(weeks=count),
            "d": pd.DateOffset(days=count),
        }[every.unit]
        edges.append(min(last, _microseconds(begin + step)))
    return edges
