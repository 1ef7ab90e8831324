"""Drift: how far a distribution lies from its reference, in size and in chance.

The size is the population stability index (PSI); the chance that of a G test, which is the PSI's
near relative, with the number of rows that the two samples are worth. Nightly runs see almost the
same leads again and again: where earlier nights are known, the rows are scaled so that the nights
before, compared in the same way, stray as a G test says they should.

References
----------
Siddiqi (2006), Credit Risk Scorecards, ch. 9 (PSI, with 0.1 and 0.25 as its limits).
Yurdakul & Naranjo (2020), Statistical properties of the population stability index, Journal of
Risk Model Validation 14: PSI is a chi-square over the harmonic number of rows.
Rao & Scott (1981), The analysis of categorical data from complex sample surveys, JASA 76: the
chi-square of dependent rows, divided by their design effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

Floats = NDArray[np.float64]

_BINS = 10
_CATEGORIES = 20
MISSING = "missing"
RARE = "rare"


@dataclass(frozen=True, eq=False)
class Bins:
    """How the values of one feature are sorted into bins; the last bin holds missing values.

    Attributes
    ----------
    edges : array of shape (k,) or None
        Of a number: upper ends of all bins but the last, each within its bin.
    categories : tuple of str
        Of a category: the frequent ones, each a bin; all others share one.
    """

    edges: Floats | None
    categories: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: "pd.Series[Any]") -> "Bins":
        """Sort into about ten bins of equal size, or into the twenty most frequent categories."""
        if _is_number(values):
            known = values.dropna().to_numpy(dtype=np.float64)
            levels = np.linspace(0, 1, _BINS + 1)[1:-1]
            if not len(known):
                return cls(np.zeros(0))
            return cls(np.unique(np.quantile(known, levels, method="lower")).astype(np.float64))
        frequent = values.dropna().astype(str).value_counts()
        return cls(None, tuple(sorted(frequent.index[:_CATEGORIES])))

    @property
    def labels(self) -> tuple[str, ...]:
        """What each bin holds, in order."""
        if self.edges is None:
            return (*self.categories, RARE, MISSING)
        if not len(self.edges):
            return ("any", MISSING)
        inner = [
            f"over {low:g} to {high:g}"
            for low, high in zip(self.edges[:-1], self.edges[1:], strict=True)
        ]
        return (f"up to {self.edges[0]:g}", *inner, f"over {self.edges[-1]:g}", MISSING)

    def counts(self, values: "pd.Series[Any]") -> Floats:
        """Count values by bin.

        Returns
        -------
        array of shape (len(labels),)
        """
        size = len(self.labels)
        if self.edges is None:
            place = {category: at for at, category in enumerate(self.categories)}
            frequent = values.astype(str).map(place).fillna(size - 2)
            where = np.where(values.isna(), size - 1, frequent).astype(np.intp)
        else:
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            where = np.where(
                np.isnan(numbers), size - 1, np.searchsorted(self.edges, numbers, side="left")
            )
        return np.bincount(where, minlength=size).astype(np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        edges = None if self.edges is None else self.edges.tolist()
        return {"edges": edges, "categories": list(self.categories)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Bins":
        """Read what ``to_dict`` wrote."""
        edges = None if data["edges"] is None else np.asarray(data["edges"], dtype=np.float64)
        return cls(edges, tuple(data["categories"]))


@dataclass(frozen=True)
class Drift:
    """How far a distribution lies from its reference.

    Attributes
    ----------
    psi : float
        Population stability index.
    p_value : float
        Of the G test, with the rows' worth.
    bin : str
        The bin whose share moved most.
    before, now : float
        Its share in the reference, and now.
    """

    psi: float
    p_value: float
    bin: str
    before: float
    now: float


def population_stability(before: ArrayLike, now: ArrayLike) -> float:
    """Return the population stability index of two arrays of counts over the same bins.

    Half a row is added to each bin, so that an empty one does not make it infinite.

    Examples
    --------
    >>> population_stability([500, 500], [500, 500])
    0.0
    >>> round(population_stability([500, 500], [800, 200]), 2)
    0.41
    """
    old, new = _shares(before), _shares(now)
    return float(((new - old) * np.log(new / old)).sum())


def drift(
    before: ArrayLike, now: ArrayLike, labels: Sequence[str], earlier: ArrayLike | None = None
) -> Drift:
    """Hold a distribution against its reference.

    Parameters
    ----------
    before, now : arrays of shape (k,)
        Counts by bin.
    labels : sequence of str, k of them
    earlier : array of shape (m, k), optional
        Counts of earlier nights, each compared with ``before`` as now is: how much of a difference
        means nothing.
    """
    old, new = np.asarray(before, dtype=np.float64), np.asarray(now, dtype=np.float64)
    moved = int(np.argmax(np.abs(new / max(new.sum(), 1) - old / max(old.sum(), 1))))
    used = int(((old + new) > 0).sum())
    statistic = _g_statistic(old, new)
    nights = [] if earlier is None else list(np.asarray(earlier, dtype=np.float64))
    # Only ever more careful than independent rows: the last nights may have been quiet by chance.
    usual = np.mean([_g_statistic(old, each) for each in nights]) if nights else 0.0
    design = max(1.0, float(usual) / max(used - 1, 1))
    return Drift(
        population_stability(old, new),
        float(chi2.sf(statistic / design, max(used - 1, 1))),
        labels[moved],
        float(old[moved] / max(old.sum(), 1)),
        float(new[moved] / max(new.sum(), 1)),
    )


def _g_statistic(old: Floats, new: Floats) -> float:
    """Return 2 sum O ln(O / E) of the table of two rows."""
    table = np.stack([old, new])
    table = table[:, table.sum(axis=0) > 0]
    total = table.sum()
    if not total or not table.sum(axis=1).all():
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    seen = table > 0
    return float(2 * (table[seen] * np.log(table[seen] / expected[seen])).sum())


def _shares(counts: ArrayLike) -> Floats:
    filled = np.asarray(counts, dtype=np.float64) + 0.5
    return np.asarray(filled / filled.sum(), dtype=np.float64)


def _is_number(values: "pd.Series[Any]") -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
