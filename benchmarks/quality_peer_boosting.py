"""HistGradientBoostingClassifier as scikit-learn sets it."""

import numpy as np
from quality_contestant import Lesson, Probability
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder


def fit(lesson: Lesson) -> Probability:
    encode = make_column_transformer(
        (
            OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=200
            ),
            lesson.categories,
        ),
        ("passthrough", lesson.numbers),
    )
    of_category = np.arange(lesson.x.shape[1]) < len(lesson.categories)
    model = make_pipeline(
        encode,
        HistGradientBoostingClassifier(categorical_features=of_category, random_state=lesson.seed),
    )
    model.fit(lesson.x, lesson.won)
    return lambda frame: model.predict_proba(frame)[:, 1]
