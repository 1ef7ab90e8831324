"""Names of features in plain words."""

from leadlight.features.feature import Feature
from leadlight.features.vocabulary import humanised

from .event_texts import event_text, window_text
from .texts import Wording

_OF_EVENTS = {"active_days", "details", "value", "intensity", "trend"}
_WITH_WINDOW = {
    *("total", "count", "active_days", "details", "value", "funnel_depth", "sessions"),
    *("account_active_leads", "account_events"),
}


def label(feature: Feature, wording: Wording) -> str:
    """Return the plain-language name of a feature: "Visits to the pricing page in the last 7 days".

    Parameters
    ----------
    feature : Feature
    wording : Wording
    """
    if feature.group.startswith("profile:") and feature.subject:
        return _column_label(feature, wording)
    if feature.statistic == "email_rate":
        return wording.say(f"label.rate.{feature.subject}")
    named = _event_label(feature, wording)
    if feature.statistic not in _WITH_WINDOW:
        return named
    window = window_text(wording, feature.lookback_days)
    return wording.say("label.windowed", label=named, window=window)


def _event_label(feature: Feature, wording: Wording) -> str:
    statistic, kind = feature.statistic, feature.subject
    if statistic == "count":
        return event_text(wording, kind, "label")
    if statistic == "days_since_last":
        if not kind:
            return wording.say("label.since_any")
        return wording.say("label.since", last=event_text(wording, kind, "last"))
    if statistic in {"intensity", "trend"} and not kind:
        return wording.say(f"label.{statistic}_any")
    if statistic in _OF_EVENTS and kind:
        name = statistic if statistic in {"intensity", "trend"} else f"{statistic}_of"
        return wording.say(f"label.{name}", label=event_text(wording, kind, "label"))
    return wording.say(f"label.{statistic}")


def _column_label(feature: Feature, wording: Wording) -> str:
    """Name a profile column, or what is read from it."""
    for name in (f"reading.{feature.table}.{feature.statistic}", f"reading.{feature.statistic}"):
        if wording.has(name):
            return wording.say(name)
    return column_label(wording, feature.subject, feature.table)


def column_label(wording: Wording, column: str, table: str = "leads") -> str:
    """Name a column: by the user's own name, the catalog's, or its own as words.

    Parameters
    ----------
    wording : Wording
    column : str
    table : str
        ``leads`` or ``accounts``.
    """
    own = wording.own_labels.get(f"{table}.{column}") or wording.own_labels.get(column)
    if own:
        return own
    for name in (f"column.{table}.{column}", f"column.{column}"):
        if wording.has(name):
            return wording.say(name)
    return humanised(column)
