"""Plain logistic regression: one column per category level, medians for what is missing."""

from quality_contestant import Lesson, Probability
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def fit(lesson: Lesson) -> Probability:
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), lesson.categories),
        (
            make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
            lesson.numbers,
        ),
    )
    model = make_pipeline(encode, LogisticRegression(max_iter=2000))
    model.fit(lesson.x, lesson.won)
    return lambda frame: model.predict_proba(frame)[:, 1]
