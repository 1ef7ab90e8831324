"""Which shape of calibration is chosen, in worlds whose true link is known."""

import numpy as np
import pytest
from scipy.special import expit

from leadlight.features.errors import NotEnoughDataError
from leadlight.models.calibration import Calibration, calibrate
from leadlight.models.calibration_choice import (
    LEAST_WINS_TO_BEND,
    choose_calibration,
    on_one_level,
)


def straight(margin: np.ndarray) -> np.ndarray:
    return np.asarray(expit(0.7 * margin - 0.5))


def saturating(margin: np.ndarray) -> np.ndarray:
    return np.asarray(0.02 + 0.4 * expit(2.5 * (margin + 1.0)))


def world(link, rows: int = 5000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    margin = rng.normal(-1.0, 1.5, rows)
    return margin, rng.random(rows) < link(margin)


def chosen(
    margin: np.ndarray,
    label: np.ndarray,
    *,
    cluster: np.ndarray | None = None,
    fold: np.ndarray | None = None,
    moment: np.ndarray | None = None,
    seed: int = 0,
) -> Calibration:
    """The choice for one fold of leads that each have one snapshot, unless told otherwise."""
    return choose_calibration(
        margin,
        label,
        np.arange(len(label)) if cluster is None else cluster,
        fold=np.zeros(len(label), dtype=int) if fold is None else fold,
        moment=moment,
        seed=seed,
    )


@pytest.mark.parametrize("forwards", [False, True], ids=["folds by lead", "forwards in time"])
def test_a_sigmoid_world_keeps_the_sigmoid_and_another_bends_it(forwards: bool) -> None:
    moment = np.arange(5000) if forwards else None
    kept = []
    for seed in range(20):
        margin, label = world(straight, seed=seed)
        found = chosen(margin, label, moment=moment)
        kept.append(found == calibrate(margin, label))
        bent = chosen(*world(saturating, seed=seed), moment=moment)
        assert bent.knots
    assert sum(kept) >= 18


def test_the_chosen_map_comes_near_the_truth() -> None:
    at = np.linspace(-4.0, 2.0, 50)
    for link in (straight, saturating):
        found = chosen(*world(link, 50_000))
        assert np.abs(found.probability(at) - link(at)).max() < 0.025


def test_few_wins_keep_the_line() -> None:
    margin, label = world(saturating, 20_000)
    few = np.flatnonzero(label)[: LEAST_WINS_TO_BEND - 1]
    rows = np.concatenate([few, np.flatnonzero(~label)])
    assert not chosen(margin[rows], label[rows]).knots


def test_a_lead_repeated_many_times_is_not_taken_for_many_leads() -> None:
    margin, label = world(straight, 60, seed=3)
    repeated = np.repeat(np.arange(60), 100)
    naive = chosen(margin[repeated], label[repeated])
    assert naive.knots  # bent to sixty leads, because it takes them for six thousand
    assert not chosen(margin[repeated], label[repeated], cluster=repeated).knots


def test_a_drifting_level_is_not_taken_for_a_shape() -> None:
    rng = np.random.default_rng(0)
    fold = np.repeat(np.arange(5), 4000)
    margin = rng.normal(-1.0, 1.0, 20_000) + np.array([3.0, 0.0, -1.0, 0.5, 0.0])[fold]
    truth = margin + np.array([-4.0, 0.0, 1.5, -0.5, 0.5])[fold]
    label = rng.random(20_000) < expit(truth)
    pooled = chosen(margin, label)
    apart = chosen(margin, label, fold=fold, moment=fold)
    assert pooled.slope < 0.8
    assert not apart.knots
    assert apart.slope == pytest.approx(1.0, abs=0.05)
    assert apart.intercept == pytest.approx(0.5, abs=0.1)  # that of the last fold


def test_one_level_leaves_the_last_fold_and_folds_of_one_label_alone() -> None:
    rng = np.random.default_rng(1)
    margin, fold = rng.normal(0.0, 1.0, 3000), np.repeat([0, 1, 2], 1000)
    label = rng.random(3000) < expit(margin + np.array([1.0, 0.0, -1.0])[fold])
    label[fold == 1] = False
    found = on_one_level(margin, label, fold)
    assert (found - margin)[fold == 0] == pytest.approx(np.full(1000, 2.0), abs=0.3)
    np.testing.assert_array_equal(found[fold > 0], margin[fold > 0])


def test_the_same_seed_gives_the_same_map() -> None:
    margin, label = world(saturating)
    cluster = np.arange(5000) // 3
    first, second = (chosen(margin, label, cluster=cluster, seed=4) for _ in range(2))
    assert first == second


def test_moments_of_many_rows_are_never_cut() -> None:
    margin, label = world(saturating)
    for moments in (1, 2, 7):
        moment = np.arange(5000) * moments // 5000
        found = chosen(margin, label, moment=moment)
        assert bool(found.knots) == (moments > 1)


@pytest.mark.parametrize("label", [[True, True], [False, False], []])
def test_one_label_is_refused(label: list[bool]) -> None:
    with pytest.raises(NotEnoughDataError):
        chosen(np.zeros(len(label)), np.array(label, dtype=bool))
