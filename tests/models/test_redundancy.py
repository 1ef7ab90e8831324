"""Features that repeat others are set aside, and nothing else is."""

import numpy as np
import pandas as pd
from lead_frames import feature

from leadlight.models.redundancy import distinct_features


def kept(frame: pd.DataFrame) -> list[str]:
    features = [feature(name) for name in frame]
    return [each.name for each in distinct_features(frame, features)]


def test_of_two_numbers_that_rise_together_the_earlier_stays():
    count = np.random.default_rng(0).poisson(5, 2_000).astype(float)
    other = np.random.default_rng(1).poisson(5, 2_000).astype(float)
    frame = pd.DataFrame({"count": count, "days": count * 1.01, "other": other, "fewer": -count})
    assert kept(frame) == ["count", "other"]


def test_a_feature_that_is_missing_elsewhere_is_not_the_same():
    rng = np.random.default_rng(0)
    since = rng.exponential(30, 2_000)
    sometimes = np.where(rng.random(2_000) < 0.3, np.nan, since)
    assert kept(pd.DataFrame({"since": since, "sometimes": sometimes})) == ["since", "sometimes"]


def test_constant_and_empty_columns_hide_no_other():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"empty": np.full(500, np.nan), "constant": np.ones(500), "number": rng.random(500)}
    )
    assert "number" in kept(frame)
