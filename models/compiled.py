"""The compiled model: a sum of features and of pairs of them, as tables.

What is registered and scored is this, not the fitted estimators: plain arrays, safe to load, the
same in any language, and with each feature's part of the margin in the same pass. Unlimited trees,
where a user opts into them, are arrays beside the tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from leadlight.features.catalog import Feature

from .encoding import Encoding, FloatArray
from .pair_grid import PairGrid, pairs_from_arrays, pairs_to_arrays, purify, weighted_grid
from .probing import Probe
from .shape import Shape, shapes_from_arrays, shapes_to_arrays, weighted_shape
from .steps import Slots, counts, edges, finer, slots
from .tree_arrays import trees_from_arrays, trees_to_arrays
from .tree_cuts import tree_cuts
from .tree_reading import read_trees
from .unlimited_trees import UnlimitedTrees, joined_trees

FORMAT = 2
"""Version of the payload; a reader refuses what it does not know."""

FORMAT_WITH_TREES = 3
"""Version of a payload that holds unlimited trees, which older readers would leave out."""

_BLOCK_ROWS = 8_192  # a block's columns stay in the processor's cache
_FRAME_ROWS = 65_536


@dataclass(frozen=True)
class CompiledModel:
    """A model of the margin (log-odds) that is a sum of features and pairs, as tables.

    With unlimited trees it is such a sum plus their Shapley values: exact parts of each lead's
    margin still, but no longer the same for all leads of one value.

    Attributes
    ----------
    encoding : Encoding
        Feature names and kept category levels.
    baseline : float
        Log-odds that every lead begins with.
    shapes : tuple of Shape
        One per feature.
    pairs : tuple of PairGrid
        Cuts are among the thresholds of the features' shapes, so that one look-up serves both.
    trees : UnlimitedTrees or None
        Their mean is part of the baseline.
    """

    encoding: Encoding
    baseline: float
    shapes: tuple[Shape, ...]
    pairs: tuple[PairGrid, ...] = ()
    trees: UnlimitedTrees | None = None

    def __post_init__(self) -> None:
        for pair in self.pairs:
            for at, cuts in ((pair.first, pair.first_cuts), (pair.second, pair.second_cuts)):
                if not np.isin(cuts, self.shapes[at].thresholds).all():
                    raise ValueError(f"a pair has cuts that feature {at} has not")

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
        margin = np.empty(len(frame))
        for rows in _blocks(len(frame), _FRAME_ROWS):
            margin[rows] = self.total(self.contributions(frame.iloc[rows]))
        return margin

    def unseen(self, frame: pd.DataFrame) -> dict[str, dict[str, int]]:
        """Count, per feature, the values of categories that training never saw."""
        return self.encoding.unseen(frame)

    def contributions(self, frame: pd.DataFrame) -> FloatArray:
        """Return each feature's part of the margin, with the same parameters and errors.

        Returns
        -------
        ndarray of float64, shape (n, k), column-major
            Log-odds; what a pair adds is split evenly between its two features, what unlimited
            trees add by Shapley values.
        """
        parts = self.encoding.matrix(frame)
        for many in _blocks(len(parts), _FRAME_ROWS):
            together = self.trees.parts(parts[many]) if self.trees else None
            for rows in _blocks(len(parts[many]), _BLOCK_ROWS):
                self._read(parts[many][rows])
            if together is not None:
                parts[many] += together
        return parts

    def total(self, parts: FloatArray) -> FloatArray:
        """Return the margin of rows whose contributions are known: baseline plus their sum.

        Feature by feature, so that a row's margin does not depend on which rows it comes with.
        """
        margin = np.full(len(parts), self.baseline)
        for at in range(parts.shape[1]):
            margin += parts[:, at]
        return margin

    def purified(self, frame: pd.DataFrame | None = None) -> "CompiledModel":
        """Return the same sum, with all that belongs to a single feature in its shape.

        Along each axis the weighted mean of a pair's grid becomes 0.

        Parameters
        ----------
        frame : DataFrame of shape (n, any), n > 0, optional
            Leads whose shares are the weights of the steps; without them, each step weighs alike.
        """
        baseline, shapes, pairs = self.baseline, list(self.shapes), []
        matrix = None if frame is None else self.encoding.matrix(frame)
        for pair in self.pairs:
            axes = ((pair.first, pair.first_cuts), (pair.second, pair.second_cuts))
            shares = [_shares(cuts, None if matrix is None else matrix[:, at]) for at, cuts in axes]
            parted = purify(pair, *shares)
            baseline += parted.level
            for (at, cuts), added in zip(axes, (parted.first, parted.second), strict=True):
                shapes[at] = shapes[at].raised(cuts, added)
            pairs.append(parted.grid)
        return replace(self, baseline=baseline, shapes=tuple(shapes), pairs=tuple(pairs))

    def to_payload(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Return plain JSON data and plain arrays; nothing in them is code."""
        written = FORMAT_WITH_TREES if self.trees else FORMAT
        plain = {"format": written, "baseline": self.baseline} | self.encoding.to_plain()
        arrays = shapes_to_arrays(self.shapes) | pairs_to_arrays(self.pairs)
        return plain, arrays | trees_to_arrays(self.trees)

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
        written = plain.get("format")
        if written not in (1, FORMAT, FORMAT_WITH_TREES):
            raise ValueError(f"compiled model of format {written!r}, not {FORMAT_WITH_TREES}")
        if written == 1:  # one line for each feature, and no pairs
            ones = np.ones(len(arrays["lines"]), dtype=np.int64)
            arrays = pairs_to_arrays(()) | dict(arrays) | {"line_counts": ones}
        encoding = Encoding.from_plain(plain)
        shapes = shapes_from_arrays(arrays)
        if len(shapes) != len(encoding.names):
            raise ValueError("the compiled model's tables do not belong to its features")
        trees = trees_from_arrays(arrays, encoding) if written == FORMAT_WITH_TREES else None
        return cls(encoding, float(plain["baseline"]), shapes, pairs_from_arrays(arrays), trees)

    @cached_property
    def _lookups(self) -> tuple[tuple[Slots, Slots, FloatArray], ...]:
        """For each pair: where in its flat grid each step of a shape begins, and half the grid."""
        return tuple(
            (
                finer(pair.first_cuts, self.shapes[pair.first].places.edges) * pair.values.shape[1],
                finer(pair.second_cuts, self.shapes[pair.second].places.edges),
                pair.values.ravel() / 2.0,
            )
            for pair in self.pairs
        )

    def _read(self, block: FloatArray) -> None:
        """Replace each encoded value by its part."""
        paired = {at for pair in self.pairs for at in (pair.first, pair.second)}
        places: dict[int, Slots] = {}
        for at, shape in enumerate(self.shapes):
            counted = counts(block[:, at])
            if counted is None:
                found = shape.places.find(block[:, at])
                block[:, at] = shape.parts_at(found, block[:, at])
            else:
                shape.count_parts.take(counted, out=block[:, at], mode="clip")
                found = shape.count_steps.take(counted) if at in paired else counted
            if at in paired:
                places[at] = found
        for pair, (rows, columns, halves) in zip(self.pairs, self._lookups, strict=True):
            cells = rows.take(places[pair.first])
            cells += columns.take(places[pair.second])
            half = halves.take(cells)
            block[:, pair.first] += half
            block[:, pair.second] += half


