"""The signature and the input example of a decision version: made from its catalog, never a lead's.

An example row of real data would put a person into the registry. These rows say what shape the
input has and nothing else.
"""

from typing import TYPE_CHECKING

import pandas as pd

from leadlight.models.decision import DecisionVersion

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

_EXAMPLE_WORD = "example"
_EXAMPLE_AS_OF = pd.Timestamp("2000-01-01", tz="UTC")


def input_example(decision: DecisionVersion) -> pd.DataFrame:
    """Make two leads that nobody is: one that is all zeros, one of which nothing is known.

    Parameters
    ----------
    decision : DecisionVersion

    Returns
    -------
    DataFrame of 2 rows
        ``lead_id``, ``as_of`` (UTC; missing where the data has no dates), then the model's
        features.
    """
    dated = decision.metadata.get("horizon_days") is not None
    columns: dict[str, pd.Series] = {
        "lead_id": pd.Series(["example-1", "example-2"], dtype="str"),
        "as_of": pd.Series(
            [_EXAMPLE_AS_OF if dated else pd.NaT] * 2, dtype=pd.DatetimeTZDtype("us", "UTC")
        ),
    }
    for feature in decision.features:
        columns[feature.name] = (
            pd.Series([0.0, float("nan")])
            if feature.kind == "numeric"
            else pd.Series([_EXAMPLE_WORD, None], dtype="str")
        )
    return pd.DataFrame(columns)


def signature_of(decision: DecisionVersion) -> "ModelSignature":
    """Say which columns a decision version takes and gives.

    Every feature may be missing for a lead, though its column may not. ``as_of`` is of any type,
    because MLflow knows no time with a zone.
    """
    from mlflow.models import ModelSignature  # noqa: PLC0415 - a second of import
    from mlflow.types import ColSpec, DataType, Schema  # noqa: PLC0415
    from mlflow.types.schema import AnyType, Array  # noqa: PLC0415

    kinds = {"numeric": DataType.double, "category": DataType.string}
    inputs = [ColSpec(DataType.string, "lead_id"), ColSpec(AnyType(), "as_of", required=False)]
    inputs += [
        ColSpec(kinds[feature.kind], feature.name, required=False) for feature in decision.features
    ]
    outputs = [
        ColSpec(DataType.string, "lead_id"),
        ColSpec(AnyType(), "as_of", required=False),
        *(ColSpec(DataType.double, name) for name in ("probability", "percentile")),
        ColSpec(DataType.string, "grade"),
        ColSpec(DataType.boolean, "mql"),
        *(
            ColSpec(DataType.double, name, required=False)
            for name in ("fit_percentile", "engagement_percentile")
        ),
        *(
            ColSpec(Array(kind), f"{what}_{direction}")
            for direction in ("for", "against")
            for what, kind in (
                ("reasons", DataType.string),
                ("reason_ids", DataType.string),
                ("reason_points", DataType.long),
            )
        ),
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))
