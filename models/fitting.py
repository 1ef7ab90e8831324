"""Fitting: a candidate's bags, each on most of the leads, averaged into one margin."""

from collections.abc import Sequence

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from leadlight.features.feature import Feature

from .candidates import CEILING, CandidateName, candidate, setting_of
from .encoding import FloatArray
from .lesson import Lesson

_BAGGED_SHARE = 0.8
_MOST_BAGS = 8
_VALUES_OF_WINS = 600_000
"""Values of features that the wins of all bags together may have (a single bag may pass)."""

_SCORECARD_ROWS = 50_000
"""Rows that the scorecard learns from; a few hundred coefficients do not need more."""


def number_of_bags(name: CandidateName, lesson: Lesson) -> int:
    """Return how many bags a candidate gets: many where wins are few and a fit is noisy.

    Boosted shapes of few wins change from sample to sample, and averaging steadies them [1]_; the
    scorecard is steady by its penalty.

    References
    ----------
    .. [1] Breiman (1996), Bagging predictors; Bühlmann & Yu (2002), Analyzing bagging, on sampling
       without replacement.
    """
    if name in {"logistic", CEILING}:
        return 1
    values = lesson.scarcest * lesson.matrix.shape[1]
    return int(np.clip(_VALUES_OF_WINS // max(1, values), 1, _MOST_BAGS))


def fitted_bags(
    name: CandidateName,
    features: Sequence[Feature],
    lesson: Lesson,
    *,
    choice: float | int,
    seed: int,
) -> list[Pipeline]:
    """Fit a candidate at a choice of its setting, once for each bag.

    Parameters
    ----------
    name : str
    features : sequence of Feature, k of them
    lesson : Lesson of shape (n, k)
    choice : float or int
    seed : int
    """
    # The fits are small: threads gain little on them, wait busily for each other wherever another
    # process has a core (ten times slower, measured), and sum in an order that varies.
    with threadpool_limits(limits=1):
        lesson = lesson.leaner(seed=seed)
        if name == "logistic":
            lesson = lesson.thinned(_SCORECARD_ROWS)
        whole = candidate(name, features, lesson, seed=seed)
        parameter = f"classify__{setting_of(name).parameter}"
        count = number_of_bags(name, lesson)
        return [
            clone(whole)
            .set_params(**{parameter: choice}, **_seeded(whole, seed + bag))
            .fit(
                part.matrix,
                part.won,
                levels__groups=part.cluster,
                classify__sample_weight=part.weight,
            )
            for bag, part in enumerate(_bagged(lesson, count, seed))
        ]


def margins_by_choice(
    name: CandidateName,
    features: Sequence[Feature],
    lesson: Lesson,
    judged: FloatArray,
    *,
    seed: int,
    choices: Sequence[float | int] | None = None,
    most_bags: int,
) -> dict[float | int, FloatArray]:
    """Return the margins of judged rows at each choice of a candidate's setting.

    What the choices share is done once: the boosting's stages are those of the longest one, each
    penalty starts from the one before.

    Parameters
    ----------
    name, features, lesson, seed
        As for ``fitted_bags``.
    judged : ndarray of float64, shape (m, k)
        Encoded rows.
    choices : sequence, optional
        Default: all that the candidate offers.
    most_bags : int
        At most so many, and at most ``number_of_bags``.
    """
    with threadpool_limits(limits=1):
        whole = candidate(name, features, lesson, seed=seed)
        asked = tuple(choices or setting_of(name).values)
        count = min(most_bags, number_of_bags(name, lesson))
        each = [
            _bag_margins(whole.set_params(**_seeded(whole, seed + bag)), part, judged, asked)
            for bag, part in enumerate(_bagged(lesson, count, seed))
        ]
    return {
        choice: np.asarray(np.mean([bag[choice] for bag in each], axis=0), dtype=np.float64)
        for choice in asked
    }


def _bagged(lesson: Lesson, count: int, seed: int) -> list[Lesson]:
    if count == 1:
        return [lesson]
    generator = np.random.default_rng(seed)
    clusters = int(lesson.cluster.max()) + 1
    parts = []
    for _ in range(count):
        drawn = generator.permutation(clusters) < _BAGGED_SHARE * clusters
        part = lesson.taken(np.flatnonzero(drawn[lesson.cluster]))
        parts.append(part if part.scarcest else lesson)
    return parts


def _seeded(pipeline: Pipeline, seed: int) -> dict[str, int]:
    has_seed = "classify__max_leaf_nodes" in pipeline.get_params()
    return {"classify__random_state": seed} if has_seed else {}


def _bag_margins(
    pipeline: Pipeline, lesson: Lesson, judged: FloatArray, choices: Sequence[float | int]
) -> dict[float | int, FloatArray]:
    fresh = clone(pipeline)
    classify = fresh.named_steps["classify"]
    steps = fresh[:-1]
    known = steps.fit_transform(lesson.matrix, lesson.won, levels__groups=lesson.cluster)
    new = steps.transform(judged)
    if hasattr(classify, "max_leaf_nodes"):
        classify.set_params(max_iter=max(choices))
        classify.fit(known, lesson.won, sample_weight=lesson.weight)
        return dict(classify.margins_after(new, [int(choice) for choice in choices]))
    classify.set_params(warm_start=True)  # each penalty starts from the one before
    return {
        penalty: classify.set_params(C=penalty)
        .fit(known, lesson.won, sample_weight=lesson.weight)
        .decision_function(new)
        for penalty in choices
    }
