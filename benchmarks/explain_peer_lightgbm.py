"""LightGBM's own Shapley values, pred_contrib."""

from collections.abc import Mapping

import lightgbm
import numpy as np
from explain_contestant import LEAVES, TREES, Explainer
from numpy.typing import NDArray


def fit(
    matrix: NDArray[np.float64], won: NDArray[np.bool_], *, seed: int
) -> Mapping[str, Explainer]:
    settings = {
        "objective": "binary", "num_leaves": LEAVES, "num_threads": 1, "verbose": -1, "seed": seed,
    }  # fmt: skip
    model = lightgbm.train(settings, lightgbm.Dataset(matrix, won.astype(int)), TREES)
    return {
        "LightGBM pred_contrib": Explainer(
            lambda rows: model.predict(rows, pred_contrib=True, num_threads=1),
            lambda rows: model.predict(rows, raw_score=True, num_threads=1),
        )
    }
