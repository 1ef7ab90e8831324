"""Replay: at each step only what was known then, and promises held against what came."""

from datetime import UTC, datetime

import numpy as np
import pytest
from lead_frames import FEATURES, dated, leads

from leadlight.features.errors import ConfigError, NotEnoughDataError
from leadlight.models.gate import Gate
from leadlight.models.incumbent import best_by_points, incumbent_probability
from leadlight.models.policies import Floors, TopSharePolicy
from leadlight.models.replay import ReplayRules, replay
from leadlight.models.replay_figures import ALWAYS, GATED, INCUMBENT, ONCE
from leadlight.models.replay_steps import Every, replay_edges
from leadlight.models.threshold import choose_threshold
from leadlight.models.time_order import DAY, TimeOrder, time_order

HORIZON = 60
CALENDAR = TimeOrder(
    np.datetime64("2024-01-31", "us").astype(np.int64) + np.arange(200) * DAY, 60 * DAY, "as_of"
)


def rules():
    def threshold_of(held_out):
        return choose_threshold(
            TopSharePolicy(0.1), held_out, Floors(), seed=0, horizon_days=HORIZON, sampled_share=1.0
        )

    return ReplayRules(HORIZON, Gate(0.02, 0.05, 0.5), Floors(), threshold_of, seed=0)


@pytest.fixture(scope="module")
def frame():
    return dated(leads(2500), dates=20)


@pytest.fixture(scope="module")
def edges(frame):
    order = time_order(frame, horizon_days=HORIZON, seed=0)
    first = int(np.unique(order.moment)[14])
    return [first, first + 90 * DAY]


@pytest.fixture(scope="module")
def replayed(frame, edges):
    points = frame["visits"].to_numpy(dtype=float)
    return replay(frame, FEATURES, edges, rules(), names=["one"], incumbent=points)


def test_a_step_tells_promise_and_outcome_of_each_policy(replayed):
    (step,) = replayed.steps
    assert set(step.figures) == {ONCE, GATED, ALWAYS, INCUMBENT}
    assert step.promoted
    newest = step.figures[ALWAYS]
    assert newest.mqls > 0
    assert newest.realised_precision > step.wins / step.rows
    assert newest.log_loss == pytest.approx(replayed.overall[ALWAYS].log_loss.value)
    assert step.figures[INCUMBENT].mqls == newest.mqls


def test_labels_that_were_not_known_yet_teach_nothing(frame, edges, replayed):
    spoiled = frame.copy()
    end = frame["as_of"] + np.timedelta64(HORIZON, "D")
    unknown = (end.dt.as_unit("us").to_numpy(dtype="datetime64[us]").astype(np.int64)) > edges[0]
    spoiled["label"] = np.where(unknown, ~frame["label"], frame["label"])
    other = replay(spoiled, FEATURES, edges, rules(), names=["one"])
    for policy in (ONCE, GATED, ALWAYS):
        was, now = replayed.steps[0].figures[policy], other.steps[0].figures[policy]
        assert now.foretold_rate == was.foretold_rate
        assert now.mqls == was.mqls
        assert now.promised_precision == was.promised_precision


def test_without_a_usable_signal_the_newest_base_rate_is_foretold(frame, edges):
    chance = np.random.default_rng(0).random(len(frame))
    age = frame["as_of"].rank(pct=True).to_numpy()
    noise = frame.assign(label=chance < np.where(age < 0.3, 0.02, 0.3))
    replayed = replay(noise, FEATURES, edges, rules(), names=["one"])
    (step,) = replayed.steps
    assert not step.promoted
    assert "no usable signal" in step.reason
    assert step.figures[ALWAYS].mqls == 0
    assert step.figures[ALWAYS].foretold_rate == pytest.approx(0.3, abs=0.03)


def test_before_any_win_is_known_there_is_nothing_to_replay(frame):
    order = time_order(frame, horizon_days=HORIZON, seed=0)
    first = int(order.moment.min())
    with pytest.raises(NotEnoughDataError, match="no win was known"):
        replay(frame, FEATURES, [first, first + 90 * DAY], rules(), names=["one"])


def test_months_are_those_of_the_calendar():
    _, names = replay_edges(
        CALENDAR,
        begin=datetime(2024, 1, 31, tzinfo=UTC),
        end=datetime(2024, 5, 1, tzinfo=UTC),
        every=Every.read("1m"),
        steps=None,
    )
    assert names == ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]


def test_rows_without_dates_are_replayed_by_rows():
    order = TimeOrder(np.arange(100), 1, "position")
    edges, names = replay_edges(order, begin=70, end=None, every=None, steps=3)
    assert edges == [70, 80, 90, 100]
    assert names == ["row 70", "row 80", "row 90"]
    with pytest.raises(ConfigError, match="no dates"):
        replay_edges(order, begin=None, end=None, every=Every.read("1m"), steps=None)


@pytest.mark.parametrize("text", ["month", "0m", "-1d", "1y"])
def test_a_distance_that_is_none_is_refused(text):
    with pytest.raises(ConfigError, match="--every"):
        Every.read(text)


def test_points_mean_the_share_won_among_earlier_leads():
    points = np.array([1.0] * 1000 + [2.0] * 1000 + [1.0, 2.0, np.nan])
    won = np.zeros(len(points), dtype=bool)
    won[:100] = won[1000:1500] = True
    told = incumbent_probability(points, won, np.arange(2000), np.arange(2000, 2003))
    np.testing.assert_allclose(told, [0.1, 0.5, 0.3], atol=0.01)


def test_lots_decide_between_leads_of_equal_points():
    points = np.array([5.0, np.nan, *[3.0] * 1000, 4.0])
    passed = best_by_points(points, 102, seed=0)
    assert passed.sum() == 102
    assert passed[[0, -1]].all()
    assert not passed[1]
    newer = passed[502:-1].sum()
    assert 30 < newer < 70
    assert np.array_equal(passed, best_by_points(points, 102, seed=0))
