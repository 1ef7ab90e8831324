"""Promotions: held-out snapshots in time, and how many new MQLs a threshold makes of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .bootstrap import (
    Codes,
    Estimate,
    Floats,
    lead_clusters,
    percentile_interval,
    resampled_weights,
)

_RESAMPLES = 200
_WEEK = np.timedelta64(7, "D")
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Volumes:
    """Volume and quality at each candidate threshold.

    Attributes
    ----------
    threshold : array of shape (k,), ascending
    share : array of shape (k,)
        Share of snapshots that qualify.
    weekly : array of shape (k,) or None
        New promotions a week; None without dates.
    precision, recall, lift : array of shape (k,)
        NaN where nothing qualifies, or nothing was won.
    """

    threshold: Floats
    share: Floats
    weekly: Floats | None
    precision: Floats
    recall: Floats
    lift: Floats


@dataclass(frozen=True)
class HeldOutLeads:
    """Held-out snapshots with what decides a promotion.

    Attributes
    ----------
    score : array of shape (n,)
        Probability, or minus infinity where a floor is missed.
    previous : array of shape (n,)
        Score of the same lead at its snapshot before; minus infinity at its first.
    won : array of bool, shape (n,)
    codes : array of shape (n,)
        Cluster: the account, else the lead.
    counted : array of bool, shape (n,)
        Snapshots at which a promotion would have been seen.
    newest : array of bool, shape (n,)
        Snapshots of the last date.
    weeks : float or None
        Weeks in which promotions are counted; None without dates.
    dates : int
    step_days : float
        Typical distance of the dates.
    recurring : bool
        Whether any lead has more than one snapshot.
    horizon_days : int
    sampled_share : float
        Share of all leads that these are a sample of.
    """

    score: Floats
    previous: Floats
    won: NDArray[np.bool_]
    codes: Codes
    counted: NDArray[np.bool_]
    newest: NDArray[np.bool_]
    weeks: float | None
    dates: int
    step_days: float
    recurring: bool
    horizon_days: int
    sampled_share: float

    def volumes(self, thresholds: Floats) -> Volumes:
        """Return what each threshold would bring.

        Parameters
        ----------
        thresholds : array of shape (k,), ascending
        """
        chosen = _at_least(self.score, thresholds)
        wins = _at_least(self.score[self.won], thresholds)
        weekly = None
        if self.weeks is not None:
            now, before = self.score[self.counted], self.previous[self.counted]
            new = _at_least(now, thresholds) - _at_least(np.minimum(now, before), thresholds)
            weekly = new / (self.weeks * self.sampled_share)
        positives = int(self.won.sum())
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = wins / chosen
            return Volumes(
                threshold=thresholds,
                share=chosen / len(self.score),
                weekly=weekly,
                precision=precision,
                recall=wins / np.float64(positives),
                lift=precision / np.float64(positives / len(self.score)),
            )

    def weekly_interval(self, threshold: float, seed: int) -> Estimate | None:
        """Estimate new promotions a week at one threshold, by a bootstrap clustered by account.

        Parameters
        ----------
        threshold : float
        seed : int
        """
        if self.weeks is None:
            return None
        promoted = (self.score >= threshold) & (self.previous < threshold) & self.counted
        scale = 1.0 / (self.weeks * self.sampled_share)
        sums = np.bincount(self.codes, weights=promoted) * scale
        if len(sums) == 1:
            return Estimate(float(sums[0]), math.nan, math.nan)
        clusters = np.arange(len(sums))
        blocks = resampled_weights(clusters, resamples=_RESAMPLES, seed=seed)
        return percentile_interval(float(sums.sum()), np.concatenate([w @ sums for w in blocks]))


def held_out_leads(
    frame: pd.DataFrame, floors: Mapping[str, float], *, horizon_days: int, sampled_share: float
) -> HeldOutLeads:
    """Read held-out snapshots as a history of possible promotions.

    Parameters
    ----------
    frame : DataFrame
        As ``choose_threshold`` takes it.
    floors : mapping
        Least percentile by family.
    horizon_days : int
        Days in which the leads of a single date are taken to pass once.
    sampled_share : float
    """
    rows = len(frame)
    passes = np.ones(rows, dtype=bool)
    for family, floor in floors.items():
        percentile = frame[f"{family}_percentile"].to_numpy(dtype=np.float64, na_value=math.nan)
        passes &= ~(percentile < floor)
    score = np.where(passes, frame["probability"].to_numpy(dtype=np.float64), -math.inf)
    moments = pd.to_datetime(frame["as_of"], utc=True).dt.tz_localize(None).to_numpy()
    leads = HeldOutLeads(
        score=score,
        previous=np.full(rows, -math.inf),
        won=frame["label"].to_numpy(dtype=bool),
        codes=lead_clusters(frame),
        counted=np.ones(rows, dtype=bool),
        newest=np.ones(rows, dtype=bool),
        weeks=None,
        dates=0,
        step_days=0.0,
        recurring=False,
        horizon_days=horizon_days,
        sampled_share=sampled_share,
    )
    return leads if np.isnat(moments).any() else _in_time(leads, frame["lead_id"], moments)


def _in_time(
    leads: HeldOutLeads, lead_id: "pd.Series[Any]", moments: NDArray[np.datetime64]
) -> HeldOutLeads:
    lead = pd.factorize(lead_id)[0]
    order = np.lexsort((moments, lead))
    follows = np.append(False, lead[order][1:] == lead[order][:-1])
    previous = leads.previous.copy()
    previous[order[follows]] = leads.score[order[np.flatnonzero(follows) - 1]]
    dates = np.unique(moments)
    first, last = dates[0], dates[-1]
    recurring = bool(follows.any())
    step = np.median(np.diff(dates) / _DAY) if len(dates) > 1 else 0.0
    if len(dates) == 1:
        weeks = leads.horizon_days / 7.0
    else:
        weeks = float((last - first) / _WEEK) + (0.0 if recurring else step / 7.0)
    return replace(
        leads,
        previous=previous,
        counted=(moments > first) | (not recurring),
        newest=moments == last,
        weeks=weeks,
        dates=len(dates),
        step_days=float(step),
        recurring=recurring,
    )


def _at_least(values: Floats, thresholds: Floats) -> NDArray[np.intp]:
    """Count, for each threshold, the values at or above it."""
    return len(values) - np.searchsorted(np.sort(values), thresholds, side="left")
