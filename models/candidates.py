"""Candidates: the additive models that compete, each a pipeline from frame to margin."""

from collections.abc import Mapping, Sequence

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

from leadlight.features.catalog import Feature

from .encoding import LeadEncoder, feature_kinds
from .scales import signed_log

PENALTIES = (0.001, 0.01, 0.1, 1.0)
"""Inverse strengths of the scorecard's penalty to choose from; 0.1 unless another proves better."""

ITERATIONS = (25, 50, 100, 150, 225)
"""Numbers of boosting steps to choose from; 100 unless another proves better."""


def candidates(features: Sequence[Feature], *, seed: int) -> Mapping[str, Pipeline]:
    """Return the competing models, unfitted, by name.

    Parameters
    ----------
    features : sequence of Feature
        In catalog order.
    seed : int
        For the boosting's random choices.

    Returns
    -------
    mapping of str to Pipeline
        ``logistic``: the scorecard, linear in the signed logarithm of each number.
        ``boosted_additive``: one free shape per feature, no interactions [1]_.

    References
    ----------
    .. [1] Lou, Caruana, Gehrke: Intelligible models for classification and regression. KDD 2012.
    """
    return {
        "logistic": logistic(features),
        "boosted_additive": boosted_additive(features, seed=seed),
    }


def logistic(features: Sequence[Feature]) -> Pipeline:
    """Return the scorecard: regularised logistic regression.

    Counts are skewed, so each number enters as its signed logarithm; it is held inside the range
    seen in training, so that nothing extrapolates; a missing number takes the mean and a flag of
    its own. Categories have one column per level, one for rare levels, one for missing.
    """
    numeric = [at for at, feature in enumerate(features) if feature.kind == "numeric"]
    category = [at for at, feature in enumerate(features) if feature.kind == "category"]
    numbers = Pipeline(
        [
            ("log", FunctionTransformer(signed_log)),
            ("impute", SimpleImputer(add_indicator=True, keep_empty_features=True)),
            ("range", MinMaxScaler(clip=True)),
            ("standardise", StandardScaler()),
        ]
    )
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [("numbers", numbers, numeric), ("levels", levels, category)]
    prepare = ColumnTransformer([part for part in parts if part[2]])
    classify = LogisticRegression(C=0.1, tol=1e-6, max_iter=2000)
    return Pipeline([("encode", _encoder(features)), ("prepare", prepare), ("classify", classify)])


def boosted_additive(features: Sequence[Feature], *, seed: int) -> Pipeline:
    """Return the boosted additive model: small trees, each of one feature only.

    Trees see categories as such and missing values as a side of their own. There is no internal
    early stopping: it would validate on rows drawn at random over time.
    """
    category = [at for at, feature in enumerate(features) if feature.kind == "category"]
    classify = HistGradientBoostingClassifier(
        interaction_cst="no_interactions",
        categorical_features=category or None,
        learning_rate=0.1,
        max_iter=100,
        max_leaf_nodes=6,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("encode", _encoder(features)), ("classify", classify)])


def _encoder(features: Sequence[Feature]) -> LeadEncoder:
    return LeadEncoder(tuple(feature.name for feature in features), feature_kinds(features))
