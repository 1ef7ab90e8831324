"""XGBoost's own Shapley values, pred_contribs."""

from collections.abc import Mapping

import numpy as np
import xgboost
from explain_contestant import LEAVES, TREES, Explainer
from numpy.typing import NDArray


def fit(
    matrix: NDArray[np.float64], won: NDArray[np.bool_], *, seed: int
) -> Mapping[str, Explainer]:
    settings = {
        "objective": "binary:logistic", "tree_method": "hist", "grow_policy": "lossguide",
        "max_leaves": LEAVES, "max_depth": 0, "eta": 0.1, "nthread": 1, "seed": seed,
    }  # fmt: skip
    model = xgboost.train(settings, xgboost.DMatrix(matrix, won, nthread=1), TREES)

    def predicted(rows: NDArray[np.float64], **how: bool) -> NDArray[np.float64]:
        return model.predict(xgboost.DMatrix(rows, nthread=1), **how)

    return {
        "XGBoost pred_contribs": Explainer(
            lambda rows: predicted(rows, pred_contribs=True),
            lambda rows: predicted(rows, output_margin=True),
        )
    }
