"""Encoding: a frame of features becomes one matrix of numbers, the same at training and scoring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from leadlight.features.catalog import Feature
from leadlight.features.definition import FeatureKind
from leadlight.features.errors import SchemaMismatchError, did_you_mean

FloatArray = npt.NDArray[np.float64]

LARGEST = 1e100
"""Numbers beyond this, infinities included, count as this: no feature of a lead is larger."""

MIN_KNOWN_ROWS = 20
"""A number known in fewer training rows is not learned from."""

MIN_LEVEL_LEADS = 5
"""A category level of fewer leads is grouped with the other rare ones.

Leads, not rows: a lead recurs at every snapshot, and one lead's many rows say no more of a level.
"""

# Converting columns together costs copies of them, and one by one a series of each.
_COLUMNS_AT_ONCE = 64
_MANY_ROWS = 2000

MAX_LEVELS = 2000
"""Levels kept per category, those of most leads first."""

MAX_RARE_LEVELS = 1000
"""Rare levels remembered per category; beyond it, rare and new values are not told apart."""


@dataclass(frozen=True)
class Encoding:
    """How each feature of a lead becomes a number.

    A number stays as it is. A category becomes the position of its level; every rare or unseen
    level shares the position after the last. A missing value is NaN in both cases.

    Attributes
    ----------
    names : tuple of str
        Feature columns, in the order of the matrix.
    levels : tuple of (tuple of str or None)
        Per feature the kept levels of a category; None for a number.
    rare : tuple of tuple of str
        Per feature the levels that training saw but grouped, up to ``MAX_RARE_LEVELS``; they tell
        a value that is rare from one that is new.
    unlearned : tuple of str
        Numbers that were hardly ever known in training; each counts as 0 for every lead.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[str, ...] | None, ...]
    rare: tuple[tuple[str, ...], ...]
    unlearned: tuple[str, ...] = ()

    def matrix(self, frame: pd.DataFrame) -> FloatArray:
        """Encode each row of ``frame``.

        Parameters
        ----------
        frame : DataFrame of shape (n, any)
            Has at least the columns ``names``.

        Returns
        -------
        ndarray of float64, shape (n, k), column-major

        Raises
        ------
        SchemaMismatchError
            A column is missing, or holds text where the model was trained on numbers (or the
            reverse).
        """
        kinds: list[FeatureKind] = [
            "numeric" if known is None else "category" for known in self.levels
        ]
        check_columns(frame, self.names, kinds)
        unlearned, types = frozenset(self.unlearned), _types(frame)
        encoded = np.empty((len(frame), len(self.names)), order="F")
        numbers = []
        for at, (name, known) in enumerate(zip(self.names, self.levels, strict=True)):
            if known is not None:
                encoded[:, at] = _positions(frame[name], self._places[at])
            elif name in unlearned:
                encoded[:, at] = 0.0
            elif _is_number(types[name]):
                numbers.append(at)
            else:
                encoded[:, at] = np.nan
        if len(frame) >= _MANY_ROWS:
            for at in numbers:
                _encode_number(frame[self.names[at]], encoded[:, at])
            return encoded
        for start in range(0, len(numbers), _COLUMNS_AT_ONCE):
            some = numbers[start : start + _COLUMNS_AT_ONCE]
            encoded[:, some] = _numbers(frame[[self.names[at] for at in some]])
        return encoded

    @cached_property
    def _places(self) -> tuple[dict[str, float], ...]:
        """For each feature, its levels' codes; of a number, none."""
        return tuple(
            {level: float(at) for at, level in enumerate(known or ())} for known in self.levels
        )

    def unseen(self, frame: pd.DataFrame) -> dict[str, dict[str, int]]:
        """Count the values of categories that training never saw; they score as rare ones do.

        Parameters
        ----------
        frame : DataFrame of shape (n, any)
            Has at least the columns ``names``.

        Returns
        -------
        dict of str to dict of str to int
            Feature -> value -> rows; features without a new value are left out.
        """
        found = {}
        for name, known, rare in zip(self.names, self.levels, self.rare, strict=True):
            if known is None or len(rare) >= MAX_RARE_LEVELS:
                continue
            values = frame[name].dropna().astype("str")
            new = values[~values.isin([*known, *rare])].value_counts()
            if len(new):
                found[name] = {str(value): int(rows) for value, rows in sorted(new.items())}
        return found

    def to_plain(self) -> dict[str, Any]:
        """Return plain JSON data."""
        features = [
            {"name": name, "levels": None if levels is None else list(levels), "rare": list(rare)}
            for name, levels, rare in zip(self.names, self.levels, self.rare, strict=True)
        ]
        return {"features": features, "unlearned": list(self.unlearned)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read what ``to_plain`` gave."""
        features = plain["features"]
        return cls(
            tuple(each["name"] for each in features),
            tuple(None if each["levels"] is None else tuple(each["levels"]) for each in features),
            tuple(tuple(each["rare"]) for each in features),
            tuple(plain["unlearned"]),
        )


class LeadEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """First step of every candidate: learn the levels of the categories, then encode.

    Parameters
    ----------
    names : tuple of str
        Feature columns, in the order of the matrix.
    kinds : tuple of {"numeric", "category"}

    Attributes
    ----------
    encoding_ : Encoding
    """

    def __init__(self, names: tuple[str, ...], kinds: tuple[FeatureKind, ...]) -> None:
        self.names = names
        self.kinds = kinds

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:  # noqa: N803, ARG002
        """Learn which levels of each category, and which numbers, are known often enough."""
        check_columns(X, self.names, self.kinds)
        lead = (
            pd.factorize(X["lead_id"], use_na_sentinel=False)[0]
            if "lead_id" in X
            else np.arange(len(X))
        )
        counted = [
            _levels(X[name], lead) if kind == "category" else (None, ())
            for name, kind in zip(self.names, self.kinds, strict=True)
        ]
        levels = tuple(kept for kept, _ in counted)
        rare = tuple(grouped for _, grouped in counted)
        # The trees draw their thresholds from a sample of rows, and fail on one without a value.
        least = MIN_KNOWN_ROWS + len(X) // 10_000
        unlearned = tuple(
            name
            for name, known in zip(self.names, levels, strict=True)
            if known is None and int(X[name].notna().sum()) < least
        )
        self.encoding_ = Encoding(tuple(self.names), levels, rare, unlearned)
        return self

    def transform(self, X: pd.DataFrame) -> FloatArray:  # noqa: N803
        """Return the matrix of shape (n, k)."""
        return self.encoding_.matrix(X)


def check_columns(frame: pd.DataFrame, names: Sequence[str], kinds: Sequence[FeatureKind]) -> None:
    """Compare the columns of a frame with those that the model knows.

    Raises
    ------
    SchemaMismatchError
        Names every missing column and every column whose type changed.
    """
    differences, types = [], _types(frame)
    for name, kind in zip(names, kinds, strict=True):
        was, is_of_kind = ("text", _is_text) if kind == "category" else ("numbers", _is_number)
        if name not in types:
            guess = did_you_mean(name, [str(c) for c in frame.columns if c not in names])
            differences.append(f"column '{name}' is missing.{guess}")
        elif not is_of_kind(types[name]) and frame[name].notna().any():
            differences.append(f"column '{name}' was {was} and now holds {_sample(frame[name])}.")
    if differences:
        shown = differences[:10] + [f"{len(differences) - 10} more."] * (len(differences) > 10)
        raise SchemaMismatchError(
            "the features differ from those the model was trained on:\n  " + "\n  ".join(shown),
            hint="Bring the source back to its former shape, or train a new model on the new one.",
        )


def feature_kinds(features: Sequence[Feature]) -> tuple[FeatureKind, ...]:
    """Return the kind of each feature, in catalog order."""
    return tuple(feature.kind for feature in features)


def _types(frame: pd.DataFrame) -> dict[Any, Any]:
    """Return the type of each column, without making a series of each."""
    return dict(zip(frame.columns, frame.dtypes, strict=True))


@lru_cache
def _is_number(kind: Any) -> bool:
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)


@lru_cache
def _is_text(kind: Any) -> bool:
    if isinstance(kind, pd.CategoricalDtype):
        kind = kind.categories.dtype
    return pd.api.types.is_string_dtype(kind) or pd.api.types.is_object_dtype(kind)


def _sample(column: "pd.Series[Any]") -> str:
    return f"{column.dtype} ({column.dropna().iloc[0]!r})"


def _numbers(columns: "pd.DataFrame | pd.Series[Any]") -> FloatArray:
    values: FloatArray = columns.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.clip(values, -LARGEST, LARGEST)


def _encode_number(column: "pd.Series[Any]", out: FloatArray) -> None:
    """Write one column of numbers; those of whole types need no look at their size."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub":
        out[:] = column.to_numpy()
    else:
        out[:] = _numbers(column)


def _positions(column: "pd.Series[Any]", places: Mapping[str, float]) -> FloatArray:
    """Return each value's code; those without a place share the one after the last."""
    texts = column if column.dtype == "str" else column.astype("str")
    few = len(texts) < _MANY_ROWS
    # Of few values, to find the distinct ones takes longer than to look for each.
    codes, seen = (..., texts.to_numpy(dtype=object)) if few else pd.factorize(texts)
    new = float(len(places))
    positions = [np.nan if pd.isna(value) else places.get(value, new) for value in seen]
    # factorize gives missing values -1: the last position.
    encoded: FloatArray = np.array(positions if few else [*positions, np.nan])[codes]
    return encoded


def _levels(
    column: "pd.Series[Any]", lead: npt.NDArray[np.intp]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the levels with a place of their own, those of most leads first, and the rare ones."""
    codes, seen = pd.factorize(column.astype("str"))
    known = codes >= 0
    pairs = np.unique(codes[known] * (lead.max(initial=0) + 1) + lead[known])
    leads = np.bincount(pairs // (lead.max(initial=0) + 1), minlength=len(seen))
    ranked = sorted(zip(seen, leads.tolist(), strict=True), key=lambda each: (-each[1], each[0]))
    frequent = [str(level) for level, count in ranked if count >= MIN_LEVEL_LEADS][:MAX_LEVELS]
    rare = [str(level) for level, _ in ranked[len(frequent) :]][:MAX_RARE_LEVELS]
    return tuple(frequent), tuple(rare)
