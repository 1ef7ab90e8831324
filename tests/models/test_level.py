"""A new model's level follows the newest wins where they drift, and all rows where they do not."""

import math

import numpy as np
import pytest
from scipy.special import expit, log_expit

from leadlight.models.calibration import Calibration
from leadlight.models.level import Labelled, foretold_losses, retrained_level
from leadlight.models.log_odds import level_shift

HONEST = Calibration(1.0, 0.0)
ROWS = 20_000
CUTS = [8000, 11_000, 14_000, 17_000]
DRIFT = np.linspace(0.0, 3.0, ROWS)


def world(drift: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Margins that are right but for a level that drifts from row to row."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(-2.0, 1.0, len(drift))
    return margin, rng.random(len(drift)) < expit(margin + drift)


def labelled(
    margin: np.ndarray,
    label: np.ndarray,
    *,
    moment: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
) -> Labelled:
    """Rows of leads that each have one snapshot, in the order of time, unless told otherwise."""
    at = np.arange(len(label))
    return Labelled(
        margin,
        label,
        at if moment is None else moment,
        weight,
        at if cluster is None else cluster,
    )


def folds_of(
    drift: np.ndarray, cuts: list[int] = CUTS, seed: int = 0
) -> list[tuple[Labelled, Labelled]]:
    """Rows up to each cut and from it to the next, with margins of a model of its own level."""
    margin, label = world(drift, seed)
    return [
        (
            labelled(margin[:start] - 1.0, label[:start]),
            labelled(margin[start:end] - 1.0, label[start:end]),
        )
        for start, end in zip(cuts, [*cuts[1:], len(drift)], strict=True)
    ]


def test_a_new_model_stands_on_the_level_of_its_newest_rows_where_they_drift() -> None:
    margin, label = world(DRIFT)
    found = retrained_level(folds_of(DRIFT), labelled(margin + 5.0, label), HONEST)
    assert found.half_life < ROWS / 4
    assert found.shift == pytest.approx(3.0 - 5.0, abs=0.4)
    assert found.calibration == HONEST.shifted(found.shift).unsure(found.spread)


def test_a_new_model_stands_on_the_level_of_all_its_rows_where_nothing_drifts() -> None:
    still = np.zeros(ROWS)
    margin, label = world(still)
    found = retrained_level(folds_of(still), labelled(margin + 5.0, label), HONEST)
    assert found.half_life == math.inf
    assert found.calibration.probability(margin + 5.0).mean() == pytest.approx(
        label.mean(), abs=0.002
    )


def test_without_drift_a_shorter_memory_is_hardly_ever_chosen() -> None:
    still = np.zeros(4000)
    newest = labelled(*world(still))
    found = [
        retrained_level(folds_of(still, [1600, 2200, 2800, 3400], seed), newest, HONEST)
        for seed in range(20)
    ]
    assert sum(each.half_life == math.inf for each in found) >= 17


def test_a_fast_drift_needs_a_shorter_memory_than_a_slow_one() -> None:
    newest = labelled(*world(DRIFT))
    slow, fast = (
        retrained_level(folds_of(rise * np.linspace(0.0, 1.0, ROWS)), newest, HONEST).half_life
        for rise in (0.7, 5.0)
    )
    assert fast < slow < math.inf


def test_the_level_is_what_a_loop_over_rows_finds() -> None:
    margin, label = world(np.where(np.arange(2000) < 800, 0.0, 2.0), seed=3)
    moment = np.arange(2000) // 7
    found = retrained_level(folds_of(DRIFT), labelled(margin, label, moment=moment), HONEST)
    expected = 0.0
    for trial in found.tried:
        faded = np.array([0.5 ** (np.sum(moment > at) / trial.half_life) for at in moment])
        expected += trial.weight * level_shift(margin, label.astype(float), faded)
    assert found.shift == pytest.approx(expected, abs=1e-2)
    assert sum(trial.weight for trial in found.tried) == pytest.approx(1.0)


def test_rows_may_come_in_any_order_and_those_of_one_moment_are_equally_old() -> None:
    margin, label = world(DRIFT)
    moment = np.arange(ROWS) // 500
    order = np.random.default_rng(1).permutation(ROWS)
    one, other = (
        retrained_level(
            folds_of(DRIFT), labelled(margin[rows], label[rows], moment=moment[rows]), HONEST
        )
        for rows in (np.arange(ROWS), order)
    )
    assert other.shift == pytest.approx(one.shift, abs=1e-9)


def test_a_memory_of_too_few_wins_gives_way_to_all_rows() -> None:
    margin, label = world(np.full(ROWS, -2.0))
    label[ROWS // 4 :] = False
    found = retrained_level(folds_of(DRIFT), labelled(margin, label), HONEST)
    assert found.half_life < ROWS / 40
    assert expit(margin + found.shift).mean() == pytest.approx(label.mean(), abs=1e-9)


@pytest.mark.parametrize("label", [np.zeros(500), np.ones(500), np.zeros(0)])
def test_rows_of_one_label_say_nothing_of_the_level(label: np.ndarray) -> None:
    newest = labelled(np.zeros(len(label)), label)
    for folds in ([], folds_of(DRIFT)):
        assert retrained_level(folds, newest, HONEST).shift == 0.0


def test_repeated_snapshots_of_a_lead_are_one_piece_of_evidence() -> None:
    leads, cuts = 800, [320, 440, 560, 680]
    margin, label = world(np.linspace(0.0, 1.0, leads), seed=1)
    rows = np.repeat(np.arange(leads), 25)

    def part(first: int, end: int, *, aware: bool) -> Labelled:
        inside = rows[(rows >= first) & (rows < end)]
        cluster = inside if aware else None
        return labelled(margin[inside], label[inside], moment=inside, cluster=cluster)

    naive, aware = (
        retrained_level(
            [
                (part(0, start, aware=knows), part(start, end, aware=knows))
                for start, end in zip(cuts, [*cuts[1:], leads], strict=True)
            ],
            part(0, leads, aware=knows),
            HONEST,
        )
        for knows in (False, True)
    )
    assert naive.tried[-1].weight < aware.tried[-1].weight / 10


def test_rows_without_weight_are_as_good_as_absent() -> None:
    margin, label = world(DRIFT)
    heard = np.arange(ROWS) % 3 > 0
    weighted = labelled(margin, label, weight=heard.astype(float))
    without = labelled(margin[heard], label[heard])
    folds = folds_of(DRIFT)
    assert retrained_level(folds, weighted, HONEST) == retrained_level(folds, without, HONEST)


def test_fewer_than_three_folds_choose_no_memory() -> None:
    margin, label = world(DRIFT)
    found = retrained_level(folds_of(DRIFT)[:2], labelled(margin, label), HONEST)
    assert found.tried == ()
    assert found.half_life == math.inf


def test_what_was_tried_is_plain_data_with_null_for_all_rows() -> None:
    told = retrained_level(folds_of(DRIFT), labelled(*world(DRIFT)), HONEST).to_dict()
    assert told["unit"] == "rows"
    assert told["tried"][-1]["half_life"] is None
    assert [set(trial) for trial in told["tried"][:1]] == [{"half_life", "log_loss", "weight"}]


def test_where_levels_went_astray_afterwards_probabilities_are_drawn_towards_a_half() -> None:
    jumps = np.repeat([0.0, 1.2, -0.8, 1.5, -0.5], 4000)
    margin, label = world(jumps)
    found = retrained_level(
        folds_of(jumps, [4000, 8000, 12_000, 16_000]), labelled(margin, label), HONEST
    )
    assert found.spread == pytest.approx(1.5, abs=0.5)
    on_level = HONEST.shifted(found.shift)
    assert found.calibration == on_level.unsure(found.spread)
    assert abs(found.calibration.log_odds(-3.0)) < abs(on_level.log_odds(-3.0))


def test_where_nothing_drifts_nothing_is_drawn_towards_a_half() -> None:
    still = np.zeros(4000)
    newest = labelled(*world(still))
    found = [
        retrained_level(folds_of(still, [1600, 2200, 2800, 3400], seed), newest, HONEST).spread
        for seed in range(20)
    ]
    assert sum(spread == 0.0 for spread in found) >= 17


def test_margins_are_judged_by_what_became_of_their_level_row_by_row() -> None:
    still, cuts = np.zeros(ROWS), [8000, 11_000, 14_000, 17_000]
    margin, label = world(still)
    right = folds_of(still)
    adrift = [
        (known, labelled(np.asarray(judge.margin) + astray, np.asarray(judge.label)))
        for (known, judge), astray in zip(right, (0.0, 1.5, -1.5, 1.0), strict=True)
    ]
    losses = foretold_losses(right)
    log_odds = margin[cuts[0] :]
    expected = np.where(label[cuts[0] :], -log_expit(log_odds), -log_expit(-log_odds))
    assert losses == pytest.approx(expected, abs=0.1)
    assert foretold_losses(adrift).mean() > losses.mean()
