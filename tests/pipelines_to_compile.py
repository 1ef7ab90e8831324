"""Fitted pipelines of every kind that can be compiled, on leads with a category of many levels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from lead_frames import FEATURES, feature, leads
from scipy.special import logit
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

from leadlight.features.feature import Feature
from leadlight.models.boosted_trees import BoostedTrees
from leadlight.models.encoding import LeadEncoder, feature_kinds
from leadlight.models.scales import signed_log
from leadlight.models.target_encoding import TargetLevels, high_cardinality

CITY_FEATURES = (*FEATURES, feature("city", "category", "fit"))
PAIRS = (
    ("visits", "days_since_last"),
    ("visits", "industry"),
    ("industry", "city"),
    ("revenue", "city"),
    ("visits", "nothing known"),
    ("revenue", "visits"),
)


def city_leads(rows: int = 4000, seed: int = 0) -> pd.DataFrame:
    """Leads of many cities; a demo visit counts in finance only, and not from everywhere."""
    generator = np.random.default_rng(seed + 100)
    code = generator.geometric(0.02, rows)
    city = np.where(generator.random(rows) < 0.1, None, [f"city {at}" for at in code.tolist()])
    frame = leads(rows, seed).assign(city=pd.Series(city, dtype="str"))
    drawn = (code % 3 == 0) & (frame["visits"] > 3) & (frame["industry"] != "Retail")
    return frame.assign(label=frame["label"] | (drawn & (generator.random(rows) < 0.6)))


def lead_encoder(features: Sequence[Feature], frame: pd.DataFrame) -> LeadEncoder:
    names = tuple(each.name for each in features)
    return LeadEncoder(names, feature_kinds(features)).fit(frame)


def fitted_logistic(
    features: Sequence[Feature], frame: pd.DataFrame, encoder: LeadEncoder | None = None
) -> Pipeline:
    encoder = encoder or lead_encoder(features, frame)
    matrix = encoder.transform(frame)
    category = [at for at, each in enumerate(features) if each.kind == "category"]
    many = high_cardinality(matrix, category)
    few = [at for at in category if at not in many]
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
    numeric = [at for at, each in enumerate(features) if each.kind == "numeric"]
    parts = [("numbers", numbers, numeric), ("levels", levels, few), ("shares", shares, list(many))]
    steps = [
        ("levels", TargetLevels(many)),
        ("prepare", ColumnTransformer([part for part in parts if part[2]])),
        ("classify", LogisticRegression(C=0.1, tol=1e-6, max_iter=2000)),
    ]
    after = Pipeline(steps).fit(matrix, frame["label"], levels__groups=np.arange(len(frame)))
    return Pipeline([("encode", encoder), *after.steps])


def fitted_trees(
    features: Sequence[Feature],
    frame: pd.DataFrame,
    pairs: Sequence[tuple[str, str]] | None = (),
    encoder: LeadEncoder | None = None,
    weight: np.ndarray | None = None,
    **settings: object,
) -> Pipeline:
    encoder = encoder or lead_encoder(features, frame)
    matrix = encoder.transform(frame)
    names = [each.name for each in features]
    category = [at for at, each in enumerate(features) if each.kind == "category"]
    many = high_cardinality(matrix, category)
    native = [at for at in category if at not in many]
    together = [(names.index(first), names.index(second)) for first, second in pairs or ()]
    classify = BoostedTrees(
        **{
            "category": tuple(native),
            "pairs": None if pairs is None else tuple(together),
            "directions": (0,) * len(names),
            "max_leaf_nodes": 8,
            "max_iter": 60,
            "max_features": 1.0,
            "min_samples_leaf": 20,
            "random_state": 0,
            **settings,
        },
    )
    after = Pipeline([("prepare", TargetLevels(many)), ("classify", classify)])
    after.fit(
        matrix,
        frame["label"],
        prepare__groups=np.arange(len(frame)),
        classify__sample_weight=weight,
    )
    return Pipeline([("encode", encoder), *after.steps])
