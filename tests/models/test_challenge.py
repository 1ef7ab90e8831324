"""Challenge: the same window for both, what would change today, and what the gate says of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadlight.models.bootstrap import Codes
from leadlight.models.challenge import Comparison, MqlChange, compare_models, mql_change
from leadlight.models.evaluation import evaluate
from leadlight.models.gate import Gate, judge

GATE = Gate(log_loss_rise=0.02, calibration_error=0.05, mql_change=0.5)
NO_CHANGE = MqlChange(100, 10, 10, 0, 0, ())


def _window(rows: int = 2000) -> tuple[np.ndarray, np.ndarray, Codes]:
    random = np.random.default_rng(0)
    margin = random.normal(-2.0, 1.2, rows)
    won = random.random(rows) < expit(margin)
    return margin, won, np.arange(rows) // 2


@pytest.fixture(scope="module")
def better() -> Comparison:
    """The challenger knows the truth, the champion half of it."""
    margin, won, codes = _window()
    return compare_models(expit(-1.0 + 0.5 * margin), expit(margin), won, codes, seed=1)


def test_the_paired_interval_is_far_narrower_than_the_two_intervals_side_by_side(
    better: Comparison,
) -> None:
    loss = better.differences["log_loss"]
    assert loss.value == pytest.approx(
        better.challenger.log_loss.value - better.champion.log_loss.value
    )
    assert loss.high < 0
    assert loss.high - loss.low < 0.5 * (
        better.champion.log_loss.high - better.champion.log_loss.low
    )


def test_a_model_compared_with_itself_differs_in_nothing_and_passes() -> None:
    margin, won, codes = _window(400)
    same = compare_models(expit(margin), expit(margin), won, codes, seed=1)
    for each in same.differences.values():
        assert (each.value, each.low, each.high) == (0, 0, 0)
    assert judge(same, NO_CHANGE, GATE).passed


def test_each_side_is_evaluated_as_it_would_be_alone(better: Comparison) -> None:
    margin, won, codes = _window()
    assert better.challenger == evaluate(expit(margin), won, codes, seed=1)


def test_a_better_challenger_passes_and_a_worse_one_does_not(better: Comparison) -> None:
    assert judge(better, NO_CHANGE, GATE).passed
    margin, won, codes = _window()
    worse = compare_models(expit(margin), expit(-1.0 + 0.5 * margin), won, codes, seed=1)
    verdict = judge(worse, NO_CHANGE, GATE)
    assert not verdict.passed
    assert "Log loss may be higher" in verdict.sentence


def test_an_interval_that_is_not_known_does_not_pass(better: Comparison) -> None:
    unknown = replace(better.differences["log_loss"], low=np.nan, high=np.nan)
    verdict = judge(replace(better, differences={"log_loss": unknown}), NO_CHANGE, GATE)
    assert not verdict.passed


def test_percentages_that_do_not_hold_do_not_pass_unless_the_champions_are_worse() -> None:
    margin, won, codes = _window()
    honest, hopeful, wild = expit(margin), expit(margin + 0.8), expit(margin + 2.0)
    lenient = replace(GATE, log_loss_rise=10.0)
    verdict = judge(compare_models(honest, hopeful, won, codes, seed=1), NO_CHANGE, lenient)
    assert "calibration error" in verdict.sentence
    assert judge(compare_models(wild, hopeful, won, codes, seed=1), NO_CHANGE, lenient).passed


def test_a_jump_of_the_volume_does_not_pass(better: Comparison) -> None:
    doubled = MqlChange(1000, 100, 200, 100, 0, ())
    verdict = judge(better, doubled, GATE)
    assert verdict.reasons == (
        "The number of MQLs would change by +100%, from 100 to 200; the gate allows 50% either "
        "way.",
    )
    assert not judge(better, MqlChange(1000, 0, 5, 5, 0, ()), GATE).passed
    assert judge(better, doubled, replace(GATE, mql_change=1.0)).passed


def _decided(probability: list[float], mql: list[bool]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "lead_id": [f"L{at}" for at in range(len(mql))],
            "probability": probability,
            "mql": mql,
            "reasons_for": [[f"for {p}"] for p in probability],
            "reasons_against": [[f"against {p}"] for p in probability],
        }
    )


def test_who_gains_and_who_loses_mql_is_counted_and_the_largest_moves_have_reasons() -> None:
    before = _decided([0.9, 0.8, 0.3, 0.1], [True, True, False, False])
    after = _decided([0.9, 0.2, 0.3, 0.8], [True, False, False, True])
    change = mql_change(before, after.iloc[::-1])
    assert (change.leads, change.gained, change.lost) == (4, 1, 1)
    assert change.overlap == pytest.approx(1 / 3)
    assert change.share == 0
    assert change.sentence() == ("1 lead would gain MQL, 1 would lose it (2 MQLs before, 2 after).")
    assert [move.lead_id for move in change.moves] == ["L1", "L3"]
    fallen, risen = change.moves
    assert (fallen.before, fallen.after) == (0.5, 0.0)
    assert (fallen.reasons_before, fallen.reasons_after) == (("for 0.8",), ("against 0.2",))
    assert (risen.reasons_before, risen.reasons_after) == (("against 0.1",), ("for 0.8",))


def test_leads_that_only_one_of_them_decides_on_are_left_out() -> None:
    before = _decided([0.9, 0.1], [True, False])
    assert mql_change(before, before.iloc[:1]).leads == 1
