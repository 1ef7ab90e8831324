"""Explanation: why a lead scores as it does, as sentences about what it did and who it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.catalog import Feature
from leadlight.features.wording import ENGLISH, Wording, as_spoken, sentence

Floats = NDArray[np.float64]
Sentences = NDArray[np.object_]

# A part of less log-odds than this moves no probability by more than a quarter of a percent point.
NEGLIGIBLE = 0.01
REASONS = 3
# Rows explained at a time, so that memory does not grow with the number of leads.
_BLOCK_ROWS = 50_000


@dataclass(frozen=True)
class Reasons:
    """What speaks for and against each lead, strongest first, compared with the average lead.

    Attributes
    ----------
    reasons_for, reasons_against : list of list of str
        At most three sentences per lead each.
    """

    reasons_for: list[list[str]]
    reasons_against: list[list[str]]


def explain_leads(
    parts: Floats,
    mean_parts: Floats,
    features: Sequence[Feature],
    frame: pd.DataFrame,
    wording: Wording = ENGLISH,
) -> Reasons:
    """Tell each lead's strongest reasons in words.

    A part of the margin counts by how far it lies from the average lead's. Near-duplicate features
    (the same event over 7, 30 and 90 days) are summed and told once, by the one that moves the
    margin most in the direction of their sum. Sums below ``NEGLIGIBLE`` are not told.

    Parameters
    ----------
    parts : array of shape (n, k)
        The compiled model's contributions to the margin, in log-odds.
    mean_parts : array of shape (k,)
        The average lead's.
    features : sequence of Feature, k of them
        In the order of ``parts``.
    frame : DataFrame of n rows
        The features' values.
    wording : Wording
        The language, and the user's own names.
    """
    reasons_for: list[list[str]] = []
    reasons_against: list[list[str]] = []
    for start in range(0, len(parts), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        rows = frame.iloc[block]
        beyond = parts[block] - mean_parts
        sums, speakers_for, speakers_against = _group_sums(beyond, features)
        reasons_for += _told(sums, speakers_for, features, rows, wording)
        reasons_against += _told(-sums, speakers_against, features, rows, wording)
    return Reasons(reasons_for, reasons_against)


def _group_sums(
    beyond: Floats, features: Sequence[Feature]
) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Sum each group's parts, and find its strongest feature upwards and downwards."""
    groups: dict[str, list[int]] = {}
    for at, feature in enumerate(features):
        groups.setdefault(feature.group, []).append(at)
    shape = (len(beyond), len(groups))
    sums = np.zeros(shape)
    highest, lowest = np.zeros(shape, dtype=np.intp), np.zeros(shape, dtype=np.intp)
    for at, members in enumerate(groups.values()):
        columns = np.array(members)
        own = beyond[:, columns]
        for column in members:  # one by one: a lead's sum must not depend on its neighbours
            sums[:, at] += beyond[:, column]
        highest[:, at] = columns[own.argmax(axis=1)]
        lowest[:, at] = columns[own.argmin(axis=1)]
    return sums, highest, lowest


def _told(
    strength: Floats,
    speakers: NDArray[np.intp],
    features: Sequence[Feature],
    rows: pd.DataFrame,
    wording: Wording,
) -> list[list[str]]:
    """Say the strongest groups of each row, each through its speaking feature."""
    strongest = np.argsort(-strength, axis=1, kind="stable")[:, :REASONS]
    spoken = np.take_along_axis(speakers, strongest, axis=1)
    silent = np.take_along_axis(strength, strongest, axis=1) < NEGLIGIBLE
    said: Sentences = np.full(spoken.shape, None, dtype=object)
    for at in np.unique(spoken[~silent]).tolist():
        row, place = np.nonzero((spoken == at) & ~silent)
        said[row, place] = _sentences(features[at], rows[features[at].name].iloc[row], wording)
    return [[text for text in row if text is not None] for row in said.tolist()]


def _sentences(feature: Feature, values: "pd.Series[float]", wording: Wording) -> Sentences:
    """Render each distinct value once."""
    told: Sentences = values.astype(object).to_numpy()
    if feature.kind == "numeric":
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        told = as_spoken(feature, numbers).astype(object)
    codes, distinct = pd.factorize(told, use_na_sentinel=False)
    words = np.array([sentence(feature, value, wording) for value in distinct], dtype=object)
    return words[codes]
