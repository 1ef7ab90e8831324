"""SHAP's TreeExplainer on boosted trees of scikit-learn."""

from collections.abc import Mapping

import numpy as np
import shap
from explain_contestant import LEAVES, TREES, Explainer
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier


def fit(
    matrix: NDArray[np.float64], won: NDArray[np.bool_], *, seed: int
) -> Mapping[str, Explainer]:
    model = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, early_stopping=False, random_state=seed
    ).fit(matrix, won)
    explainer = shap.TreeExplainer(model)
    return {
        "SHAP TreeExplainer": Explainer(
            lambda rows: explainer.shap_values(rows, check_additivity=False),
            model.decision_function,
        )
    }