def compile_model(pipeline: Pipeline, features: Sequence[Feature]) -> CompiledModel:
    """Turn a fitted candidate into tables, by asking it.

    The model is a sum of functions of one and of two features. So the margin of a lead of whom one
    feature is known, less that of a lead of whom nothing is, is the part of that feature; and
    f(a, b) - f(a) - f(b) + f() is that of a pair. Each level, each side of each threshold and the
    missing value are asked for once; nothing is approximated. Then each pair is purified. Trees
    without limits are read as they are.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted; its first step is the ``LeadEncoder``, its last one logistic regression, or boosted
        trees.
    features : sequence of Feature
        In catalog order, as the pipeline was fitted on.

    Returns
    -------
    CompiledModel
        Agrees with ``pipeline.decision_function`` to 1e-9.

    Raises
    ------
    ValueError
        ``pipeline`` was fitted on other features, or joins more than two of them although it has
        limits.
    """
    encoding: Encoding = pipeline.named_steps["encode"].encoding_
    if encoding.names != tuple(feature.name for feature in features):
        raise ValueError("the pipeline was fitted on other features")
    classify = pipeline.named_steps["classify"]
    if getattr(classify, "pairs", ()) is None and classify.trees_:
        grown = read_trees(pipeline, encoding)
        flat = (Shape(np.empty(0), np.zeros(1), 0.0),) * len(features)
        return CompiledModel(encoding, classify.baseline_ + grown.mean, flat, trees=grown)
    probe = Probe(pipeline[1:], encoding)
    trees = tree_cuts(classify, len(encoding.names))
    shapes = probe.shapes(trees.single, _line_scales(pipeline, encoding))
    pairs = probe.pairs(trees.pairs)
    return CompiledModel(encoding, probe.baseline, tuple(shapes), tuple(pairs)).purified()


