"""The kernel alone: visibility, windows, days, chunks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.features.kernel import (
    MICROSECONDS_PER_DAY,
    Behaviour,
    Events,
    Instants,
    behaviour,
)

DAY = MICROSECONDS_PER_DAY
FIELDS = ("counts", "totals", "active_days", "days_since_last", "days_since_any")


def events_from(rows: list[tuple[int, int, int, int]]) -> Events:
    """Rows of (lead, occurred_at, known_at, kind)."""
    return Events(*np.array(rows, np.int64).reshape(-1, 4).T)


def look(
    rows: list[tuple[int, int, int, int]],
    snapshots: list[tuple[int, int]],
    *,
    lookbacks: tuple[int, ...] = (7, 30),
    chunk: int = 2_000_000,
) -> Behaviour:
    instants = Instants(*np.array(snapshots, np.int64).reshape(-1, 2).T)
    return behaviour(events_from(rows), instants, n_kinds=2, lookback_days=lookbacks, chunk=chunk)


def test_event_at_the_snapshot_instant_is_not_seen():
    seen = look([(0, 10 * DAY, 10 * DAY, 0)], [(0, 10 * DAY), (0, 10 * DAY + 1)])
    assert seen.totals[:, -1].tolist() == [0, 1]


def test_event_known_only_at_the_snapshot_instant_is_not_seen():
    seen = look([(0, 5 * DAY, 10 * DAY, 0)], [(0, 10 * DAY), (0, 10 * DAY + 1)])
    assert seen.totals[:, -1].tolist() == [0, 1]
    assert seen.days_since_any[1] == pytest.approx(5)


def test_event_cannot_be_known_before_it_happens():
    seen = look([(0, 10 * DAY, 2 * DAY, 0)], [(0, 5 * DAY)])
    assert seen.totals[0, -1] == 0


def test_event_on_the_edge_of_a_lookback_is_inside_and_one_before_is_not():
    as_of = 100 * DAY
    edge = as_of - 7 * DAY
    seen = look([(0, edge, edge, 0), (0, edge - 1, edge - 1, 0)], [(0, as_of)])
    assert seen.counts[0, 0].tolist() == [1, 2, 2]
    assert seen.active_days[0].tolist() == [1, 2, 2]


def test_days_since_last_is_missing_where_there_was_none():
    seen = look([(0, DAY, DAY, 1)], [(0, 3 * DAY), (1, 3 * DAY)])
    assert np.isnan(seen.days_since_last[0, 0])
    assert seen.days_since_last[0, 1] == 2
    assert np.isnan(seen.days_since_any[1])


def test_kind_without_features_of_its_own_counts_in_totals_only():
    seen = look([(0, DAY, DAY, 2)], [(0, 2 * DAY)])
    assert seen.counts.sum() == 0
    assert seen.totals[0].tolist() == [1, 1, 1]


def test_late_last_event_of_a_day_leaves_the_day_active_by_its_others():
    late = 10 * DAY
    rows = [(0, DAY + 1, DAY + 1, 0), (0, DAY + 2, late, 0)]
    assert look(rows, [(0, 5 * DAY)]).active_days[0].tolist() == [1, 1, 1]


def test_leads_without_events_and_worlds_without_events_have_zeros():
    seen = look([], [(3, DAY), (4, DAY)])
    assert seen.totals.sum() == 0
    assert np.isnan(seen.days_since_last).all()
    assert look([(0, 1, 1, 0)], []).totals.shape == (0, 3)


TIMES = st.integers(0, 40).map(lambda half_days: half_days * DAY // 2)
EVENTS = st.lists(st.tuples(st.integers(0, 3), TIMES, TIMES, st.integers(0, 2)), max_size=40)
SNAPSHOTS = st.lists(st.tuples(st.integers(0, 4), TIMES), min_size=1, max_size=8)


@given(EVENTS, SNAPSHOTS, st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_order_and_chunks_and_other_leads_do_not_matter(rows, snapshots, seed):
    shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    others = [(9, time, known, kind) for _, time, known, kind in rows]
    plain = look(rows, snapshots)
    for other in (look(shuffled, snapshots, chunk=1), look(rows + others, snapshots)):
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(plain, name), getattr(other, name))


@given(EVENTS, SNAPSHOTS)
@settings(max_examples=200, deadline=None)
def test_each_snapshot_is_as_if_nothing_had_come_after_it(rows, snapshots):
    everything = look(rows, snapshots)
    for number, (lead, as_of) in enumerate(snapshots):
        known = [row for row in rows if max(row[1], row[2]) < as_of]
        alone = look(known, [(lead, as_of)])
        for name in FIELDS:
            np.testing.assert_array_equal(
                getattr(everything, name)[number], getattr(alone, name)[0]
            )


@given(EVENTS, SNAPSHOTS)
@settings(max_examples=100, deadline=None)
def test_longer_lookbacks_never_see_less(rows, snapshots):
    seen = look(rows, snapshots, lookbacks=(1, 7, 30))
    for values in (seen.counts, seen.totals, seen.active_days):
        assert (np.diff(values, axis=-1) >= 0).all()
    assert (seen.active_days <= seen.totals).all()
    assert (np.isnan(seen.days_since_any) == (seen.totals[:, -1] == 0)).all()
