"""The story of a training as plain data: for the registry, the report and machines."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from leadlight.features.feature import Feature
from leadlight.features.wording import Wording
from leadlight.models.candidates import CEILING
from leadlight.models.feature_shapes import feature_shapes
from leadlight.models.fitted_model import FittedModel
from leadlight.models.signal import tried
from leadlight.models.threshold import ThresholdChoice
from leadlight.models.training import TrainingResult


def training_story(
    result: TrainingResult,
    choice: ThresholdChoice,
    features: Sequence[Feature],
    frame: pd.DataFrame,
    wording: Wording,
) -> dict[str, Any]:
    """Return what a training found, as plain data for a JSON file.

    Parameters
    ----------
    result : TrainingResult
    choice : ThresholdChoice
    features : sequence of Feature
        The catalog, in its order.
    frame : DataFrame
        What ``train_model`` was given.
    wording : Wording
    """
    fitted = result.fitted
    shapes = feature_shapes(
        fitted.compiled,
        fitted.features,
        frame.iloc[result.windows.test],
        result.importance,
        wording,
    )
    return {
        "evaluation": result.evaluation.to_dict(),
        "unseen": result.unseen.to_dict() if result.unseen else None,
        "candidates": [each.to_dict() for each in fitted.candidates],
        "blend": [{"name": name, "weight": weight} for name, weight in fitted.weights.items()],
        "ceiling": _ceiling(fitted),
        "recency": fitted.recency.to_dict(),
        "level": fitted.level.to_dict(),
        "tried": list(tried(fitted)),
        "windows": [*result.windows.description, *fitted.folds.description, _refit(result)],
        "segments": [segment.to_dict() for segment in result.segments],
        "importance": importance_story(result.importance, features),
        "shapes": [shape.to_dict() for shape in shapes],
        "threshold": choice.to_dict(),
    }


def _refit(result: TrainingResult) -> str:
    rows = len(result.windows.before_test) + len(result.windows.test)
    return (
        f"What scores is the same model fitted again on all {rows:,} snapshots, the last window's "
        "too; the figures are of the model before."
    )


def _ceiling(fitted: FittedModel) -> dict[str, Any] | None:
    """Return what trees without limits reach on the rows that judged the blend they are not in."""
    if CEILING in fitted.weights:
        return None
    trees = next(each for each in fitted.candidates if each.name == CEILING)
    return {"log_loss": trees.log_loss.to_dict(), "blend": fitted.log_loss}


def importance_story(
    importance: Mapping[str, float], features: Sequence[Feature]
) -> list[dict[str, Any]]:
    """Sum each group's strengths; the strongest feature lends its label and family.

    Parameters
    ----------
    importance : mapping of str to float
        Per feature the mean distance of its part from its mean, log-odds.
    features : sequence of Feature
    """
    groups: dict[str, dict[str, Any]] = {}
    used = [feature for feature in features if feature.name in importance]
    for feature in sorted(used, key=lambda each: -importance[each.name]):
        strength = importance[feature.name]
        group = groups.setdefault(
            feature.group,
            {
                "group": feature.group,
                "label": feature.label,
                "family": feature.family,
                "strength": 0.0,
            },
        )
        group["strength"] += strength
    return sorted(groups.values(), key=lambda group: -group["strength"])
