"""Fitting: a candidate's bags, each on most of the leads, averaged into one margin."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import joblib
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

_Found = TypeVar("_Found")


def side_by_side(fits: Iterable[Callable[[], _Found]]) -> Iterator[_Found]:
    """Make fits in threads, one for each core, and yield what they return in their order.

    Nearly all of a fit is done by compiled code, which lets the others go on; threads start at once
    and share the rows, where processes take seconds and copies. Inside, a fit has one thread: its
    own threads would gain little, wait busily for each other wherever another process has a core
    (ten times slower, measured), and sum in an order that varies.
    """
    run = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator", pre_dispatch="n_jobs")
    with threadpool_limits(limits=1):
        yield from run(joblib.delayed(fit)() for fit in fits)


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


def bag_fits(
    name: CandidateName,
    features: Sequence[Feature],
    lesson: Lesson,
    *,
    choice: float | int,
    seed: int,
) -> Iterator[Callable[[], Pipeline]]:
    """Yield the fits of a candidate at a choice of its setting, one for each bag.

    Parameters
    ----------
    name : str
    features : sequence of Feature, k of them
    lesson : Lesson of shape (n, k)
    choice : float or int
    seed : int
    """
    if name == "logistic":
        lesson = lesson.thinned(_SCORECARD_ROWS)
    whole = candidate(name, features, lesson, seed=seed)
    whole.set_params(**{f"classify__{setting_of(name).parameter}": choice})
    for bag, part in enumerate(_bagged(lesson, number_of_bags(name, lesson), seed)):
        yield partial(
            clone(whole).set_params(**_seeded(whole, seed + bag)).fit,
            part.matrix,
            part.won,
            levels__groups=part.cluster,
            classify__sample_weight=part.weight,
        )


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
        As for ``bag_fits``.
    judged : ndarray of float64, shape (m, k)
        Encoded rows.
    choices : sequence, optional
        Default: all that the candidate offers.
    most_bags : int
        At most so many, and at most ``number_of_bags``.
    """
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


def _bagged(lesson: Lesson, count: int, seed: int) -> Iterator[Lesson]:
    if count == 1:
        yield lesson
        return
    generator = np.random.default_rng(seed)
    clusters = int(lesson.cluster.max()) + 1
    for _ in range(count):
        drawn = generator.permutation(clusters) < _BAGGED_SHARE * clusters
        part = lesson.taken(np.flatnonzero(drawn[lesson.cluster]))
        yield part if part.scarcest else lesson


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
