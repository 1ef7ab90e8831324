"""Shapley values: what each feature adds to a tree that joins any number of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from .encoding import FloatArray
from .steps import Slots

_PATTERNS = 1_024  # computed at a time: they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Leaf:
    """A leaf of a tree, as its features see it.

    Attributes
    ----------
    value : float
        Log-odds.
    held : mapping of int to ndarray of bool, shape (s,)
        Of each feature that is split on the way: which steps of it lead on to the leaf.
    share : mapping of int to float
        Of each such feature: the share of training rows that its splits let through, above 0.
    """

    value: float
    held: Mapping[int, npt.NDArray[np.bool_]]
    share: Mapping[int, float]


class TreeGame:
    """A tree as a game between features: who knows some of a lead's features expects a value.

    Where a feature is known, its side of a split is taken; where it is not, both sides are, by the
    share of training rows on each. That is the path-dependent expectation of TreeSHAP [1]_.

    Parameters
    ----------
    leaves : sequence of Leaf

    References
    ----------
    .. [1] Lundberg et al. (2020), From local explanations to global understanding with explainable
       AI for trees, Nature Machine Intelligence 2, 56-67.
    """

    def __init__(self, leaves: tuple[Leaf, ...]) -> None:
        self._leaves = leaves
        self.features = tuple(sorted({at for leaf in leaves for at in leaf.held}))

    def values(self, found: Mapping[int, Slots]) -> FloatArray:
        """Return what each feature adds to the tree's mean, shape (features, n).

        All values of a lead sum to the tree's value of it, less the mean over training rows.

        Parameters
        ----------
        found : mapping of int to ndarray of int, shape (n,)
            Of each feature, the step that its value falls on.
        """
        code = np.zeros(len(next(iter(found.values()))), dtype=np.int64)
        for at, (region_of, _) in self._regions.items():
            code *= int(region_of.max()) + 1
            code += region_of.take(found[at])
        places, patterns = pd.factorize(code)
        distinct = np.concatenate(
            [
                self._of_patterns(patterns[start : start + _PATTERNS])
                for start in range(0, len(patterns), _PATTERNS)
            ]
        )
        return np.ascontiguousarray(distinct.T).take(places, axis=1)

    @cached_property
    def _regions(self) -> dict[int, tuple[Slots, npt.NDArray[np.bool_]]]:
        """Per feature: steps that no leaf tells apart are one region; what each leads on to."""
        regions = {}
        for at in self.features:
            steps = next(len(leaf.held[at]) for leaf in self._leaves if at in leaf.held)
            anything = np.ones(steps, dtype=bool)
            held = np.array([leaf.held.get(at, anything) for leaf in self._leaves])
            distinct, region_of = np.unique(held, axis=1, return_inverse=True)
            regions[at] = (region_of.reshape(-1), distinct.T)
        return regions

    @cached_property
    def _shares(self) -> FloatArray:
        """Share of rows that each feature lets through to each leaf, shape (leaves, features)."""
        return np.array(
            [[leaf.share.get(at, 1.0) for at in self.features] for leaf in self._leaves]
        )

    @cached_property
    def _quadrature(self) -> tuple[tuple[float, float], ...]:
        """Places and weights of Gauss and Legendre on [0, 1], exact for the longest way."""
        joined = max(len(leaf.held) for leaf in self._leaves)
        places, weights = np.polynomial.legendre.leggauss((joined + 1) // 2)
        return tuple(zip(((places + 1.0) / 2.0).tolist(), (weights / 2.0).tolist(), strict=True))

    def _of_patterns(self, patterns: npt.NDArray[np.int64]) -> FloatArray:
        """Return the Shapley values at each pattern of regions, shape (patterns, features).

        A leaf is worth its value times a factor for each feature: 1 or 0 where it is known, its
        share where it is not. The Shapley value of such a product is an integral over the chance t
        that each other feature is known [1]_, of a polynomial in t: a few places give it exactly.

        References
        ----------
        .. [1] Owen (1972), Multilinear extensions of games, Management Science 18, 64-79.
        """
        held = np.empty((len(patterns), *self._shares.shape), dtype=bool)
        for place in reversed(range(len(self.features))):
            region_of, leads_on = self._regions[self.features[place]]
            patterns, region = np.divmod(patterns, int(region_of.max()) + 1)
            held[:, :, place] = leads_on[region]
        worth = np.zeros(held.shape)
        for known, weight in self._quadrature:
            factors = (1.0 - known) * self._shares + known * held
            worth += weight * factors.prod(axis=2, keepdims=True) / factors
        worth *= held - self._shares
        worth *= np.array([leaf.value for leaf in self._leaves])[:, None]
        return np.asarray(worth.sum(axis=1))
