"""From the timeline of whole accounts to the columns of their snapshots."""

from collections.abc import Iterator, Sequence

import numpy as np

from leadlight.features.definition import FeatureDefinition
from leadlight.features.feature import Feature
from leadlight.features.funnel import is_sales_touch

from .account import account_facts, buying_group
from .behaviour import Column, EventGroups, Measure, behaviour, windows
from .history import lead_history
from .pairs import visible_pairs
from .timeline import Instants, Timeline

PAIRS_IN_MEMORY = 400_000

_TOP = "account_top_seniority"
_BUYING_GROUP = frozenset({"account_active_leads", "account_events", _TOP})
_FACTS = frozenset({"account_earlier_leads", "account_wins", "account_losses"})
_HISTORY = frozenset(
    {"earlier_mqls", "earlier_rejections", "times_recycled", "days_since_sales_touch"}
)


def behaviour_columns(
    groups: EventGroups,
    snapshots: Instants,
    features: Sequence[Feature],
    *,
    pairs_in_memory: int = PAIRS_IN_MEMORY,
) -> dict[str, Column]:
    """Compute the features of what the leads did themselves.

    Parameters
    ----------
    groups : EventGroups
        Events of whole leads, as ``by_lead_and_time`` orders them; those of leads without a
        snapshot are ignored.
    snapshots : Instants
    features : sequence of Feature
        Of any family; those that are not computed here are passed over.
    pairs_in_memory : int
        Pairs of snapshot and event held at once (one snapshot is never split).

    Returns
    -------
    dict of str to ndarray, shape (n_snapshots,)
        By the feature's name, rows in the order of ``snapshots``.
    """
    definition = groups.definition
    if not definition.event_kinds:
        return {}
    names = _names(features)
    columns: dict[str, Column] = {}
    lookbacks = windows(definition)
    cells = (len(definition.event_kinds) + 2) * (len(lookbacks) + 1)
    for pairs in visible_pairs(
        groups.events, snapshots, lookbacks, limit=pairs_in_memory, cells=cells
    ):
        for measure, values in behaviour(pairs, groups):
            name = names.get(measure)
            if name is None:
                continue
            if name not in columns:
                columns[name] = np.empty(len(snapshots), values.dtype)
            columns[name][pairs.rows] = values
    return columns


def group_columns(
    events: Timeline, milestones: Timeline, snapshots: Instants, features: Sequence[Feature]
) -> dict[str, Column]:
    """Compute the features of what the other leads of the account did.

    Parameters
    ----------
    events : Timeline
        Of whole leads, not necessarily all of an account (see ``added``), as
        ``by_lead_and_time`` orders them.
    milestones : Timeline
    snapshots : Instants
        Of leads in or out of the timeline.
    features : sequence of Feature

    Returns
    -------
    dict of str to ndarray, shape (n_snapshots,)
        ``account_top_seniority`` as a rank, -1 for none.
    """
    names = _names(features, _BUYING_GROUP)
    if not names:
        return {}
    return {
        names[measure]: values
        for measure, values in buying_group(events, milestones, snapshots)
        if measure in names
    }


def added(columns: dict[str, Column], more: dict[str, Column]) -> dict[str, Column]:
    """Join what two parts of the accounts' leads did, as ``group_columns`` returns it.

    What the leads of an account do adds up, so that even the largest account needs memory for one
    part of it only.
    """
    if not columns:
        return more
    joined: dict[str, Column] = {}
    for name, values in more.items():
        join = np.maximum if name == _TOP else np.add
        joined[name] = join(columns[name], values)
    return joined


def milestone_columns(
    timeline: Timeline,
    snapshots: Instants,
    definition: FeatureDefinition,
    features: Sequence[Feature],
) -> dict[str, Column]:
    """Compute the features of the account's deals and of the lead's own earlier way.

    Parameters
    ----------
    timeline : Timeline
        Of whole accounts; of the events, only contacts with sales matter.
    snapshots : Instants
    definition : FeatureDefinition
    features : sequence of Feature

    Returns
    -------
    dict of str to ndarray, shape (n_snapshots,)
    """
    names = _names(features, _FACTS | _HISTORY)
    if not names:
        return {}
    return {
        names[measure]: values
        for measure, values in _milestone_measures(timeline, snapshots, definition)
        if measure in names
    }


def sales_touches(definition: FeatureDefinition) -> tuple[int, ...]:
    """Return the codes of the kinds of event that are contacts with sales."""
    kinds = enumerate(definition.event_kinds)
    return tuple(code for code, kind in kinds if is_sales_touch(kind))


def _milestone_measures(
    timeline: Timeline, snapshots: Instants, definition: FeatureDefinition
) -> Iterator[tuple[Measure, Column]]:
    yield from account_facts(timeline, snapshots)
    yield from lead_history(timeline, snapshots, sales_touches(definition))


def _names(
    features: Sequence[Feature], statistics: frozenset[str] | None = None
) -> dict[Measure, str]:
    return {
        (feature.statistic, feature.subject, feature.lookback_days): feature.name
        for feature in features
        if statistics is None or feature.statistic in statistics
    }
