"""A feature, described for people and for the model."""

from dataclasses import dataclass
from typing import Literal

from .definition import FeatureKind

Family = Literal["fit", "engagement", "timing"]
Direction = Literal[-1, 0, 1]


@dataclass(frozen=True)
class Feature:
    """One feature, described for people and for the model.

    Attributes
    ----------
    name : str
        Column in the feature table: ``page_view_pricing_count_7d``.
    kind : {"numeric", "category"}
    family : {"fit", "engagement", "timing"}
        Who the lead is, what it does, or how long it has been one: a young lead that does
        nothing is not engaged, so its age counts towards neither floor.
    group : str
        Near-duplicates share it (counts of the same event over 7, 30 and 90 days) and are told as
        one reason.
    label : str
        Plain-language name in English: "Visits to the pricing page in the last 7 days"; other
        languages by ``wording.label``.
    unit : str
        "visits", "days", "people", or empty.
    direction : {-1, 0, 1}
        Expected effect of more of it on conversion; 0 where nothing is expected.
    statistic : str
        What is measured: ``count``, ``active_days``, ``days_since_last``, ``intensity``,
        ``account_events``, ``age``, ``profile`` (a column's own value), ``seniority`` (what is
        read from it), and so on.
    subject : str
        The event kind (empty: any), or the source column of a profile feature.
    lookback_days : int or None
        Window before ``as_of``; None for all time or where there is no window.
    table : str
        Of a profile feature: ``leads`` or ``accounts``.
    """

    name: str
    kind: FeatureKind
    family: Family
    group: str
    label: str
    unit: str
    direction: Direction
    statistic: str
    subject: str
    lookback_days: int | None = None
    table: str = ""
