"""EBM, the explainable boosting machine of interpret: its terms, as additive as leadlight's."""

from collections.abc import Mapping

import numpy as np
from explain_contestant import Explainer
from interpret.glassbox import ExplainableBoostingClassifier
from numpy.typing import NDArray
from scipy.special import logit

_PAIRS = 32


def fit(
    matrix: NDArray[np.float64], won: NDArray[np.bool_], *, seed: int
) -> Mapping[str, Explainer]:
    models = {
        "EBM terms": _fitted(matrix, won, 0, seed),
        f"EBM terms, {_PAIRS} pairs": _fitted(matrix, won, _PAIRS, seed),
    }
    return {
        name: Explainer(
            model.eval_terms, lambda rows, model=model: logit(model.predict_proba(rows)[:, 1])
        )
        for name, model in models.items()
    }


def _fitted(
    matrix: NDArray[np.float64], won: NDArray[np.bool_], pairs: int, seed: int
) -> ExplainableBoostingClassifier:
    # Fewer bags and rounds than its authors set: they make the fit longer, not the terms.
    return ExplainableBoostingClassifier(
        interactions=pairs, outer_bags=1, max_rounds=500, n_jobs=1, random_state=seed
    ).fit(matrix, won)
