"""FLAML: a search among boosted trees and linear models, for log loss, within the time allowed."""

import pandas as pd
from flaml import AutoML
from quality_contestant import Lesson, Probability


def fit(lesson: Lesson) -> Probability:
    places = {column: f"x{at}" for at, column in enumerate(lesson.x)}
    levels = {column: sorted(lesson.x[column].dropna().unique()) for column in lesson.categories}

    def encoded(frame: pd.DataFrame) -> pd.DataFrame:
        typed = {column: pd.Categorical(frame[column], known) for column, known in levels.items()}
        return frame[list(places)].assign(**typed).rename(columns=places)

    model = AutoML()
    model.fit(
        encoded(lesson.x),
        lesson.won.astype(int),
        task="classification",
        metric="log_loss",
        time_budget=lesson.seconds,
        seed=lesson.seed,
        verbose=0,
    )
    return lambda frame: model.predict_proba(encoded(frame))[:, 1]
