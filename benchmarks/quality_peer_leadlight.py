"""leadlight: the model that ``leadlight train`` fits, on the rows that all others are given."""

from quality_contestant import Lesson, Probability

from leadlight.features.catalog import Feature
from leadlight.models.fitted_model import fit_model


def fit(lesson: Lesson) -> Probability:
    fitted = fit_model(
        lesson.rows,
        tuple(Feature(**each) for each in lesson.case.features),
        horizon_days=lesson.case.horizon_days,
        seed=lesson.seed,
    )
    return fitted.probability
