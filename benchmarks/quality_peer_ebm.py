"""EBM, the explainable boosting machine of interpret, as its authors set it."""

import pandas as pd
from interpret.glassbox import ExplainableBoostingClassifier
from quality_contestant import Lesson, Probability


def fit(lesson: Lesson) -> Probability:
    kinds = [
        "nominal" if column in lesson.categories else "continuous" for column in lesson.x.columns
    ]
    columns = list(lesson.x)
    model = ExplainableBoostingClassifier(feature_types=kinds, random_state=lesson.seed)
    model.fit(lesson.x, lesson.won)

    def probability(frame: pd.DataFrame) -> pd.Series:
        return model.predict_proba(frame[columns])[:, 1]

    return probability
