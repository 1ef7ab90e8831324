"""Explanation: why a lead scores as it does, as sentences about what it did and who it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.catalog import Feature
from leadlight.features.wording import ENGLISH, Wording, as_spoken, sentence

from .reasons import PointScale, ReasonGroups
from .strongest_reasons import NONE, Strongest, strongest_reasons

Floats = NDArray[np.float64]
Sentences = NDArray[np.object_]

# Rows explained at a time, so that memory does not grow with the number of leads.
_BLOCK_ROWS = 50_000


@dataclass(frozen=True)
class Reasons:
    """What speaks for and against each lead, strongest first, compared with the average lead.

    Attributes
    ----------
    reasons_for, reasons_against : list of list of str
        At most three sentences per lead each.
    reason_ids_for, reason_ids_against : list of list of str
        The reasons' ids, of the same lengths: the same in every language.
    reason_points_for, reason_points_against : list of list of int
        Their whole points of 100 (see ``PointScale``); negative against the lead.
    """

    reasons_for: list[list[str]]
    reason_ids_for: list[list[str]]
    reason_points_for: list[list[int]]
    reasons_against: list[list[str]]
    reason_ids_against: list[list[str]]
    reason_points_against: list[list[int]]


def explain_leads(
    parts: Floats,
    average: Floats,
    features: Sequence[Feature],
    frame: pd.DataFrame,
    scale: PointScale,
    wording: Wording = ENGLISH,
) -> Reasons:
    """Tell each lead's strongest reasons, in words, by id and in points.

    A part of the margin counts by how far it lies from the average lead's. Near-duplicate features
    (the same event over 7, 30 and 90 days) are summed and told once, by the one that moves the
    margin most in the direction of their sum. Sums that round to no point are not told.

    Parameters
    ----------
    parts : array of shape (n, k)
        The compiled model's contributions to the margin, in log-odds.
    average : array of shape (k,) or (n, k)
        The average lead's, of all or of each lead's own segment.
    features : sequence of Feature, k of them
        In the order of ``parts``.
    frame : DataFrame of n rows
        The features' values.
    scale : PointScale
    wording : Wording
        The language, and the user's own names.
    """
    groups = ReasonGroups.of(features)
    words: tuple[list[list[str]], ...] = ([], [])
    ids: tuple[list[list[str]], ...] = ([], [])
    points: tuple[list[list[int]], ...] = ([], [])
    names = np.array(groups.ids, dtype=object)
    for start in range(0, len(parts), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        compared = average if average.ndim == 1 else average[block]
        for at, found in enumerate(strongest_reasons(parts[block], compared, groups, scale)):
            words[at].extend(_told(found, features, frame.iloc[block], wording))
            ids[at].extend(_rows(names[found.groups], found))
            points[at].extend(_rows(found.points, found))
    return Reasons(words[0], ids[0], points[0], words[1], ids[1], points[1])


def _told(
    found: Strongest, features: Sequence[Feature], rows: pd.DataFrame, wording: Wording
) -> list[list[str]]:
    """Say each reason through its speaking feature."""
    said: Sentences = np.full(found.groups.shape, None, dtype=object)
    for at in np.unique(found.speakers[found.groups != NONE]).tolist():
        row, place = np.nonzero(found.speakers == at)
        said[row, place] = _sentences(features[at], rows[features[at].name].iloc[row], wording)
    return _rows(said, found)


def _rows(each: NDArray[Any], found: Strongest) -> list[list[Any]]:
    """Return one list per lead, without the places that hold no reason."""
    counts = (found.groups != NONE).sum(axis=1).tolist()
    return [row[:count] for row, count in zip(each.tolist(), counts, strict=True)]


def _sentences(feature: Feature, values: "pd.Series[float]", wording: Wording) -> Sentences:
    """Render each distinct value once."""
    told: Sentences = values.astype(object).to_numpy()
    if feature.kind == "numeric":
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        told = as_spoken(feature, numbers).astype(object)
    codes, distinct = pd.factorize(told, use_na_sentinel=False)
    words = np.array([sentence(feature, value, wording) for value in distinct], dtype=object)
    return words[codes]
