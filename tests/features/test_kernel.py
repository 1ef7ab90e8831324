"""The kernel alone: visibility, windows, days, order, chunks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition
from leadlight.features.kernel import (
    MICROSECONDS_PER_DAY,
    Column,
    EventGroups,
    Instants,
    Timeline,
    added,
    behaviour_columns,
    by_lead_and_time,
    group_columns,
)

DAY = MICROSECONDS_PER_DAY
DEFINITION = FeatureDefinition(
    lookback_days=(7, 30),
    event_kinds=("page_view", "email_click"),
    page_rules=(),
    active_days_of=("page_view",),
    details_of=("", "email_click"),
    values_of=("", "page_view"),
    account=("activity",),
)
OTHER = 3
ACCOUNTS = 2

Row = tuple[int, int, int, int]


def timeline(rows: list[Row]) -> Timeline:
    """Rows of (lead, occurred_at, known_at, kind); the kind is the detail and the value, too."""
    lead, occurred_at, known_at, kind = np.array(rows, np.int64).reshape(-1, 4).T
    value = kind.astype(np.float64) + 0.1
    own = np.ones(len(lead), bool)
    account = lead % ACCOUNTS
    return by_lead_and_time(Timeline(lead, account, occurred_at, known_at, kind, kind, value, own))


def instants(snapshots: list[tuple[int, int]]) -> Instants:
    lead, as_of = np.array(snapshots, np.int64).reshape(-1, 2).T
    return Instants(lead, lead % ACCOUNTS, as_of)


def look(
    rows: list[Row],
    snapshots: list[tuple[int, int]],
    *,
    lookbacks: tuple[int, ...] = (7, 30),
    pairs: int = 1_000_000,
) -> dict[str, Column]:
    definition = replace(DEFINITION, lookback_days=lookbacks)
    catalog = feature_catalog(definition)
    events, seen_at = timeline(rows), instants(snapshots)
    groups = EventGroups(events, definition)
    return behaviour_columns(groups, seen_at, catalog, pairs_in_memory=pairs) | group_columns(
        events, timeline([]), seen_at, catalog
    )


def test_event_at_the_snapshot_instant_is_not_seen():
    seen = look([(0, 10 * DAY, 10 * DAY, 0)], [(0, 10 * DAY), (0, 10 * DAY + 1)])
    assert seen["activity_count_all"].tolist() == [0, 1]


def test_event_known_only_at_the_snapshot_instant_is_not_seen():
    seen = look([(0, 5 * DAY, 10 * DAY, 0)], [(0, 10 * DAY), (0, 10 * DAY + 1)])
    assert seen["activity_count_all"].tolist() == [0, 1]
    assert seen["activity_days_since_last"][1] == pytest.approx(5)


def test_event_cannot_be_known_before_it_happens():
    seen = look([(0, 10 * DAY, 2 * DAY, 0)], [(0, 5 * DAY)])
    assert seen["activity_count_all"][0] == 0


def test_event_on_the_edge_of_a_lookback_is_inside_and_one_before_is_not():
    as_of = 100 * DAY
    edge = as_of - 7 * DAY
    seen = look([(0, edge, edge, 0), (0, edge - 1, edge - 1, 0)], [(0, as_of)])
    for statistic in ("page_view_count", "active_days"):
        assert [seen[f"{statistic}_{w}"][0] for w in ("7d", "30d", "all")] == [1, 2, 2]


def test_days_since_last_is_missing_where_there_was_none():
    seen = look([(0, DAY, DAY, 1)], [(0, 3 * DAY), (1, 3 * DAY)])
    assert np.isnan(seen["page_view_days_since_last"][0])
    assert seen["email_click_days_since_last"][0] == 2
    assert np.isnan(seen["activity_days_since_last"][1])


def test_kind_without_features_of_its_own_counts_in_totals_only():
    seen = look([(0, DAY, DAY, OTHER)], [(0, 2 * DAY)])
    assert seen["page_view_count_all"][0] == seen["email_click_count_all"][0] == 0
    assert seen["activity_count_7d"][0] == seen["activity_count_all"][0] == 1
    assert seen["activity_last_kind"][0] == "other"


def test_late_last_event_of_a_day_leaves_the_day_active_by_its_others():
    rows = [(0, DAY + 1, DAY + 1, 0), (0, DAY + 2, 10 * DAY, 0)]
    assert look(rows, [(0, 5 * DAY)])["active_days_7d"][0] == 1


def test_view_exactly_half_an_hour_after_another_belongs_to_the_same_session():
    half_hour = 30 * 60 * 1_000_000
    together, apart = DAY + half_hour, DAY + 2 * half_hour + 1
    rows = [(0, at, at, 0) for at in (DAY, together, apart)]
    seen = look(rows, [(0, 2 * DAY)])
    assert seen["sessions_all"][0] == 2
    assert seen["views_per_session"][0] == 1.5


def test_session_with_a_view_on_the_edge_of_a_lookback_lies_in_it():
    edge = 10 * DAY
    rows = [(0, edge - 1, edge - 1, 0), (0, edge, edge, 0)]
    assert look(rows, [(0, edge + 7 * DAY)])["sessions_7d"][0] == 1
    assert look(rows, [(0, edge + 7 * DAY + 1)])["sessions_7d"][0] == 0


def test_trend_compares_the_last_week_with_the_three_weeks_before():
    as_of = 100 * DAY
    rows = [(0, as_of - days * DAY, as_of - days * DAY, 0) for days in (1, 7, 8, 20, 28, 29)]
    assert look(rows, [(0, as_of)])["activity_trend"][0] == pytest.approx(2 / 7 - 3 / 21)


def test_intensity_halves_with_each_half_life():
    as_of = 100 * DAY
    rows = [(0, as_of - days * DAY, as_of - days * DAY, 0) for days in (14, 28)]
    assert look(rows, [(0, as_of)])["page_view_intensity"][0] == pytest.approx(0.5 + 0.25)


def test_leads_without_events_and_worlds_without_events_have_zeros():
    seen = look([], [(3, DAY), (4, DAY)])
    assert seen["activity_count_all"].sum() == seen["activity_intensity"].sum() == 0
    assert np.isnan(seen["email_click_days_since_last"]).all()
    assert len(look([(0, 1, 1, 0)], [])["activity_count_all"]) == 0


TIMES = st.integers(0, 40).map(lambda half_days: half_days * DAY // 2)
EVENTS = st.lists(st.tuples(st.integers(0, 3), TIMES, TIMES, st.integers(0, 3)), max_size=40)
SNAPSHOTS = st.lists(st.tuples(st.integers(0, 4), TIMES), min_size=1, max_size=8)


@given(EVENTS, SNAPSHOTS, st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_order_and_chunks_and_other_accounts_do_not_matter(rows, snapshots, seed):
    shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    plain = look(rows, snapshots)
    elsewhere = [(lead, *rest) for lead, *rest in rows if lead % ACCOUNTS == 0]
    for other in (look(shuffled, snapshots), look(rows, snapshots, pairs=1)):
        for name, values in plain.items():
            np.testing.assert_array_equal(values, other[name], err_msg=name)
    mine = np.array([lead % ACCOUNTS == 0 for lead, _ in snapshots])
    for name, values in look(elsewhere, snapshots).items():
        np.testing.assert_array_equal(values[mine], plain[name][mine], err_msg=name)


@given(EVENTS, SNAPSHOTS)
@settings(max_examples=150, deadline=None)
def test_each_snapshot_is_as_if_nothing_had_come_after_it(rows, snapshots):
    everything = look(rows, snapshots)
    for number, (lead, as_of) in enumerate(snapshots):
        known = [row for row in rows if max(row[1], row[2]) < as_of]
        for name, values in look(known, [(lead, as_of)]).items():
            np.testing.assert_array_equal(everything[name][number], values[0], err_msg=name)


@given(EVENTS, SNAPSHOTS)
@settings(max_examples=100, deadline=None)
def test_a_giant_account_in_parts_is_the_account_as_a_whole(rows, snapshots):
    catalog = feature_catalog(DEFINITION)
    seen_at, titles = instants(snapshots), timeline([])
    whole = group_columns(timeline(rows), titles, seen_at, catalog)
    parts: dict[str, Column] = {}
    for part in range(3):
        some = timeline([row for row in rows if row[0] % 3 == part])
        parts = added(parts, group_columns(some, titles, seen_at, catalog))
    for name, values in whole.items():
        np.testing.assert_array_equal(values, parts[name], err_msg=name)


@given(EVENTS, SNAPSHOTS)
@settings(max_examples=100, deadline=None)
def test_longer_lookbacks_never_see_less(rows, snapshots):
    seen = look(rows, snapshots, lookbacks=(1, 7, 30))
    for statistic in ("activity_count", "active_days", "page_view_count", "activity_details"):
        widths = [seen[f"{statistic}_{w}"] for w in ("1d", "7d", "30d", "all")]
        assert (np.diff(widths, axis=0) >= 0).all()
    assert (seen["active_days_7d"] <= seen["activity_count_7d"]).all()
    silent = seen["activity_count_all"] == 0
    assert (np.isnan(seen["activity_days_since_last"]) == silent).all()
