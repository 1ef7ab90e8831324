"""The lead's earlier way: handed to sales, rejected, recycled, spoken to."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .behaviour import Column, Measure
from .order import Ordered, first_at_or_after
from .timeline import MICROSECONDS_PER_DAY, Floats, Instants, Milestone, Timeline


def lead_history(
    timeline: Timeline, snapshots: Instants, touches: tuple[int, ...]
) -> Iterator[tuple[Measure, Column]]:
    """Yield what had become of the lead before each snapshot, shape (n_snapshots,).

    Parameters
    ----------
    timeline : Timeline
    snapshots : Instants
    touches : tuple of int
        Codes of the kinds of event that are contacts with sales.
    """
    for statistic, which in (
        ("earlier_mqls", (Milestone.ACCEPTED, Milestone.REJECTED)),
        ("earlier_rejections", (Milestone.REJECTED,)),
        ("times_recycled", (Milestone.LOST,)),
    ):
        happened = timeline.milestones(*which)
        known = Ordered.of(happened.lead, happened.known_at)
        count = known.before(snapshots.lead, snapshots.as_of)
        yield (statistic, "", None), count.astype(np.int32)
    yield ("days_since_sales_touch", "", None), _since_touch(timeline, snapshots, touches)


def _since_touch(timeline: Timeline, snapshots: Instants, touches: tuple[int, ...]) -> Floats:
    """Days since the newest contact that was known, NaN if there was none."""
    of_sales = np.isin(timeline.kind, (*touches, Milestone.SALES_TOUCH))
    touch = timeline.taken(of_sales)
    touch = touch.taken(np.lexsort((touch.known_at, touch.lead)))
    newest = pd.Series(touch.occurred_at).groupby(touch.lead).cummax().to_numpy()
    first, beyond = Ordered(touch.lead, touch.known_at).stretch(snapshots.lead)
    after = first_at_or_after(touch.known_at, first, beyond, snapshots.as_of)
    days = np.full(len(snapshots), np.nan)
    some = after > first
    days[some] = (snapshots.as_of[some] - newest[after[some] - 1]) / MICROSECONDS_PER_DAY
    return days
