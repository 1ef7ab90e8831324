"""Candidates: the glass-box models that compete, and the unlimited trees that show the ceiling.

Each is what follows the encoding: from a matrix of encoded features to a margin (log-odds).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

from leadlight.features.feature import Feature

from .boosted_trees import BoostedTrees, Pair
from .directions import agreeing_directions
from .interactions import interacting_pairs, tried_share
from .lesson import Lesson
from .scales import signed_log
from .scorecard import Scorecard
from .target_encoding import TargetLevels, high_cardinality

CandidateName = Literal["logistic", "boosted_additive", "boosted_pairs", "unlimited_trees"]

CANDIDATES: tuple[CandidateName, ...] = ("logistic", "boosted_additive", "boosted_pairs")
"""Those that may be used by default, simpler ones first."""

CEILING: CandidateName = "unlimited_trees"
"""Shown beside the others, used only where a user opts in: no feature has a shape of its own in it.

Its reasons are Shapley values, a fair share of what features do together.
"""

PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Inverse strengths of the scorecard's penalty to choose from; 0.1 unless another proves better."""

ITERATIONS = (25, 50, 100, 150)
"""Numbers of boosting steps to choose from; 100 unless another proves better."""

MANY_ROWS = 40_000
"""Rows beyond which fewer values of a setting are worth trying."""

_LEAVES = {"boosted_additive": 6, "boosted_pairs": 8, "unlimited_trees": 16}
_WINS_IN_A_LEAF = 2.0
_EXACTLY_SOLVED = 400


@dataclass(frozen=True)
class Setting:
    """The one choice that each candidate leaves to the windows.

    Attributes
    ----------
    parameter : str
        Of the last step of the pipeline.
    values : tuple of float or int
    usual : float or int
        Stands unless another is clearly better.
    """

    parameter: str
    values: tuple[float | int, ...]
    usual: float | int


def setting_of(name: CandidateName) -> Setting:
    """Return what is chosen for a candidate: its penalty, or its number of steps."""
    if name == "logistic":
        return Setting("C", PENALTIES, 0.1)
    if name == CEILING:
        return Setting("max_iter", ITERATIONS[:2], 50)
    return Setting("max_iter", ITERATIONS, 100)


def choices_of(name: CandidateName, rows: int) -> tuple[float | int, ...]:
    """Return the values of a candidate's setting that are worth trying.

    Of many rows the folds see a part. What is fitted on all of them in the end bears a weaker
    penalty and more steps than the part would, and hardly depends on them: fewer are tried, and
    none with fewer steps than usual.

    Parameters
    ----------
    name : str
    rows : int
        That the final fit learns from.
    """
    setting = setting_of(name)
    if rows <= MANY_ROWS:
        return setting.values
    if name == "logistic":
        return tuple(value for value in setting.values if 0.01 <= value <= 1.0)
    return tuple(value for value in setting.values if value >= setting.usual)


def candidate(
    name: CandidateName, features: Sequence[Feature], lesson: Lesson, *, seed: int
) -> Pipeline:
    """Return a competing model, unfitted.

    Parameters
    ----------
    name : {"logistic", "boosted_additive", "boosted_pairs", "unlimited_trees"}
        The scorecard, linear in the signed logarithm of each number; one free shape per feature
        [1]_; the same with at most 32 pairs [2]_; trees without limits.
    features : sequence of Feature
        One for each column of the lesson.
    lesson : Lesson
        What it will learn from: tells which directions of the catalog hold, how rare wins are, and
        which features act together.
    seed : int
        For the boosting's random choices.

    References
    ----------
    .. [1] Lou, Caruana, Gehrke: Intelligible models for classification and regression. KDD 2012.
    .. [2] Lou, Caruana, Gehrke, Hooker: Accurate intelligible models with pairwise interactions.
       KDD 2013.
    """
    if name == "logistic":
        return _logistic(features, lesson)
    together = name == "boosted_pairs"
    pairs = interacting_pairs(features, lesson, seed=seed) if together else ()
    return _boosted(name, features, lesson, pairs, seed=seed)


def _logistic(features: Sequence[Feature], lesson: Lesson) -> Pipeline:
    """Return the scorecard: regularised logistic regression.

    Counts are skewed, so each number enters as its signed logarithm; it is held inside the range
    seen in training, so that nothing extrapolates; a missing number takes the mean and a flag of
    its own. Categories have one column per level, one for rare levels, one for missing; those of
    many levels enter as the log-odds of the share of wins at the level.
    """
    numeric, few, many = _columns(features, lesson)
    numbers = Pipeline(
        [
            ("log", FunctionTransformer(signed_log)),
            ("impute", SimpleImputer(add_indicator=True, keep_empty_features=True)),
            ("range", MinMaxScaler(clip=True)),
            ("standardise", StandardScaler()),
        ]
    )
    shares = Pipeline([("log_odds", FunctionTransformer(logit)), ("standardise", StandardScaler())])
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [("numbers", numbers, numeric), ("levels", levels, few), ("shares", shares, many)]
    # A few exact steps where the columns' products are cheap; many cheap ones where they are not.
    exact = len(numeric) <= _EXACTLY_SOLVED
    classify = Scorecard(
        C=0.1,
        solver="newton-cholesky" if exact else "lbfgs",
        tol=1e-6 if exact else 1e-4,
        max_iter=100 if exact else 500,
    )
    steps = [
        ("levels", TargetLevels(tuple(many))),
        ("prepare", ColumnTransformer([part for part in parts if part[2]])),
        ("classify", classify),
    ]
    return Pipeline(steps)


def _boosted(
    name: CandidateName,
    features: Sequence[Feature],
    lesson: Lesson,
    pairs: Sequence[Pair],
    *,
    seed: int,
) -> Pipeline:
    """Return boosted trees; categories and missing values are sides of their own.

    There is no internal early stopping: it would validate on rows drawn at random over time. The
    number of steps is chosen on later windows instead.
    """
    _, few, many = _columns(features, lesson)
    limited = name != CEILING
    classify = BoostedTrees(
        category=tuple(few),
        pairs=tuple(pairs) if limited else None,
        directions=agreeing_directions(features, lesson) if limited else (0,) * len(features),
        max_iter=100,
        max_leaf_nodes=_LEAVES[name],
        max_features=tried_share(len(features)),
        min_samples_leaf=_least_leaf(lesson.won),
        random_state=seed,
    )
    return Pipeline([("levels", TargetLevels(tuple(many))), ("classify", classify)])


def _columns(features: Sequence[Feature], lesson: Lesson) -> tuple[list[int], list[int], list[int]]:
    """Return the columns of numbers, of categories, and of categories of many levels."""
    numeric = [at for at, feature in enumerate(features) if feature.kind == "numeric"]
    category = [at for at, feature in enumerate(features) if feature.kind == "category"]
    many = high_cardinality(lesson.matrix, category)
    return numeric, [at for at in category if at not in many], list(many)


def _least_leaf(won: npt.NDArray[np.bool_]) -> int:
    """Return the rows a leaf needs: where wins are rare, a leaf of few rows holds none."""
    share = min(won.mean(), 1.0 - won.mean())
    return int(np.clip(_WINS_IN_A_LEAF / max(share, 1e-9), 20, max(20, len(won) // 50)))
