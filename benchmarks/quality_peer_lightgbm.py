"""LightGBM as its authors set it."""

import pandas as pd
from lightgbm import LGBMClassifier
from quality_contestant import Lesson, Probability


def fit(lesson: Lesson) -> Probability:
    levels = {column: sorted(lesson.x[column].dropna().unique()) for column in lesson.categories}
    # It rejects punctuation in names.
    places = {column: f"x{at}" for at, column in enumerate(lesson.x)}

    def encoded(frame: pd.DataFrame) -> pd.DataFrame:
        typed = {column: pd.Categorical(frame[column], known) for column, known in levels.items()}
        return frame[list(places)].assign(**typed).rename(columns=places)

    model = LGBMClassifier(random_state=lesson.seed, verbosity=-1)
    model.fit(encoded(lesson.x), lesson.won)
    return lambda frame: model.predict_proba(encoded(frame))[:, 1]
