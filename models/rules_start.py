"""Rules start: where too few wins are known to learn from, expected directions put leads in order.

Each signal of which the catalog expects something gives one point, or takes one. Which signals, and
where each is cut, is read from the leads, never from outcomes: unit weights on what experts look at
put cases in order about as well as fitted weights do, and need nothing to be fitted. Only the level
is read from the wins that are known, and the spread is supposed, so that no probability of it is
calibrated.

References
----------
R. Dawes, The robust beauty of improper linear models in decision making, American Psychologist 34
(1979), on unit weights.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from leadlight.features.errors import NotEnoughDataError
from leadlight.features.feature import Feature

from .bootstrap import Estimate, Floats, lead_clusters
from .calibration import Calibration
from .compiled import CompiledModel
from .encoding import Encoding
from .evaluation import Evaluation, evaluate
from .exploration import stands_for
from .judged_window import judged_window, window_reference
from .log_odds import level_shift
from .points_card import Flags, Signal, offered_signals, points_of
from .reference import Reference
from .shape import Shape
from .time_order import time_order

AS_IT_IS = Calibration(slope=1.0, intercept=0.0)

_UNKNOWN = Estimate(math.nan, math.nan, math.nan)
# A person counts visits and days; a rate of interest, a trend or a sum of money has no plain cut.
_NOT_COUNTED = frozenset({"intensity", "trend", "details", "value"})
_TENTHS = np.arange(1, 10) / 10.0


@dataclass(frozen=True)
class RulesStart:
    """A points card from expected directions, as a model that nothing was learned for.

    Attributes
    ----------
    signals : tuple of Signal
        In catalog order, each of one point, to give or to take.
    features : tuple of Feature
        Of the signals, in the same order.
    compiled : CompiledModel
        A point is the same log-odds for each signal; a standard deviation of points is one.
    reference : Reference
    held_out : DataFrame
        All mature snapshots, of none of which the rules learned: as ``TrainingResult.held_out``.
    evaluation : Evaluation
        On them: how well the rules put leads in order. Figures of probabilities are unknown.
    importance : mapping of str to float
    known_until : int
        Moment before all snapshots, as in ``TimeOrder``: the rules knew no label.
    described : str
        Sentence: the snapshots and wins that were known.
    """

    signals: tuple[Signal, ...]
    features: tuple[Feature, ...]
    compiled: CompiledModel
    reference: Reference
    held_out: pd.DataFrame
    evaluation: Evaluation
    importance: Mapping[str, float]
    known_until: int
    described: str


def start_from_rules(
    frame: pd.DataFrame,
    features: Sequence[Feature],
    *,
    horizon_days: int,
    seed: int,
    compared_with: str = "all",
) -> RulesStart:
    """Make the points card of the catalog's expected directions.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Mature snapshots, as ``train_model`` takes them; at least one was won.
    features : sequence of Feature
        In catalog order.
    horizon_days : int
        Days after as_of within which a win counts.
    seed : int
        Of the bootstrap.
    compared_with : str
        See ``train_model``.

    Raises
    ------
    NotEnoughDataError
        There is no mature snapshot, or nothing of which a direction is expected parts the leads.
    """
    counts = stands_for(frame) > 0.0
    signals = expected_signals(features, frame[counts])
    points = points_of(signals, frame).astype(np.float64)
    if not signals or np.ptp(points[counts]) == 0.0:
        raise NotEnoughDataError(
            "too few wins are known to learn from, and no signal of which the catalog expects a "
            "direction parts the leads, so there are no rules to start with.",
            hint="Map events in the sources (page views, forms, downloads), or wait for more wins.",
        )
    by_name = {feature.name: feature for feature in features}
    used = tuple(by_name[signal.feature] for signal in signals)
    compiled = _compiled(signals, points, frame["label"].to_numpy(dtype=bool), stands_for(frame))
    held_out, importance = judged_window(compiled, AS_IT_IS, used, frame)
    order = time_order(frame, horizon_days=horizon_days, seed=seed)
    wins = int(frame["label"].to_numpy(dtype=bool)[counts].sum())
    known = np.flatnonzero(counts)
    return RulesStart(
        signals=signals,
        features=used,
        compiled=compiled,
        reference=window_reference(compiled, used, frame, compared_with),
        held_out=held_out,
        evaluation=_in_order_only(held_out[counts], seed),
        importance=importance,
        known_until=int(order.moment.min()),
        described=f"Known: {order.described(known)}{len(known):,} snapshots, {wins:,} won.",
    )


def expected_signals(features: Sequence[Feature], frame: pd.DataFrame) -> tuple[Signal, ...]:
    """Return the card's signals, in catalog order: of each group how much of it, and how lately.

    Of several windows and cuts, the one that parts the leads most evenly.

    Parameters
    ----------
    features : sequence of Feature
    frame : DataFrame of n rows
        The features' values; labels are not looked at.
    """
    chosen: dict[tuple[str, str], tuple[float, Signal]] = {}
    for feature in features:
        offered = offered_signals(_conditions(feature, frame), frame)
        for signal, share in offered:
            uneven, kind = abs(share - 0.5), (feature.group, signal.condition)
            if kind not in chosen or uneven < chosen[kind][0]:
                chosen[kind] = (uneven, signal)
    place = {feature.name: at for at, feature in enumerate(features)}
    return tuple(
        sorted((signal for _, signal in chosen.values()), key=lambda each: place[each.feature])
    )


def _conditions(feature: Feature, frame: pd.DataFrame) -> Iterator[Signal]:
    """Yield the cuts that a feature with an expected direction may have."""
    if feature.direction == 0 or feature.kind == "category" or feature.statistic in _NOT_COUNTED:
        return
    if feature.statistic.startswith("days_since"):
        # One that never happened has no days. So of what is better rare, it is counted instead.
        if feature.direction < 0:
            for days in (3.0, 7.0, 14.0, 30.0, 60.0, 90.0):
                yield Signal(feature.name, feature.label, "at most", days, 1)
        return
    values = frame[feature.name].to_numpy(dtype=np.float64, na_value=np.nan)
    values = values[np.isfinite(values)]
    if not len(values):
        return
    tenths = np.quantile(values, _TENTHS, method="inverted_cdf")
    above_least = values[values > values.min()]
    cuts = np.unique(np.append(tenths[tenths > values.min()], above_least.min(initial=np.inf)))
    for cut in cuts[np.isfinite(cuts)].tolist():
        yield Signal(feature.name, feature.label, "at least", cut, feature.direction)


def _compiled(
    signals: Sequence[Signal], points: Floats, won: Flags, weight: Floats
) -> CompiledModel:
    """Turn points into log-odds: the spread is supposed, the level is that of the known wins."""
    per_point = 1.0 / float(points.std())
    baseline = level_shift(per_point * points, won.astype(np.float64), weight)
    names = tuple(signal.feature for signal in signals)
    encoding = Encoding(names, (None,) * len(names), ((),) * len(names))
    return CompiledModel(encoding, baseline, tuple(_shape(each, per_point) for each in signals))


def _shape(signal: Signal, per_point: float) -> Shape:
    value, adds = float(signal.value), signal.points * per_point
    if signal.condition == "at most":
        return Shape(np.array([value]), np.array([adds, 0.0]), 0.0)
    return Shape(np.array([np.nextafter(value, -np.inf)]), np.array([0.0, adds]), 0.0)


def _in_order_only(held_out: pd.DataFrame, seed: int) -> Evaluation:
    """Evaluate how the rules put leads in order; what they say of chances is not to be judged."""
    evaluation = evaluate(
        held_out["probability"].to_numpy(),
        held_out["label"].to_numpy(),
        lead_clusters(held_out),
        seed=seed,
        stands_for=stands_for(held_out),
    )
    return replace(
        evaluation,
        log_loss=_UNKNOWN,
        brier=_UNKNOWN,
        ece=_UNKNOWN,
        ece_noise=_UNKNOWN,
        calibration_slope=_UNKNOWN,
        calibration_intercept=_UNKNOWN,
        reliability=(),
    )
