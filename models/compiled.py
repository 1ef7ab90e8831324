"""The compiled model: an additive model as one look-up table and one line per feature.

What is registered and scored is this, not the fitted estimator: plain arrays, safe to load, the
same in any language, and with each feature's part of the margin in the same pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from leadlight.features.catalog import Feature

from .candidates import signed_log
from .encoding import LARGEST, Encoding, FloatArray

FORMAT = 1
"""Version of the payload; a reader refuses what it does not know."""


@dataclass(frozen=True)
class Shape:
    """What one feature adds to the margin: a line plus a step table.

    The line is ``slope * clip(signed_log(x) * scale + shift, 0, 1)``. Step ``i`` of a number holds
    for ``thresholds[i - 1] < x <= thresholds[i]``; step ``i`` of a category for its level ``i``,
    the last one for rare and unseen levels. A missing value has one value instead of both.

    Attributes
    ----------
    thresholds : ndarray of float64, shape (t,)
        Ascending; for a category 0, 1, ... so that step ``i`` is level ``i``.
    steps : ndarray of float64, shape (t + 1,)
        Log-odds.
    missing : float
        Log-odds of a missing value.
    slope, scale, shift : float
        The line; a slope of 0 is no line.
    """

    thresholds: FloatArray
    steps: FloatArray
    missing: float
    slope: float = 0.0
    scale: float = 0.0
    shift: float = 0.0

    def parts(self, values: FloatArray) -> FloatArray:
        """Return the log-odds that each encoded value adds, shape (n,)."""
        added: FloatArray = self.steps[np.searchsorted(self.thresholds, values, side="left")]
        if self.slope:
            place = np.clip(signed_log(values) * self.scale + self.shift, 0.0, 1.0)
            added = added + self.slope * place
        return np.where(np.isnan(values), self.missing, added)


@dataclass(frozen=True)
class CompiledModel:
    """An additive model of the margin (log-odds), as tables.

    Attributes
    ----------
    encoding : Encoding
        Feature names and kept category levels.
    baseline : float
        Log-odds of the lead whose every feature is missing.
    shapes : tuple of Shape
        One per feature.
    """

    encoding: Encoding
    baseline: float
    shapes: tuple[Shape, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """Feature columns, in the order of the contributions."""
        return self.encoding.names

    def margin(self, frame: pd.DataFrame) -> FloatArray:
        """Return the log-odds of each row, before calibration.

        Parameters
        ----------
        frame : DataFrame of shape (n, any)
            Has at least the columns ``features``.

        Returns
        -------
        ndarray of float64, shape (n,)

        Raises
        ------
        SchemaMismatchError
            A column is missing or changed its type.
        """
        return self.total(self.contributions(frame))

    def unseen(self, frame: pd.DataFrame) -> dict[str, dict[str, int]]:
        """Count, per feature, the values of categories that training never saw."""
        return self.encoding.unseen(frame)

    def contributions(self, frame: pd.DataFrame) -> FloatArray:
        """Return each feature's part of the margin, with the same parameters and errors.

        Returns
        -------
        ndarray of float64, shape (n, k), column-major
            Log-odds, relative to the lead whose every feature is missing.
        """
        parts = self.encoding.matrix(frame)
        for at, shape in enumerate(self.shapes):
            parts[:, at] = shape.parts(parts[:, at])
        return parts

    def total(self, parts: FloatArray) -> FloatArray:
        """Return the margin of rows whose contributions are known: baseline plus their sum.

        Feature by feature, so that a row's margin does not depend on which rows it comes with.
        """
        margin = np.full(len(parts), self.baseline)
        for at in range(parts.shape[1]):
            margin += parts[:, at]
        return margin

    def to_payload(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Return plain JSON data and plain arrays; nothing in them is code."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "thresholds": _joined([shape.thresholds for shape in self.shapes]),
            "threshold_counts": np.array([len(s.thresholds) for s in self.shapes], dtype=np.int64),
            "steps": _joined([shape.steps for shape in self.shapes]),
            "missing": np.array([shape.missing for shape in self.shapes], dtype=np.float64),
            "lines": np.array(
                [[shape.slope, shape.scale, shape.shift] for shape in self.shapes],
                dtype=np.float64,
            ).reshape(-1, 3),
        }
        plain = {
            "format": FORMAT,
            "baseline": self.baseline,
            "features": [
                {
                    "name": name,
                    "levels": None if levels is None else list(levels),
                    "rare": list(rare),
                }
                for name, levels, rare in zip(
                    self.encoding.names, self.encoding.levels, self.encoding.rare, strict=True
                )
            ],
            "unlearned": list(self.encoding.unlearned),
        }
        return plain, arrays

    @classmethod
    def from_payload(
        cls, plain: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
    ) -> "CompiledModel":
        """Read what ``to_payload`` wrote.

        Raises
        ------
        ValueError
            The payload has another format, or its arrays do not belong together.
        """
        if plain.get("format") != FORMAT:
            raise ValueError(f"compiled model of format {plain.get('format')!r}, not {FORMAT}")
        counts = np.asarray(arrays["threshold_counts"], dtype=np.int64)
        thresholds = np.split(arrays["thresholds"], np.cumsum(counts)[:-1])
        steps = np.split(arrays["steps"], np.cumsum(counts + 1)[:-1])
        features = plain["features"]
        shapes = tuple(
            Shape(cut, step, float(missing), *(float(number) for number in line))
            for _, cut, step, missing, line in zip(
                features, thresholds, steps, arrays["missing"], arrays["lines"], strict=True
            )
        )
        if any(len(shape.steps) != len(shape.thresholds) + 1 for shape in shapes):
            raise ValueError("the compiled model's tables do not belong together")
        encoding = Encoding(
            tuple(feature["name"] for feature in features),
            tuple(
                None if feature["levels"] is None else tuple(feature["levels"])
                for feature in features
            ),
            tuple(tuple(feature["rare"]) for feature in features),
            tuple(plain["unlearned"]),
        )
        return cls(encoding, float(plain["baseline"]), shapes)


def compile_model(pipeline: Pipeline, features: Sequence[Feature]) -> CompiledModel:
    """Turn a fitted candidate into tables, by asking it.

    The model is additive, so the difference between its margins for two leads that differ in one
    feature is the difference of that feature's parts. Each level, each side of each threshold and
    the missing value are asked for once; nothing is approximated.

    Parameters
    ----------
    pipeline : Pipeline
        One of ``candidates``, fitted.
    features : sequence of Feature
        In catalog order, as given to ``candidates``.

    Returns
    -------
    CompiledModel
        Agrees with ``pipeline.decision_function`` to 1e-9.

    Raises
    ------
    ValueError
        ``pipeline`` was fitted on other features.
    """
    encoding: Encoding = pipeline.named_steps["encode"].encoding_
    if encoding.names != tuple(feature.name for feature in features):
        raise ValueError("the pipeline was fitted on other features")
    estimator = pipeline[1:]
    thresholds = _tree_thresholds(pipeline, encoding)
    lines = _line_scales(pipeline, encoding)
    baseline = float(estimator.decision_function(np.full((1, len(encoding.names)), np.nan))[0])
    shapes = []
    for at, levels in enumerate(encoding.levels):
        if levels is not None:
            cuts = np.arange(len(levels), dtype=np.float64)
            probes = np.arange(len(levels) + 1, dtype=np.float64)
        else:
            cuts = thresholds[at]
            probes = np.concatenate([[-LARGEST], cuts, [LARGEST]])
        rows = np.full((len(probes), len(encoding.names)), np.nan)
        rows[:, at] = probes
        added = estimator.decision_function(rows) - baseline
        if levels is not None:
            shapes.append(Shape(cuts, added, 0.0))
        elif lines is None:
            shapes.append(Shape(cuts, added[1:], 0.0))
        else:
            scale, shift = lines[at]
            shapes.append(Shape(cuts, added[:1], 0.0, float(added[-1] - added[0]), scale, shift))
    return CompiledModel(encoding, baseline, tuple(shapes))


def _tree_thresholds(pipeline: Pipeline, encoding: Encoding) -> list[FloatArray]:
    """Return the finite thresholds at which the trees split each number."""
    count = len(encoding.names)
    found: list[list[FloatArray]] = [[] for _ in range(count)]
    trees = getattr(pipeline.named_steps["classify"], "_predictors", [])
    # The estimator moves categories to the front before it grows its trees.
    category = [at for at in range(count) if encoding.levels[at] is not None]
    numeric = [at for at in range(count) if encoding.levels[at] is None]
    order = np.array(category + numeric)
    for (tree,) in trees:
        splits = tree.nodes[(tree.nodes["is_leaf"] == 0) & (tree.nodes["is_categorical"] == 0)]
        for split in splits:
            found[order[split["feature_idx"]]].append(split["num_threshold"])
    cuts = [np.unique(np.array(values, dtype=np.float64)) for values in found]
    return [values[np.isfinite(values)] for values in cuts]


def _line_scales(pipeline: Pipeline, encoding: Encoding) -> dict[int, tuple[float, float]] | None:
    """Return scale and shift of each number's line, or None where the model has no lines."""
    prepare = pipeline.named_steps.get("prepare")
    if prepare is None:
        return None
    numeric = [at for at, levels in enumerate(encoding.levels) if levels is None]
    if not numeric:
        return {}
    span = prepare.named_transformers_["numbers"].named_steps["range"]
    return {
        at: (float(span.scale_[place]), float(span.min_[place])) for place, at in enumerate(numeric)
    }


def _joined(arrays: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([np.empty(0), *arrays])
