"""Evaluation: how well probabilities rank and how honest they are, with intervals.

Every figure is one function of sorted rows and their weights. On all rows the weights are one; in
a resample of the clustered bootstrap they say how often a row was drawn. So there is one sort, and
figures and intervals cannot follow different formulas.
"""

import math
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from leadlight.features.errors import NotEnoughDataError

from .bootstrap import (
    Codes,
    Estimate,
    Floats,
    cluster_codes,
    clustered_share,
    percentile_interval,
    resampled_weights,
)
from .calibration import LogisticLine, fit_logistic_line

# Bins of equal mass, for the reliability curve and for the calibration error alike.
RELIABILITY_BINS = 10
_NOISE_DRAWS = 200
_NEWTON_STEPS = 3
_SMALLEST = 1e-15
_FIGURES = (
    "base_rate",
    "auc",
    "average_precision",
    "log_loss",
    "brier",
    "ece",
    "calibration_slope",
    "calibration_intercept",
    "lift_at_10",
)


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
    if len(values) == 0:
        raise NotEnoughDataError(
            "There is no row to evaluate on.",
            hint="The last window has no mature snapshot: give a longer history.",
        )
    codes = cluster_codes(cluster, len(values))
    ranked = _rank(values, won, codes)
    figures = ranked.figures(np.ones((1, len(values))))[:, 0]
    draws = [
        ranked.figures(weights)
        for weights in resampled_weights(ranked.codes, resamples=resamples, seed=seed)
    ]
    drawn = np.concatenate(draws, axis=1) if draws else np.empty((len(_FIGURES), 0))
    clusters = int(codes.max()) + 1
    if clusters == 1:
        drawn = np.full_like(drawn, math.nan)
    estimates = {
        name: percentile_interval(float(figures[i]), drawn[i]) for i, name in enumerate(_FIGURES)
    }
    return Evaluation(
        rows=len(values),
        leads=clusters,
        positives=int(won.sum()),
        ece_noise=ranked.noise(seed),
        reliability=ranked.reliability(),
        lift_curve=ranked.lift_curve(),
        **estimates,
    )


@dataclass(frozen=True)
class _Ranked:
    """Rows sorted by falling probability, with what each figure needs of them."""

    probability: Floats
    won: NDArray[np.bool_]
    codes: Codes
    log_odds: Floats
    row_log_loss: Floats
    tie_ends: NDArray[np.intp]
    bin_starts: NDArray[np.intp]
    line: LogisticLine

    def figures(self, weights: Floats) -> Floats:
        """Return the figures named in ``_FIGURES`` for weights (b, n): shape (figures, b)."""
        total = weights.sum(axis=1)
        won_weights = weights * self.won
        wins = self._at_tie_ends(won_weights)
        worked = self._at_tie_ends(weights)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            base_rate = wins[:, -1] / total
            gap = np.add.reduceat(won_weights - weights * self.probability, self.bin_starts, axis=1)
            lift = _gain(wins, worked, 0.1) / 0.1
            intercept, slope = self._line(weights)
            return np.stack(
                [
                    base_rate,
                    _auc(wins, worked),
                    _average_precision(wins, worked),
                    weights @ self.row_log_loss / total,
                    weights @ (self.probability - self.won) ** 2 / total,
                    np.abs(gap).sum(axis=1) / total,
                    slope,
                    intercept,
                    lift,
                ]
            )

    def _at_tie_ends(self, weights: Floats) -> Floats:
        """Sum weights down to the end of each run of equal probabilities, from 0."""
        sums = np.cumsum(weights, axis=1)[:, self.tie_ends]
        return np.concatenate([np.zeros((len(weights), 1)), sums], axis=1)

    def _line(self, weights: Floats) -> tuple[Floats, Floats]:
        """Move the line of all rows to the weighted rows; NaN where it leaves for infinity."""
        x = self.log_odds
        slope = np.full(len(weights), self.line.slope)
        intercept = np.full(len(weights), self.line.intercept)
        if not self.line.converged:
            return intercept, slope
        powers = np.column_stack([np.ones_like(x), x, x * x])
        for _ in range(_NEWTON_STEPS):
            fitted = expit(intercept[:, None] + slope[:, None] * x)
            pull = (weights * (fitted - self.won)) @ powers[:, :2]
            curve = (weights * (fitted * (1.0 - fitted))) @ powers
            determinant = curve[:, 0] * curve[:, 2] - curve[:, 1] ** 2
            determinant[determinant <= 1e-9 * curve[:, 0] * curve[:, 2]] = math.nan
            step = (curve[:, 0] * pull[:, 1] - curve[:, 1] * pull[:, 0]) / determinant
            intercept -= (curve[:, 2] * pull[:, 0] - curve[:, 1] * pull[:, 1]) / determinant
            slope -= step
        slope[np.abs(step) > 0.01 * np.maximum(1.0, np.abs(slope))] = math.nan
        return np.where(np.isfinite(slope), intercept, math.nan), slope

    def noise(self, seed: int) -> Estimate:
        """Simulate the calibration error of a perfectly calibrated model."""
        generator = np.random.default_rng([seed, 1])
        errors = np.empty(_NOISE_DRAWS)
        for draw in range(_NOISE_DRAWS):
            simulated = generator.random(len(self.probability)) < self.probability
            gap = np.add.reduceat(simulated - self.probability, self.bin_starts)
            errors[draw] = np.abs(gap).sum() / len(self.probability)
        low, high = np.quantile(errors, [0.025, 0.975])
        return Estimate(float(errors.mean()), float(low), float(high))

    def reliability(self) -> tuple[ReliabilityBin, ...]:
        """Return the bins in order of rising probability."""
        edges = [*self.bin_starts.tolist(), len(self.probability)]
        bins = []
        for start, end in pairwise(edges):
            observed = clustered_share(self.won[start:end], self.codes[start:end])
            predicted = float(self.probability[start:end].mean())
            bins.append(
                ReliabilityBin(
                    predicted, observed.value, observed.low, observed.high, int(end - start)
                )
            )
        return tuple(reversed(bins))

    def lift_curve(self) -> tuple[LiftPoint, ...]:
        """Return lift and gain at each whole percent of leads."""
        ones = np.ones((1, len(self.won)))
        wins, worked = self._at_tie_ends(ones * self.won), self._at_tie_ends(ones)
        shares = np.arange(1, 101) / 100.0
        found = np.interp(shares * len(self.won), worked[0], wins[0])
        gain = found / wins[0, -1] if wins[0, -1] else np.full(100, math.nan)
        return tuple(
            LiftPoint(float(share), float(part / share), float(part))
            for share, part in zip(shares, gain, strict=True)
        )


