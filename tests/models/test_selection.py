"""Windows: later rows judge earlier ones, and no label looks across a boundary."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_frames import DAY, dated, leads

from leadlight.features.errors import NotEnoughDataError
from leadlight.models.selection import Folds, Windows, lead_folds, rolling_folds, split_windows
from leadlight.models.time_order import time_order


def world(rows=6000, seed=0):
    return leads(rows, seed)[["lead_id", "account_id", "as_of", "label", "position"]]


def split(frame: pd.DataFrame, *, horizon_days: int = 90, seed: int = 0) -> Windows:
    return split_windows(frame, time_order(frame, horizon_days=horizon_days, seed=seed))


def folds_of(frame: pd.DataFrame, *, horizon_days: int = 90, seed: int = 0) -> Folds:
    order = time_order(frame, horizon_days=horizon_days, seed=seed)
    return rolling_folds(frame, order, seed=seed)


def test_the_last_fifth_of_a_long_history_is_set_apart():
    frame = dated(world(40000), dates=120)
    windows = split(frame)
    assert len(windows.test) / (len(windows.train) + len(windows.test)) == pytest.approx(
        0.2, abs=0.02
    )
    assert windows.description[0].startswith("The last window is looked at once")


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
        windows = split(frame, horizon_days=horizon, seed=seed)
    except NotEnoughDataError:
        assert dates * every <= horizon * 2
        return
    as_of = frame["as_of"]
    train, test = as_of.iloc[windows.train], as_of.iloc[windows.test]
    assert train.max() + horizon * DAY <= test.min()
    before = as_of.iloc[windows.before_test]
    assert before.max() < test.min()
    assert len(before) + len(test) == len(frame)
    known = frame.iloc[windows.train]
    folds = folds_of(known, horizon_days=horizon, seed=seed)
    for fold in folds.folds if folds.rolling else ():
        judged = known["as_of"].iloc[fold.judge]
        assert known["as_of"].iloc[fold.fit].max() + horizon * DAY <= judged.min()


def test_every_row_known_before_the_test_is_trained_on():
    frame = dated(world(), dates=33)
    windows = split(frame)
    known = frame["as_of"] + 90 * DAY <= frame["as_of"].iloc[windows.test].min()
    np.testing.assert_array_equal(windows.train, np.flatnonzero(known))


def test_windows_do_not_depend_on_the_order_of_the_rows():
    frame = dated(world(), dates=33)
    shuffled = frame.sample(frac=1.0, random_state=5)
    one, other = split(frame), split(shuffled)
    assert one.description == other.description
    assert set(frame.index[one.test]) == set(shuffled.index[other.test])
    folds, others = folds_of(frame), folds_of(shuffled)
    for fold, another in zip(folds.folds, others.folds, strict=True):
        assert set(frame.index[fold.judge]) == set(shuffled.index[another.judge])


def test_rolling_folds_follow_each_other_and_judge_no_row_twice():
    frame = dated(world(), dates=33)
    folds = folds_of(frame)
    judged = [frame["as_of"].iloc[fold.judge] for fold in folds.folds]
    for earlier, later in pairwise(judged):
        assert earlier.max() < later.min()
    assert len(np.unique(folds.judged)) == len(folds.judged)
    sizes = [len(fold.fit) for fold in folds.folds]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("dates", "count", "rolling"), [(33, 3, True), (5, 2, True), (4, 1, True), (3, 5, False)]
)
def test_shorter_histories_walk_down_the_ladder(dates, count, rolling):
    folds = folds_of(dated(world(), dates=dates))
    assert (len(folds.folds), folds.rolling) == (count, rolling)
    assert folds.description[0].startswith("Choices are judged")


def test_a_single_date_cannot_be_split_and_says_what_to_do():
    with pytest.raises(
        NotEnoughDataError, match=r"from 2023-01-01 to 2023-01-01.*90 days"
    ) as error:
        split(dated(world(), dates=1))
    assert "label.horizon_days" in str(error.value.hint)


def test_wins_in_the_first_half_only_cannot_be_tested():
    frame = dated(world(), dates=40)
    middle = frame["as_of"].min() + 50 * DAY
    frame["label"] &= frame["as_of"] < middle
    with pytest.raises(NotEnoughDataError, match="cannot be split"):
        split(frame)


def test_rows_in_order_keep_equal_positions_together():
    frame = world()
    frame["position"] = np.repeat(np.arange(len(frame) // 4), 4)[::-1].astype(float)
    windows = split(frame)
    places = [frame["position"].iloc[rows] for rows in (windows.train, windows.test)]
    assert places[0].max() < places[1].min()
    assert len(windows.train) + len(windows.test) == len(frame)


def test_without_time_or_order_whole_accounts_are_drawn_at_random():
    frame = world()
    frame["account_id"] = [f"account {at % 700}" for at in range(len(frame))]
    windows = split(frame, seed=1)
    train, test = (set(frame["account_id"].iloc[rows]) for rows in (windows.train, windows.test))
    assert train.isdisjoint(test)
    assert "at random" in windows.description[0]
    again = split(frame, seed=1)
    other = split(frame, seed=2)
    np.testing.assert_array_equal(windows.test, again.test)
    assert not np.array_equal(windows.test, other.test)


def test_description_tells_dates_and_counts():
    frame = dated(world(), dates=33)
    windows = split(frame)
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
        split(frame)
    assert error.value.hint


def test_twenty_wins_are_enough_to_split():
    frame = world(400)
    frame["label"] = np.arange(400) % 20 == 0
    windows = split(frame)
    assert frame["label"].iloc[windows.test].sum() >= 5


def test_lead_folds_leave_out_whole_accounts_and_spread_the_wins():
    frame = pd.concat([world(300)] * 3, ignore_index=True)
    folds = lead_folds(frame, seed=0)
    judged = np.sort(np.concatenate([fold.judge for fold in folds]))
    np.testing.assert_array_equal(judged, np.arange(len(frame)))
    wins = [int(frame["label"].iloc[fold.judge].sum()) for fold in folds]
    assert max(wins) - min(wins) <= 3
    for fold in folds:
        judged_leads = frame["lead_id"].iloc[fold.judge]
        assert set(frame["lead_id"].iloc[fold.fit]).isdisjoint(judged_leads)


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
        split(frame, horizon_days=30)