def blended(models: Sequence[CompiledModel], weights: Sequence[float]) -> CompiledModel:
    """Return the weighted sum of several models' log-odds as one model.

    Parameters
    ----------
    models : sequence of CompiledModel
        Of one encoding; the members of a blend, or the bags of one member.
    weights : sequence of float
        Not negative, one for each model.

    Raises
    ------
    ValueError
        No models, other than one weight for each, a negative weight, or encodings that differ.
    """
    if not models or len(models) != len(weights):
        raise ValueError(f"{len(models)} models and {len(weights)} weights cannot be blended")
    if not all(np.isfinite(weight) and weight >= 0.0 for weight in weights):
        raise ValueError(f"weights of a blend must be finite and not negative: {list(weights)}")
    if any(model.encoding != models[0].encoding for model in models):
        raise ValueError("models of different encodings cannot be blended")
    baseline = sum(weight * model.baseline for model, weight in zip(models, weights, strict=True))
    shapes = tuple(
        weighted_shape(shapes, weights)
        for shapes in zip(*(model.shapes for model in models), strict=True)
    )
    grids: dict[tuple[int, int], list[tuple[PairGrid, float]]] = {}
    for model, weight in zip(models, weights, strict=True):
        for pair in model.pairs:
            grids.setdefault((pair.first, pair.second), []).append((pair, weight))
    pairs = tuple(weighted_grid(*zip(*grids[both], strict=True)) for both in sorted(grids))
    grown = [
        (each.trees, weight) for each, weight in zip(models, weights, strict=True) if each.trees
    ]
    trees = joined_trees(*zip(*grown, strict=True)) if grown else None
    return CompiledModel(models[0].encoding, float(baseline), shapes, pairs, trees)


def _blocks(rows: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, rows, size))


def _shares(cuts: FloatArray, values: FloatArray | None) -> FloatArray:
    """Return the weight of each step: the share of values on it, or the same for all."""
    upper = edges(cuts)
    if values is None:
        return np.ones(len(upper))
    return np.bincount(slots(upper, values), minlength=len(upper)) / len(values)


def _line_scales(pipeline: Pipeline, encoding: Encoding) -> dict[int, tuple[float, float]]:
    """Return scale and shift of each number's line; trees have none."""
    prepare = pipeline.named_steps.get("prepare")
    numeric = [at for at, levels in enumerate(encoding.levels) if levels is None]
    if not isinstance(prepare, ColumnTransformer) or not numeric:
        return {}
    span = prepare.named_transformers_["numbers"].named_steps["range"]
    return {
        at: (float(span.scale_[place]), float(span.min_[place])) for place, at in enumerate(numeric)
    }
