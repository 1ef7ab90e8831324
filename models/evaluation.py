"""Evaluation: how well probabilities rank and how honest they are, with intervals."""

import math
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leadlight.features.errors import NotEnoughDataError

from .bootstrap import (
    Estimate,
    Floats,
    cluster_codes,
    clustered_share,
    percentile_interval,
    resampled_weights,
)
from .ranking import FIGURES, RankedLeads, rank_leads

_NOISE_DRAWS = 200


@dataclass(frozen=True)
class ReliabilityBin:
    """Leads of similar probability: what was promised, and what came.

    Attributes
    ----------
    predicted, observed : float
        Mean probability, and share won.
    low, high : float
        95 % interval of the share won (Wilson, on the effective number of rows).
    rows : int
    """

    predicted: float
    observed: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class LiftPoint:
    """What working only the best leads brings.

    Attributes
    ----------
    share : float
        Share of leads worked, best first.
    lift : float
        Their share won over the share won of all.
    gain : float
        Share of all wins that is among them.
    """

    share: float
    lift: float
    gain: float


@dataclass(frozen=True)
class Evaluation:
    """Figures of one window that the model had not seen.

    Attributes
    ----------
    rows, leads, positives : int
        Snapshots; clusters that they come from (leads, or accounts where there are any); wins.
    base_rate : Estimate
        Share won.
    auc, average_precision, lift_at_10 : Estimate
        Ranking: area under the ROC curve; average precision; share won among the top tenth over
        the base rate (ties shared out evenly).
    log_loss, brier : Estimate
        Proper scores of the probability, lower is better; log loss in nats.
    ece : Estimate
        Expected calibration error over ``RELIABILITY_BINS`` bins of equal mass.
    ece_noise : Estimate
        The error that a perfectly calibrated model would show on as many rows by chance (mean and
        95 % range, labels drawn independently from the probabilities): ``ece`` means something
        only above it.
    calibration_slope, calibration_intercept : Estimate
        Of the label on the log-odds of the probability: 1 and 0 if calibrated; a slope below 1
        is overconfidence. Unknown where the labels are separated.
    reliability : tuple of ReliabilityBin
    lift_curve : tuple of LiftPoint
        In steps of 1 %.
    """

    rows: int
    leads: int
    positives: int
    base_rate: Estimate
    auc: Estimate
    average_precision: Estimate
    log_loss: Estimate
    brier: Estimate
    ece: Estimate
    ece_noise: Estimate
    calibration_slope: Estimate
    calibration_intercept: Estimate
    lift_at_10: Estimate
    reliability: tuple[ReliabilityBin, ...]
    lift_curve: tuple[LiftPoint, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file: numbers, or null where a figure has no meaning."""
        plain: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Estimate):
                plain[field.name] = value.to_dict()
            elif isinstance(value, tuple):
                plain[field.name] = [_plain(item) for item in value]
            else:
                plain[field.name] = value
        return plain


def evaluate(
    probability: ArrayLike,
    label: ArrayLike,
    cluster: ArrayLike | None,
    *,
    seed: int,
    resamples: int = 200,
    stands_for: Floats | None = None,
) -> Evaluation:
    """Evaluate probabilities against what came.

    Parameters
    ----------
    probability : array of shape (n,)
        Calibrated probability of a win within the horizon.
    label : array of shape (n,)
        Whether it came.
    cluster : array of shape (n,) or None
        Lead or account of each row, the unit of the bootstrap; None if each row stands for itself.
    seed : int
        Of the bootstrap and of the simulated noise.
    resamples : int
        Draws of the bootstrap; 95 % percentile intervals.
    stands_for : array of shape (n,), optional
        How many rows each stands for; those that stand for none are left out.

    Raises
    ------
    NotEnoughDataError
        There are no rows.

    References
    ----------
    See ``bootstrap`` for the clustered bootstrap. The resamples' calibration lines take three
    Newton steps from the line of all rows: Davidson & MacKinnon (1999), Bootstrap testing in
    nonlinear models; Andrews (2002), Higher-order improvements of a computationally attractive
    k-step bootstrap.
    """
    values = np.asarray(probability, dtype=np.float64)
    won = np.asarray(label, dtype=bool)
    if stands_for is not None:
        counts = stands_for > 0.0
        values, won, stands_for = values[counts], won[counts], stands_for[counts]
        cluster = None if cluster is None else np.asarray(cluster)[counts]
    if len(values) == 0:
        raise NotEnoughDataError(
            "There is no row to evaluate on.",
            hint="The last window has no mature snapshot: give a longer history.",
        )
    codes = cluster_codes(cluster, len(values))
    ranked = rank_leads(values, won, codes, stands_for)
    figures = ranked.figures(np.ones((1, len(values))))[:, 0]
    draws = [
        ranked.figures(weights)
        for weights in resampled_weights(ranked.codes, resamples=resamples, seed=seed)
    ]
    drawn = np.concatenate(draws, axis=1) if draws else np.empty((len(FIGURES), 0))
    clusters = int(codes.max()) + 1
    if clusters == 1:
        drawn = np.full_like(drawn, math.nan)
    estimates = {
        name: percentile_interval(float(figures[i]), drawn[i]) for i, name in enumerate(FIGURES)
    }
    return Evaluation(
        rows=len(values),
        leads=clusters,
        positives=int(won.sum()),
        ece_noise=_noise(ranked, seed),
        reliability=_reliability(ranked),
        lift_curve=_lift_curve(ranked),
        **estimates,
    )


def _noise(ranked: RankedLeads, seed: int) -> Estimate:
    """Simulate the calibration error of a perfectly calibrated model."""
    generator = np.random.default_rng([seed, 1])
    errors, weight = np.empty(_NOISE_DRAWS), ranked.stands_for
    for draw in range(_NOISE_DRAWS):
        simulated = generator.random(len(ranked.probability)) < ranked.probability
        gap = np.add.reduceat(weight * (simulated - ranked.probability), ranked.bin_starts)
        errors[draw] = np.abs(gap).sum() / weight.sum()
    low, high = np.quantile(errors, [0.025, 0.975])
    return Estimate(float(errors.mean()), float(low), float(high))


def _reliability(ranked: RankedLeads) -> tuple[ReliabilityBin, ...]:
    """Return the bins in order of rising probability."""
    edges = [*ranked.bin_starts.tolist(), len(ranked.probability)]
    bins = []
    for start, end in pairwise(edges):
        weight = ranked.stands_for[start:end]
        observed = clustered_share(ranked.won[start:end], ranked.codes[start:end], weight)
        predicted = float(np.average(ranked.probability[start:end], weights=weight))
        bins.append(
            ReliabilityBin(predicted, observed.value, observed.low, observed.high, int(end - start))
        )
    return tuple(reversed(bins))


def _lift_curve(ranked: RankedLeads) -> tuple[LiftPoint, ...]:
    """Return lift and gain at each whole percent of leads."""
    weight = ranked.stands_for[np.newaxis, :]
    wins, worked = ranked.at_tie_ends(weight * ranked.won), ranked.at_tie_ends(weight)
    shares = np.arange(1, 101) / 100.0
    found = np.interp(shares * worked[0, -1], worked[0], wins[0])
    gain = found / wins[0, -1] if wins[0, -1] else np.full(100, math.nan)
    return tuple(
        LiftPoint(float(share), float(part / share), float(part))
        for share, part in zip(shares, gain, strict=True)
    )


def _plain(point: ReliabilityBin | LiftPoint) -> dict[str, float | None]:
    return {key: value if math.isfinite(value) else None for key, value in asdict(point).items()}
