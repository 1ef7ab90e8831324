"""A bare fit of the rows that a job trains on."""

import time
from collections.abc import Sequence
from pathlib import Path

from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from leadlight.features.catalog import Feature
from leadlight.models.encoding import LeadEncoder, feature_kinds
from leadlight.pipelines.prepare import load_frame


def fit_plain(parts: Path, features: Sequence[Feature], seed: int) -> float:
    """Return the seconds of one plain fit on all rows of a training frame, already encoded.

    On one thread, as leadlight fits: where another process has a core, the threads of a fit wait
    for each other busily, and a peer many times too slow would flatter.

    Parameters
    ----------
    parts : Path
        Folder of the training set's feature table.
    features : sequence of Feature
    seed : int
    """
    frame = load_frame(parts)
    names = tuple(feature.name for feature in features)
    matrix = LeadEncoder(names, feature_kinds(features)).fit_transform(frame)
    won = frame["label"].to_numpy(dtype=bool)
    del frame
    started = time.perf_counter()
    with threadpool_limits(limits=1):
        HistGradientBoostingClassifier(random_state=seed).fit(matrix, won)
    return time.perf_counter() - started
