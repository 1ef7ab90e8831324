"""Windows: later rows judge earlier ones, and no label looks across a boundary."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_frames import DAY, dated, leads

from leadlight.features.errors import NotEnoughDataError
from leadlight.models.selection import Windows, lead_folds, split_windows


def world(rows=6000, seed=0):
    return leads(rows, seed)[["lead_id", "account_id", "as_of", "label", "position"]]


def used(windows: Windows):
    every = (windows.fit, windows.select, windows.calibrate, windows.test)
    return [rows for rows in every if len(rows)]


def test_long_history_gives_four_windows_near_the_intended_shares():
    frame = dated(world(40000), dates=120)
    windows = split_windows(frame, horizon_days=90, seed=0)
    sizes = np.array([len(rows) for rows in used(windows)])
    np.testing.assert_allclose(sizes / sizes.sum(), [0.5, 0.15, 0.15, 0.2], atol=0.02)
    assert windows.time_ordered
    assert windows.description[0].startswith("Four windows in the order of time")


@settings(max_examples=60, deadline=None)
@given(
    dates=st.integers(2, 40),
    every=st.integers(1, 40),
    horizon=st.integers(1, 120),
    seed=st.integers(0, 5),
)
def test_no_label_looks_into_a_later_window(dates, every, horizon, seed):
    frame = dated(world(1500, seed), dates=dates, every_days=every, seed=seed)
    try:
        windows = split_windows(frame, horizon_days=horizon, seed=seed)
    except NotEnoughDataError:
        assert dates * every <= horizon * 2
        return
    moments = [frame["as_of"].iloc[rows] for rows in used(windows)]
    for earlier, later in pairwise(moments):
        assert earlier.max() + horizon * DAY <= later.min()
    train = frame["as_of"].iloc[windows.train]
    assert train.max() + horizon * DAY <= moments[-1].min()
    assert set(np.concatenate(used(windows)[:-1])) <= set(windows.train)


def test_final_fit_takes_every_row_known_before_the_test():
    frame = dated(world(), dates=33)
    windows = split_windows(frame, horizon_days=90, seed=0)
    known = frame["as_of"] + 90 * DAY <= frame["as_of"].iloc[windows.test].min()
    np.testing.assert_array_equal(windows.train, np.flatnonzero(known))


def test_windows_do_not_depend_on_the_order_of_the_rows():
    frame = dated(world(), dates=33)
    shuffled = frame.sample(frac=1.0, random_state=5)
    one = split_windows(frame, horizon_days=90, seed=0)
    other = split_windows(shuffled, horizon_days=90, seed=0)
    assert one.description == other.description
    for rows, others in zip(used(one), used(other), strict=True):
        assert set(frame.index[rows]) == set(shuffled.index[others])


@pytest.mark.parametrize(("dates", "windows_named"), [(33, "Four"), (10, "Three"), (6, "Two")])
def test_shorter_histories_walk_down_the_ladder(dates, windows_named):
    windows = split_windows(dated(world(), dates=dates), horizon_days=90, seed=0)
    assert windows.description[0].startswith(f"{windows_named} windows")
    assert bool(len(windows.select)) == (windows_named != "Two")
    assert bool(len(windows.calibrate)) == (windows_named == "Four")


def test_a_single_date_cannot_be_split_and_says_what_to_do():
    with pytest.raises(
        NotEnoughDataError, match=r"from 2023-01-01 to 2023-01-01.*90 days"
    ) as error:
        split_windows(dated(world(), dates=1), horizon_days=90, seed=0)
    assert "label.horizon_days" in str(error.value.hint)


def test_wins_in_the_first_half_only_cannot_be_tested():
    frame = dated(world(), dates=40)
    middle = frame["as_of"].min() + 50 * DAY
    frame["label"] &= frame["as_of"] < middle
    with pytest.raises(NotEnoughDataError, match="cannot be split"):
        split_windows(frame, horizon_days=90, seed=0)


def test_rows_in_order_keep_equal_positions_together():
    frame = world()
    frame["position"] = np.repeat(np.arange(len(frame) // 4), 4)[::-1].astype(float)
    windows = split_windows(frame, horizon_days=90, seed=0)
    places = [frame["position"].iloc[rows] for rows in used(windows)]
    for earlier, later in pairwise(places):
        assert earlier.max() < later.min()
    assert sum(len(rows) for rows in used(windows)) == len(frame)
    assert windows.time_ordered


def test_without_time_or_order_whole_accounts_are_drawn_at_random():
    frame = world()
    frame["account_id"] = [f"account {at % 700}" for at in range(len(frame))]
    windows = split_windows(frame, horizon_days=90, seed=1)
    accounts = [set(frame["account_id"].iloc[rows]) for rows in used(windows)]
    for at, some in enumerate(accounts):
        assert all(some.isdisjoint(others) for others in accounts[at + 1 :])
    assert not windows.time_ordered
    assert "at random" in windows.description[0]
    again = split_windows(frame, horizon_days=90, seed=1)
    other = split_windows(frame, horizon_days=90, seed=2)
    np.testing.assert_array_equal(windows.test, again.test)
    assert not np.array_equal(windows.test, other.test)


def test_description_tells_dates_and_counts():
    frame = dated(world(), dates=33)
    windows = split_windows(frame, horizon_days=90, seed=0)
    test = frame.iloc[windows.test]
    text = " ".join(windows.description)
    assert f"{test['as_of'].min():%Y-%m-%d} to {test['as_of'].max():%Y-%m-%d}" in text
    assert f"{len(test):,} snapshots, {test['label'].sum():,} won" in text


@pytest.mark.parametrize(
    ("wins", "rows", "message"),
    [
        (0, 0, "no mature snapshot"),
        (0, 500, "none of the 500 mature snapshots has a win"),
        (500, 500, "all 500 mature snapshots are wins"),
        (19, 500, "only 19 wins among 500"),
        (481, 500, "only 19 snapshots without a win among 500"),
    ],
)
def test_labels_that_teach_nothing_are_refused_with_counts_and_a_hint(wins, rows, message):
    frame = world(600).iloc[:rows].assign(label=np.arange(rows) < wins)
    with pytest.raises(NotEnoughDataError, match=message) as error:
        split_windows(frame, horizon_days=90, seed=0)
    assert error.value.hint


def test_twenty_wins_are_enough_to_split():
    frame = world(400)
    frame["label"] = np.arange(400) % 20 == 0
    windows = split_windows(frame, horizon_days=90, seed=0)
    assert frame["label"].iloc[windows.test].sum() >= 5


def test_lead_folds_leave_out_whole_accounts_and_spread_the_wins():
    frame = pd.concat([world(300)] * 3, ignore_index=True)
    folds = lead_folds(frame, seed=0)
    judged = np.sort(np.concatenate([judge for _, judge in folds]))
    np.testing.assert_array_equal(judged, np.arange(len(frame)))
    wins = [int(frame["label"].iloc[judge].sum()) for _, judge in folds]
    assert max(wins) - min(wins) <= 3
    for fit, judge in folds:
        assert set(frame["lead_id"].iloc[fit]).isdisjoint(frame["lead_id"].iloc[judge])


def test_a_few_rows_without_their_place_in_time_are_refused_not_drawn_at_random():
    frame = pd.DataFrame(
        {
            "lead_id": [f"L{i}" for i in range(400)],
            "account_id": None,
            "as_of": pd.Series(pd.NaT, index=range(400), dtype="datetime64[us, UTC]"),
            "position": np.arange(400, dtype=float),
            "label": np.arange(400) % 2 == 0,
        }
    )
    frame.loc[7, "position"] = np.nan
    with pytest.raises(NotEnoughDataError, match="1 of 400 rows"):
        split_windows(frame, horizon_days=30, seed=0)
