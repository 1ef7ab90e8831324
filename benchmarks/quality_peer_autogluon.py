"""AutoGluon: a stacked ensemble of many models, for log loss, within the time allowed."""

import tempfile

import pandas as pd
from autogluon.tabular import TabularPredictor
from quality_contestant import Lesson, Probability

_LABEL = "label of the lead"
_LEAST = 60.0  # seconds in which the stacked ensemble trains any model at all


def fit(lesson: Lesson) -> Probability:
    folder = tempfile.mkdtemp(prefix="autogluon-") + "/models"
    predictor = TabularPredictor(
        label=_LABEL, problem_type="binary", eval_metric="log_loss", path=folder, verbosity=1
    )
    predictor.fit(
        lesson.x.assign(**{_LABEL: lesson.won}),
        presets="best_quality" if lesson.seconds >= _LEAST else "medium_quality",
        time_limit=lesson.seconds,
        dynamic_stacking=False,  # it tries out on part of the time, of which there is little
        ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
    )
    columns = list(lesson.x)

    def probability(frame: pd.DataFrame) -> pd.Series:
        return predictor.predict_proba(frame[columns])[True]

    return probability
