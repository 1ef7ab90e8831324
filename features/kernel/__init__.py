"""Point-in-time features as pure NumPy over time-sorted arrays."""

from .behaviour import Column, EventGroups
from .columns import added, behaviour_columns, group_columns, milestone_columns, sales_touches
from .timeline import MICROSECONDS_PER_DAY, Instants, Milestone, Timeline, by_lead_and_time

__all__ = [
    "MICROSECONDS_PER_DAY",
    "Column",
    "EventGroups",
    "Instants",
    "Milestone",
    "Timeline",
    "added",
    "behaviour_columns",
    "by_lead_and_time",
    "group_columns",
    "milestone_columns",
    "sales_touches",
]
