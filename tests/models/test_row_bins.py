import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from leadlight.models.row_bins import BoostedClassifier

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(3000, 3))
WON = GENERATOR.random(3000) < 1.0 / (1.0 + np.exp(-2.0 * X[:, 0]))
WEIGHT = GENERATOR.uniform(0.1, 2.0, 3000)


def _cuts(model: HistGradientBoostingClassifier) -> list[np.ndarray]:
    return model._bin_mapper.bin_thresholds_


def test_cuts_are_those_of_rows_without_weights():
    plain = HistGradientBoostingClassifier(max_iter=2).fit(X, WON)
    weighted = BoostedClassifier(max_iter=2).fit(X, WON, sample_weight=WEIGHT)
    for ours, theirs in zip(_cuts(weighted), _cuts(plain), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_trees_still_heed_the_weights():
    weight = np.where(WON, 3.0, 1.0)
    weighted = BoostedClassifier(max_iter=50).fit(X, WON, sample_weight=weight)
    alike = BoostedClassifier(max_iter=50).fit(X, WON)
    share = (3.0 * WON.sum()) / (weight.sum())
    told = np.average(weighted.predict_proba(X)[:, 1], weights=weight)
    assert abs(told - share) < 0.01
    assert alike.predict_proba(X)[:, 1].mean() < told - 0.1