def _rank(probability: Floats, won: NDArray[np.bool_], codes: Codes) -> _Ranked:
    order = np.argsort(-probability, kind="stable")
    values, won = probability[order], won[order]
    tie_ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    # A bin ends at the first tie end at or after its share of the rows: equals stay together.
    wanted = np.arange(1, RELIABILITY_BINS) * len(values) / RELIABILITY_BINS
    bin_ends = tie_ends[np.searchsorted(tie_ends, wanted - 1.0)]
    starts = np.unique(np.concatenate([[0], bin_ends + 1]))
    bounded = np.clip(values, _SMALLEST, 1.0 - _SMALLEST)
    log_odds = np.asarray(logit(bounded), dtype=np.float64)
    return _Ranked(
        probability=values,
        won=won,
        codes=codes[order],
        log_odds=log_odds,
        row_log_loss=-np.log(np.where(won, bounded, 1.0 - bounded)),
        tie_ends=tie_ends,
        bin_starts=starts[starts < len(values)],
        line=fit_logistic_line(log_odds, won),
    )


def _auc(wins: Floats, worked: Floats) -> Floats:
    """Area under the ROC curve by trapezoids, which give a tie half its pairs."""
    losses = worked - wins
    area = np.diff(losses, axis=1) * (wins[:, 1:] + wins[:, :-1]) / 2.0
    return np.asarray(area.sum(axis=1) / (wins[:, -1] * losses[:, -1]), dtype=np.float64)


def _average_precision(wins: Floats, worked: Floats) -> Floats:
    precision = wins[:, 1:] / np.where(worked[:, 1:] > 0.0, worked[:, 1:], 1.0)
    return np.asarray(
        (np.diff(wins, axis=1) * precision).sum(axis=1) / wins[:, -1], dtype=np.float64
    )


def _gain(wins: Floats, worked: Floats, share: float) -> Floats:
    """Share of wins among the best ``share`` of the weight, a tie at the cut shared out evenly."""
    wanted = share * worked[:, -1:]
    after = np.minimum((worked < wanted).sum(axis=1), worked.shape[1] - 1)[:, None]
    upper, lower = (np.take_along_axis(worked, after - k, axis=1) for k in (0, 1))
    found, before = (np.take_along_axis(wins, after - k, axis=1) for k in (0, 1))
    part = before + (found - before) * (wanted - lower) / (upper - lower)
    return np.asarray((part / wins[:, -1:])[:, 0], dtype=np.float64)


def _plain(point: ReliabilityBin | LiftPoint) -> dict[str, float | None]:
    return {key: value if math.isfinite(value) else None for key, value in asdict(point).items()}
