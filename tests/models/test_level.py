"""The level follows the newest wins where they drift, and stays where they do not."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import OneHotEncoder

from leadlight.models.calibration import Calibration, calibrate
from leadlight.models.level import (
    Labelled,
    recent_level,
    retrained_level,
    tracked_level,
)

HONEST = Calibration(1.0, 0.0)
ROWS = 20_000


def world(drift: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Margins that are right but for a level that drifts from row to row."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(-2.0, 1.0, len(drift))
    return margin, rng.random(len(drift)) < expit(margin + drift)


def step(at: int = 12_000, by: float = 1.5) -> np.ndarray:
    return np.where(np.arange(ROWS) < at, 0.0, by)


def test_a_step_of_the_base_rate_is_followed() -> None:
    margin, label = world(step())
    before = calibrate(margin, label)
    found = tracked_level(margin, label, np.arange(ROWS), before, gap=400)
    newest = expit(margin[-4000:] + 1.5).mean()
    assert before.probability(margin[-4000:]).mean() < 0.75 * newest
    assert found.calibration.probability(margin[-4000:]).mean() == pytest.approx(newest, rel=0.1)
    assert found.calibration.slope == before.slope
    assert found.calibration.intercept - before.intercept == pytest.approx(found.shift)
    assert found.half_life < ROWS / 4


def test_without_drift_nothing_is_changed() -> None:
    unchanged = 0
    for seed in range(20):
        margin, label = world(np.zeros(ROWS // 4), seed)
        found = tracked_level(margin, label, np.arange(ROWS // 4), HONEST, gap=100)
        unchanged += found.calibration == HONEST
        assert abs(found.shift) < 0.5
        assert found.tried[-1].half_life == math.inf
    assert unchanged >= 17


def test_a_fast_drift_needs_a_shorter_memory_than_a_slow_one() -> None:
    time = np.arange(ROWS)
    half_lives = []
    for rise in (0.7, 5.0):
        margin, label = world(rise * time / ROWS)
        half_lives.append(tracked_level(margin, label, time, HONEST, gap=0).half_life)
    assert half_lives[1] < half_lives[0] < math.inf


def test_labels_that_are_known_too_late_are_not_used_to_choose() -> None:
    # The level swings with a period of 4,000 rows: known at once it can be followed, known half a
    # period later it would be followed the wrong way round.
    margin, label = world(1.5 * np.sin(2.0 * np.pi * np.arange(ROWS) / 4000))
    known = {
        gap: tracked_level(margin, label, np.arange(ROWS), HONEST, gap=gap) for gap in (0, 2000)
    }
    shortest = {gap: found.tried[0].log_loss for gap, found in known.items()}
    assert shortest[2000] > shortest[0] + 0.02
    assert 10.0 * known[0].half_life < known[2000].half_life
    assert abs(known[2000].shift) < 0.3


def test_the_level_is_what_a_loop_over_rows_finds() -> None:
    margin, label = world(step(400, 2.0)[:1000], seed=3)
    moment = np.arange(1000) // 7
    found = recent_level(Labelled(margin, label, moment), HONEST, half_life=150.0)
    faded = np.array([0.5 ** (np.sum(moment > at) / 150.0) for at in moment])
    promised = expit(margin + found.intercept)
    assert faded @ promised == pytest.approx(faded @ label, rel=1e-3)


def test_rows_may_come_in_any_order_and_those_of_one_moment_are_equally_old() -> None:
    margin, label = world(step())
    moment = np.arange(ROWS) // 500
    order = np.random.default_rng(1).permutation(ROWS)
    one = tracked_level(margin, label, moment, HONEST, gap=1)
    other = tracked_level(margin[order], label[order], moment[order], HONEST, gap=1)
    assert other.shift == pytest.approx(one.shift, abs=1e-9)
    assert other.half_life == one.half_life


def test_all_rows_give_the_mean_probability_of_all() -> None:
    margin, label = world(step())
    found = recent_level(Labelled(margin, label, np.arange(ROWS)), HONEST, half_life=math.inf)
    assert found.probability(margin).mean() == pytest.approx(label.mean(), abs=1e-9)


def test_a_memory_of_too_few_wins_gives_way_to_all_rows() -> None:
    margin, label = world(np.full(2000, -2.0))
    short, every = (
        recent_level(Labelled(margin, label, np.arange(2000)), HONEST, half_life=half_life)
        for half_life in (20.0, math.inf)
    )
    assert short == every


@pytest.mark.parametrize("label", [np.zeros(500), np.ones(500), np.zeros(0)])
def test_rows_of_one_label_say_nothing_of_the_level(label: np.ndarray) -> None:
    margin, moment = np.zeros(len(label)), np.arange(len(label))
    assert tracked_level(margin, label, moment, HONEST, gap=0).calibration == HONEST
    assert recent_level(Labelled(margin, label, moment), HONEST, half_life=50.0) == HONEST


def test_repeated_snapshots_of_a_lead_are_one_piece_of_evidence() -> None:
    few = 800
    margin, label = world(np.where(np.arange(few) < few // 2, 0.0, 0.8), seed=1)
    rows = np.repeat(np.arange(few), 25)
    naive, aware = (
        tracked_level(margin[rows], label[rows], rows, HONEST, gap=0, cluster=cluster)
        for cluster in (None, rows)
    )
    assert naive.half_life < aware.half_life


def test_rows_without_weight_are_as_good_as_absent() -> None:
    margin, label = world(step())
    weight = (np.arange(ROWS) % 3 > 0).astype(float)
    heard = weight > 0.0
    moment = np.arange(ROWS)
    weighted = tracked_level(margin, label, moment, HONEST, gap=400, weight=weight)
    without = tracked_level(margin[heard], label[heard], moment[heard], HONEST, gap=400)
    assert weighted == without


def test_a_short_history_is_not_judged() -> None:
    margin, label = world(np.zeros(100))
    found = tracked_level(margin, label, np.arange(100), HONEST, gap=0)
    assert found.tried == ()
    assert found.calibration == HONEST


def test_what_was_tried_is_plain_data_with_null_for_all_rows() -> None:
    margin, label = world(np.zeros(4000))
    told = tracked_level(margin, label, np.arange(4000), HONEST, gap=0).to_dict()
    assert told["unit"] == "rows"
    assert told["tried"][-1]["half_life"] is None
    assert [set(trial) for trial in told["tried"][:1]] == [{"half_life", "log_loss"}]


def folds_of(drift: np.ndarray, cuts: list[int], model_level: float) -> list[Labelled]:
    """Rows up to each cut and from it to the next, with margins of a model of its own level."""
    margin, label = world(drift)
    parts = []
    for start, end in zip(cuts, [*cuts[1:], ROWS], strict=True):
        known, following = slice(0, start), slice(start, end)
        parts.append(
            tuple(
                Labelled(margin[part] + model_level, label[part], np.arange(ROWS)[part])
                for part in (known, following)
            )
        )
    return parts


def test_a_new_model_stands_on_the_level_of_its_newest_rows_where_they_drift() -> None:
    drift = np.linspace(0.0, 3.0, ROWS)
    folds = folds_of(drift, [8000, 11_000, 14_000, 17_000], model_level=-1.0)
    margin, label = world(drift)
    newest = Labelled(margin + 5.0, label, np.arange(ROWS))
    found = retrained_level(folds, newest, HONEST)
    assert found.half_life < ROWS / 4
    assert found.calibration.intercept == pytest.approx(3.0 - 5.0, abs=0.4)


def test_a_new_model_stands_on_the_level_of_all_its_rows_where_nothing_drifts() -> None:
    folds = folds_of(np.zeros(ROWS), [8000, 11_000, 14_000, 17_000], model_level=-1.0)
    margin, label = world(np.zeros(ROWS))
    found = retrained_level(folds, Labelled(margin + 5.0, label, np.arange(ROWS)), HONEST)
    assert found.half_life == math.inf
    assert found.calibration.probability(margin + 5.0).mean() == pytest.approx(label.mean())


@pytest.mark.real_data
def test_the_banks_base_rate_is_followed_in_steps(real_data) -> None:
    """A model trained once on the oldest half; labels known 400 rows later; ten steps."""
    table = pd.read_csv(real_data / "bank" / "bank-additional-full.csv.gz", sep=";")
    label = (table["y"] == "yes").to_numpy()
    texts = ["job", "marital", "education", "default", "contact", "poutcome"]
    encoded = OneHotEncoder(min_frequency=20).fit_transform(table[texts].astype("str"))
    model = LogisticRegression(C=0.1, max_iter=500).fit(encoded[:20_000], label[:20_000])
    margin, moment = model.decision_function(encoded), np.arange(len(label))
    start = int(0.7 * len(label))
    followed, stood = [], []
    for first in range(start, len(label), 1236):
        known, following = np.arange(20_000, first - 400), np.arange(first, len(label))[:1236]
        fixed = calibrate(margin[known], label[known])
        tracked = tracked_level(margin[known], label[known], moment[known], fixed, gap=400)
        stood.append(fixed.probability(margin[following]))
        followed.append(tracked.calibration.probability(margin[following]))
    losses = [log_loss(label[start:], np.concatenate(parts)) for parts in (followed, stood)]
    assert losses[0] < losses[1] - 0.05
    shares = [label[first : first + 1236].mean() for first in range(start, len(label), 1236)]
    means = [part.mean() for part in followed]
    assert np.abs(means[-1] - shares[-1]) < 0.5 * np.abs(stood[-1].mean() - shares[-1])
