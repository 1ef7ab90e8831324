"""What was known of snapshots at an instant, and what it weighs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import beta

from leadlight.models.maturity import KnownRows, Treatment, known_rows

HORIZON = 90
SHARES = np.array([0.01, 0.02, 0.06])
CUTOFF = pd.Timestamp("2024-06-01", tz="UTC").as_unit("us")


def snapshots(followed: object, win_after: object) -> pd.DataFrame:
    """Snapshots so many days before the cutoff, won so many days after each (NaN: never)."""
    before = pd.to_timedelta(np.asarray(followed, dtype=float), unit="D").round("us")
    days = np.asarray(win_after, dtype=float)
    return pd.DataFrame(
        {"as_of": CUTOFF - before, "label": ~np.isnan(days), "win_after_days": days}
    )


def known(frame: pd.DataFrame, treatment: Treatment = "weight") -> KnownRows:
    every = np.arange(len(frame))
    return known_rows(frame, every, CUTOFF, horizon_days=HORIZON, treatment=treatment)


def test_a_snapshot_is_mature_at_the_instant_its_horizon_ends():
    frame = snapshots([90, 89.999, 120], [np.nan, np.nan, 5])
    assert known(frame, "drop").rows.tolist() == [0, 2]


def test_dropping_leaves_what_is_mature_with_weight_one():
    found = known(snapshots([100, 50, 95, 20], [10, 5, np.nan, np.nan]), "drop")
    assert found.rows.tolist() == [0, 2]
    assert found.won.tolist() == [True, False]
    assert found.weight.tolist() == [1, 1]
    assert found.mature.tolist() == [True, True]


def test_a_young_win_is_known_only_strictly_before_the_instant():
    frame = snapshots([200, 200, 40, 40, 40], [1, 80, 39.999, 40, 60])
    assert known(frame).won.tolist() == [True, True, True, False, False]


def test_a_young_snapshot_not_won_weighs_as_much_as_wins_of_its_age_are_seen():
    wins = [10, 30, 50, 70]
    losses = [np.nan] * 396
    found = known(snapshots([200] * 400 + [40], [*wins, *losses, np.nan]))
    share_seen, base = 0.5, 0.01
    assert found.weight[-1] == pytest.approx(share_seen * (1 - base) / (1 - base * share_seen))
    assert found.weight[:-1].tolist() == [1] * 400
    assert found.mature.tolist() == [True] * 400 + [False]


def test_a_snapshot_younger_than_any_win_was_teaches_nothing():
    found = known(snapshots([200, 200, 5, 5], [10, np.nan, np.nan, 1]))
    assert found.rows.tolist() == [0, 1]


def test_rows_outside_the_choice_and_from_the_cutoff_on_are_not_taken():
    frame = snapshots([200, 200, 150, 0, -30], [10, np.nan, 20, np.nan, 3])
    found = known_rows(
        frame, np.array([4, 3, 2, 1, 0]), CUTOFF, horizon_days=HORIZON, treatment="weight"
    )
    assert found.rows.tolist() == [0, 1, 2]
    chosen = known_rows(frame, np.array([1, 2]), CUTOFF, horizon_days=HORIZON, treatment="weight")
    assert chosen.rows.tolist() == [1, 2]


def test_a_frame_without_days_to_the_win_teaches_by_its_mature_rows():
    frame = snapshots([100, 50], [10, 5]).drop(columns="win_after_days")
    assert known(frame).rows.tolist() == [0]


def test_a_rows_own_weight_counts_only_once_it_is_mature():
    frame = snapshots([200, 200, 40], [10, np.nan, np.nan]).assign(weight=[2.0, 3.0, 5.0])
    plain = known(frame.drop(columns="weight"))
    assert known(frame).weight.tolist() == [2, 3, plain.weight[-1]]
    assert known(frame, "drop").weight.tolist() == [2, 3]


@settings(deadline=None)
@given(
    followed=arrays.arrays(float, 30, elements=st.integers(0, 150).map(float)),
    days=arrays.arrays(float, 30, elements=st.integers(0, 120).map(float)),
    later=arrays.arrays(float, 30, elements=st.integers(0, 120).map(float)),
)
def test_what_comes_after_the_instant_changes_nothing(followed, days, later):
    """The same world seen again later, with other wins after the cutoff, teaches the same."""

    def world(after: np.ndarray) -> pd.DataFrame:
        return snapshots(followed, np.where(after < HORIZON, after, np.nan))

    seen = (days < followed) & (days < HORIZON)
    changed = np.where(seen, days, np.maximum(later, np.minimum(followed, HORIZON)))
    for treatment in ("drop", "weight"):
        one, other = known(world(days), treatment), known(world(changed), treatment)
        assert one.rows.tolist() == other.rows.tolist()
        assert one.won.tolist() == other.won.tolist()
        assert one.weight.tolist() == other.weight.tolist()
    assert ((one.weight >= 0) & (one.weight <= 1)).all()


def _world(rows: int, chance: np.ndarray, followed: np.ndarray, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    delay = HORIZON * generator.beta(1.5, 1.2, rows)
    return snapshots(followed, np.where(generator.random(rows) < chance, delay, np.nan))


def _share(found: KnownRows, among: np.ndarray) -> float:
    taken = among[found.rows]
    return float(np.average(found.won[taken], weights=found.weight[taken]))


def test_the_weighted_share_of_wins_is_the_true_one_whoever_is_young():
    """Hot leads are mostly young, cold ones mostly old: each sort keeps its own probability."""
    rows = 400_000
    generator = np.random.default_rng(0)
    hot = generator.random(rows) < 0.5
    chance = np.where(hot, 0.12, 0.06)
    followed = np.where(hot, generator.uniform(0, 120, rows), generator.uniform(60, 400, rows))
    found = known(_world(rows, chance, followed, 1))
    assert _share(found, hot) == pytest.approx(0.12, rel=0.03)
    assert _share(found, ~hot) == pytest.approx(0.06, rel=0.03)
    young = hot & (followed < 60)
    assert _share(found, young) == pytest.approx(0.12, rel=0.06)


def test_the_mean_and_the_joint_distribution_are_those_of_the_whole_where_age_tells_nothing():
    """Half a year of snapshots, a quarter of a year of horizon, a rare win."""
    rows = 600_000
    generator = np.random.default_rng(2)
    sort = generator.integers(0, 3, rows)
    chance = SHARES[sort]
    found = known(_world(rows, chance, generator.uniform(0, 180, rows), 3))
    assert found.weight @ found.won / found.weight.sum() == pytest.approx(chance.mean(), rel=0.03)
    for each in range(3):
        inside = sort[found.rows] == each
        total = found.weight.sum()
        assert found.weight[inside].sum() / total == pytest.approx(1 / 3, rel=0.02)
        won = found.weight[inside & found.won].sum() / total
        assert won == pytest.approx(SHARES[each] / 3, rel=0.07)


def test_how_long_wins_take_is_learned_from_young_ones_too_though_long_ones_are_missing():
    """Few snapshots are mature; among young wins alone, short durations are far too frequent."""
    rows = 200_000
    generator = np.random.default_rng(6)
    followed = np.where(generator.random(rows) < 0.02, 100.0, generator.uniform(0, 90, rows))
    frame = _world(rows, np.full(rows, 0.1), followed, 7)
    found = known(frame)
    young = np.abs(followed[found.rows] - 45) < 0.1
    weight = found.weight[young & ~found.won].mean()
    share_seen = beta(1.5, 1.2).cdf(0.5)
    assert weight == pytest.approx(share_seen * 0.9 / (1 - 0.1 * share_seen), rel=0.03)


def test_to_take_young_snapshots_for_losses_would_be_biased():
    rows = 100_000
    followed = np.random.default_rng(4).uniform(0, 180, rows)
    frame = _world(rows, np.full(rows, 0.05), followed, 5)
    naive = ((frame["win_after_days"] < followed) & frame["label"]).mean()
    assert naive < 0.04
    assert _share(known(frame), np.ones(rows, dtype=bool)) == pytest.approx(0.05, rel=0.05)
