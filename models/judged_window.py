"""Judged window: leads that a model had not learned from, with the scores that it gives them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leadlight.features.feature import Family, Feature

from .average_lead import segment_averages
from .calibration import Calibration
from .compiled import CompiledModel
from .reference import Reference, family_margin

_KEYS = ["lead_id", "account_id", "as_of", "label"]
_FAMILIES: tuple[Family, Family] = ("fit", "engagement")


def judged_window(
    compiled: CompiledModel,
    calibration: Calibration,
    features: Sequence[Feature],
    window: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return a window's leads with their scores, and each feature's strength among them.

    Parameters
    ----------
    compiled : CompiledModel
    calibration : Calibration
    features : sequence of Feature
        Of the compiled model, in its order.
    window : DataFrame of n rows
        Keys, label and the features' columns.

    Returns
    -------
    DataFrame of n rows
        lead_id, account_id, as_of, label, ``stands_for`` where the window has it, margin,
        probability, fit and engagement (log-odds of the family's parts) and their percentiles
        among the window's leads (0 to 1).
    dict of str to float
        Per feature the mean distance of its part from its mean, log-odds.
    """
    parts = compiled.contributions(window)
    margin = compiled.total(parts)
    reference = Reference.of(margin, parts, features)
    deviation = np.abs(parts - reference.mean_parts).mean(axis=0)
    kept = [*_KEYS, *(["stands_for"] if "stands_for" in window else [])]
    held_out = window[kept].reset_index(drop=True)
    held_out["label"] = held_out["label"].astype(bool)
    held_out["margin"] = margin
    held_out["probability"] = calibration.probability(margin)
    for family in _FAMILIES:
        sums = family_margin(parts, features, family)
        held_out[family] = np.nan if sums is None else sums
        held_out[f"{family}_percentile"] = reference.family_percentile(parts, features, family)
    return held_out, dict(zip(compiled.features, deviation.tolist(), strict=True))


def window_reference(
    compiled: CompiledModel,
    features: Sequence[Feature],
    window: pd.DataFrame,
    compared_with: str,
) -> Reference:
    """Return the window's leads as the ones that every scored lead is placed among.

    Parameters
    ----------
    compiled, features, window
        As for ``judged_window``.
    compared_with : str
        ``all``, or the segment whose average lead reasons compare with.
    """
    parts = compiled.contributions(window)
    segments = segment_averages(window, parts, features, compared_with)
    return Reference.of(compiled.total(parts), parts, features, segments)
