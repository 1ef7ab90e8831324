"""Promotions: held-out snapshots in time, and how many new MQLs a threshold makes of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .bootstrap import (
    Codes,
    Estimate,
    Floats,
    clustered_share,
    lead_clusters,
    percentile_interval,
    resampled_weights,
)
from .exploration import stands_for

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
    probability : array of shape (n,)
    score : array of shape (n,)
        Probability, or minus infinity where a floor is missed.
    previous : array of shape (n,)
        Score of the same lead at its snapshot before; minus infinity at its first.
    won : array of bool, shape (n,)
    stands_for : array of shape (n,)
        How many snapshots each stands for, where it is asked what converts; 0 where nobody tried.
    codes : array of shape (n,)
        Cluster: the account, else the lead.
    history : array of shape (n,)
        The snapshots by lead, those of a lead in order of time.
    lead : array of shape (n,)
        Lead of each snapshot, numbered from 0.
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

    probability: Floats
    score: Floats
    previous: Floats
    won: NDArray[np.bool_]
    stands_for: Floats
    codes: Codes
    history: Codes
    lead: Codes
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
        tried = _weight_at_least(self.score, self.stands_for, thresholds)
        wins = _weight_at_least(self.score, self.stands_for * self.won, thresholds)
        weekly = None
        if self.weeks is not None:
            now, before = self.score[self.counted], self.previous[self.counted]
            new = _at_least(now, thresholds) - _at_least(np.minimum(now, before), thresholds)
            weekly = new / (self.weeks * self.sampled_share)
        positives, all_tried = self.stands_for[self.won].sum(), self.stands_for.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = wins / tried
            return Volumes(
                threshold=thresholds,
                share=chosen / len(self.score),
                weekly=weekly,
                precision=precision,
                recall=wins / positives,
                lift=precision / (positives / all_tried),
            )

    def converted(self, chosen: NDArray[np.bool_] | Codes) -> Estimate:
        """Estimate which share of some of the snapshots was won, of those that anybody tried.

        Parameters
        ----------
        chosen : array of bool, shape (n,), or of places
        """
        return clustered_share(self.won[chosen], self.codes[chosen], self.stands_for[chosen])

    def promoted_at(self, threshold: float) -> Codes:
        """Return each lead's first snapshot that qualifies: one row a lead that was ever an MQL.

        Parameters
        ----------
        threshold : float
        """
        qualifying = self.history[self.score[self.history] >= threshold]
        _, first = np.unique(self.lead[qualifying], return_index=True)
        return qualifying[first]

    def among(self, chosen: NDArray[np.bool_]) -> "HeldOutLeads":
        """Return some of the snapshots, in the same weeks.

        Parameters
        ----------
        chosen : array of bool, shape (n,)
        """
        place = np.cumsum(chosen) - 1
        arrays = {
            name: getattr(self, name)[chosen]
            for name in (
                "probability",
                "score",
                "previous",
                "won",
                "stands_for",
                "codes",
                "lead",
                "counted",
            )
        }
        return replace(
            self,
            **arrays,
            newest=self.newest[chosen],
            history=place[self.history[chosen[self.history]]],
        )

    def weekly_interval(self, threshold: float | Floats, seed: int) -> Estimate | None:
        """Estimate new promotions a week at one threshold, by a bootstrap clustered by account.

        Parameters
        ----------
        threshold : float, or array of shape (n,)
            One for all snapshots, or for each its own.
        seed : int
        """
        if self.weeks is None:
            return None
        promoted = (self.score >= threshold) & (self.previous < threshold) & self.counted
        scale = 1.0 / (self.weeks * self.sampled_share)
        sums = np.bincount(self.codes, weights=promoted) * scale
        if len(sums) <= 1:
            return Estimate(float(sums.sum()), math.nan, math.nan)
        clusters = np.arange(len(sums))
        blocks = resampled_weights(clusters, resamples=_RESAMPLES, seed=seed)
        return percentile_interval(float(sums.sum()), np.concatenate([w @ sums for w in blocks]))

    def lift(self, mql: NDArray[np.bool_], seed: int) -> Estimate:
        """Estimate how much more often MQLs convert than leads do, by the same bootstrap.

        Parameters
        ----------
        mql : array of bool, shape (n,)
        seed : int
        """
        told = np.stack(
            [
                np.bincount(self.codes, weights=self.stands_for * chosen)
                for chosen in (mql & self.won, mql, self.won, np.ones(len(mql)))
            ],
            axis=1,
        )
        clusters = np.arange(len(told))
        draws = [w @ told for w in resampled_weights(clusters, resamples=_RESAMPLES, seed=seed)]
        value = _lift(told.sum(axis=0, keepdims=True))
        drawn = _lift(np.concatenate(draws))
        alone = np.full_like(drawn, math.nan) if len(told) == 1 else drawn
        return percentile_interval(float(value[0]), alone)


def _lift(sums: Floats) -> Floats:
    """Return (won MQLs / MQLs) / (won / all) of each row of sums."""
    won_mqls, mqls, won, rows = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        lift: Floats = (won_mqls / mqls) / (won / rows)
    return lift


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
    probability = frame["probability"].to_numpy(dtype=np.float64)
    moments = pd.to_datetime(frame["as_of"], utc=True).dt.tz_localize(None).to_numpy()
    leads = HeldOutLeads(
        probability=probability,
        score=np.where(passes, probability, -math.inf),
        previous=np.full(rows, -math.inf),
        won=frame["label"].to_numpy(dtype=bool),
        stands_for=stands_for(frame),
        codes=lead_clusters(frame),
        history=np.arange(rows),
        lead=pd.factorize(frame["lead_id"])[0],
        counted=np.ones(rows, dtype=bool),
        newest=np.ones(rows, dtype=bool),
        weeks=None,
        dates=0,
        step_days=0.0,
        recurring=False,
        horizon_days=horizon_days,
        sampled_share=sampled_share,
    )
    return leads if np.isnat(moments).any() else _in_time(leads, moments)


def _in_time(leads: HeldOutLeads, moments: NDArray[np.datetime64]) -> HeldOutLeads:
    lead = leads.lead
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
        history=order,
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


def _weight_at_least(values: Floats, weight: Floats, thresholds: Floats) -> Floats:
    """Sum, for each threshold, the weights of the values at or above it."""
    order = np.argsort(values, kind="stable")
    below = np.append(0.0, np.cumsum(weight[order]))
    return np.asarray(below[-1] - below[np.searchsorted(values[order], thresholds, side="left")])
