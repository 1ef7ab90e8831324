"""CatBoost as its authors set it, told which columns are categories."""

import pandas as pd
from catboost import CatBoostClassifier
from quality_contestant import Lesson, Probability


def fit(lesson: Lesson) -> Probability:
    columns = list(lesson.x)

    def encoded(frame: pd.DataFrame) -> pd.DataFrame:
        texts = {column: frame[column].fillna("(missing)") for column in lesson.categories}
        return frame[columns].assign(**texts)

    model = CatBoostClassifier(
        cat_features=lesson.categories,
        random_seed=lesson.seed,
        verbose=False,
        allow_writing_files=False,
    )
    model.fit(encoded(lesson.x), lesson.won)
    return lambda frame: model.predict_proba(encoded(frame))[:, 1]
