"""A candidate fitted on a frame of leads, encoding first."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from leadlight.features.feature import Feature
from leadlight.models.bootstrap import lead_clusters
from leadlight.models.candidates import CandidateName, candidate
from leadlight.models.encoding import LeadEncoder, feature_kinds
from leadlight.models.lesson import Lesson


def taught(frame: pd.DataFrame, features: Sequence[Feature]) -> tuple[LeadEncoder, Lesson]:
    names = tuple(each.name for each in features)
    encoder = LeadEncoder(names, feature_kinds(features)).fit(frame)
    won = frame["label"].to_numpy(dtype=bool)
    return encoder, Lesson(encoder.transform(frame), won, np.ones(len(frame)), lead_clusters(frame))


def fitted(
    name: CandidateName,
    frame: pd.DataFrame,
    features: Sequence[Feature],
    *,
    weight: np.ndarray | None = None,
    seed: int = 0,
) -> Pipeline:
    encoder, lesson = taught(frame, features)
    pipeline = candidate(name, features, lesson, seed=seed)
    pipeline.fit(
        lesson.matrix,
        lesson.won,
        levels__groups=lesson.cluster,
        classify__sample_weight=weight,
    )
    return Pipeline([("encode", encoder), *pipeline.steps])
