"""Label shift: the share of winners is found where only that has changed, and left alone if not."""

import numpy as np
import pytest
from scipy.special import expit, logit

from leadlight.models.calibration import Calibration
from leadlight.models.label_shift import LEAST_ROWS, shifted_level

BASE = 0.1
# Margins of losers around -1 and of winners around 1, both of variance 1: the log-odds are a line.
EXACT = Calibration(2.0, float(logit(BASE)))


def margins(share: float, rows: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    won = rng.random(rows) < share
    return rng.normal(np.where(won, 1.0, -1.0), 1.0)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3, 0.7])
def test_a_changed_share_of_winners_is_recovered(share: float) -> None:
    margin = margins(share, 20_000)
    found = shifted_level(margin, EXACT, base_rate=BASE)
    assert found.reason == ""
    assert found.base_rate == pytest.approx(share, rel=0.1)
    assert found.calibration.slope == EXACT.slope
    assert found.calibration.probability(margin).mean() == pytest.approx(found.base_rate, abs=1e-6)


def test_the_share_is_the_likeliest_one() -> None:
    margin = margins(0.3, 2000)
    found = shifted_level(margin, EXACT, base_rate=BASE)
    winners, losers = (np.exp(-((margin - centre) ** 2) / 2.0) for centre in (1.0, -1.0))
    grid = np.linspace(0.01, 0.99, 9801)
    likelihood = np.log(grid[:, None] * winners + (1.0 - grid[:, None]) * losers).sum(axis=1)
    assert found.base_rate == pytest.approx(grid[likelihood.argmax()], abs=1e-3)


def test_leads_like_those_of_before_change_nothing() -> None:
    unchanged = 0
    for seed in range(40):
        found = shifted_level(margins(BASE, 2000, seed), EXACT, base_rate=BASE)
        unchanged += found.calibration == EXACT
    assert unchanged >= 35


def test_too_few_leads_change_nothing() -> None:
    found = shifted_level(margins(0.5, LEAST_ROWS - 1), EXACT, base_rate=BASE)
    assert found.calibration == EXACT
    assert found.base_rate == BASE
    assert str(LEAST_ROWS) in found.reason
    assert found.reason in found.sentence()


@pytest.mark.parametrize("centre", [-8.0, 8.0])
def test_margins_beyond_all_that_was_seen_settle_nowhere_and_change_nothing(centre: float) -> None:
    margin = np.random.default_rng(0).normal(centre, 0.1, 1000)
    found = shifted_level(margin, EXACT, base_rate=BASE)
    assert found.calibration == EXACT
    assert found.reason


def test_margins_that_tell_nobody_apart_change_nothing() -> None:
    found = shifted_level(np.zeros(5000), Calibration(1.0, float(logit(BASE))), base_rate=BASE)
    assert found.reason
    assert found.base_rate == BASE


def test_it_is_wrong_where_buyers_change_rather_than_their_share() -> None:
    """The stated assumption: the same leads buying twice as readily cannot be seen in margins."""
    rng = np.random.default_rng(1)
    margin = margins(BASE, 5000)
    won = rng.random(5000) < expit(EXACT.log_odds(margin) + 1.0)
    found = shifted_level(margin, EXACT, base_rate=BASE)
    assert won.mean() > 1.5 * BASE
    assert found.base_rate == pytest.approx(BASE, rel=0.15)
