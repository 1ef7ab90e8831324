"""The loader that MLflow calls: a decision version as a pyfunc model, with no pickle inside.

See https://mlflow.org/docs/latest/ml/traditional-ml/tutorials/creating-custom-pyfunc/ on
``loader_module``.
"""

from pathlib import Path

import pandas as pd

from leadlight.models.decision import DecisionVersion

from .artefact import load_decision


class DecisionModel:
    """What ``mlflow.pyfunc.load_model`` wraps.

    Parameters
    ----------
    decision : DecisionVersion
    """

    def __init__(self, decision: DecisionVersion) -> None:
        self._decision = decision

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """Decide on a frame of features (columns ``lead_id``, ``as_of`` and the catalog's)."""
        return self._decision.decide(model_input)


def _load_pyfunc(data_path: str) -> DecisionModel:
    return DecisionModel(load_decision(Path(data_path)))
