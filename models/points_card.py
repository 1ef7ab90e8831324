"""The points card: the model as a short table of signals that a person can add up.

At most 15 signals with whole points and one cut-off, for marketing tools that score by rules
(HubSpot, Marketo, Mautic, Pardot). It is distilled from the model, not from outcomes: yes-or-no
signals are picked one after the other by how much of the margin they explain, and their weights are
rounded to whole points. What is lost by it is measured, and told with the card.

References
----------
Y. Pati, R. Rezaiifar, P. Krishnaprasad, Orthogonal matching pursuit, Asilomar (1993).
B. Ustun, C. Rudin, Learning optimized risk scores, JMLR 20 (2019), on cards with whole points.
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import orthogonal_mp
from sklearn.metrics import roc_auc_score

from leadlight.features.errors import NotEnoughDataError
from leadlight.features.feature import Feature

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_SIGNALS = 15
_MOST_POINTS = 20
_RAREST = 0.005
_COUNTS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
_DAYS = (3.0, 7.0, 14.0, 30.0, 60.0, 90.0)
# What a rule of a marketing tool can look at; rates, trends and depths it cannot.
_COUNTED = frozenset({"count", "total", "active_days", "sessions"})
_DESCRIBED = frozenset({"profile", "employees", "revenue"})
_NAMED = _DESCRIBED | {"seniority", "job_function", "email_kind", "country", "region"}


@dataclass(frozen=True)
class Signal:
    """One line of the card: a condition, and what it adds.

    Attributes
    ----------
    feature : str
        Column of the feature table.
    label : str
        What is looked at, in plain words.
    condition : {"at least", "at most", "is"}
    value : float or str
    points : int
        Of a lead that meets the condition; a missing value meets none.
    """

    feature: str
    label: str
    condition: Literal["at least", "at most", "is"]
    value: float | str
    points: int

    def holds(self, frame: pd.DataFrame) -> Flags:
        """Say which leads meet the condition."""
        column = frame[self.feature]
        if self.condition == "is":
            return np.asarray(column.eq(self.value).fillna(False), dtype=bool)
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        met = values >= self.value if self.condition == "at least" else values <= self.value
        return np.asarray(met, dtype=bool)

    def in_words(self) -> str:
        """Say the condition: "Visits to the pricing page in the last 30 days: at least 2"."""
        if self.condition == "is":
            return f"{self.label}: {self.value}"
        return f"{self.label}: {self.condition} {self.value:,.10g}"


@dataclass(frozen=True)
class CardLoss:
    """What the card loses against the model, on leads that taught neither.

    Attributes
    ----------
    leads : int
    card_auc, model_auc : float
    agreement : float
        Share of leads with the same verdict, 0 to 1.
    found : float
        Share of the model's MQLs that are the card's too.
    card_share, model_share : float
        Of leads that are MQLs.
    """

    leads: int
    card_auc: float
    model_auc: float
    agreement: float
    found: float
    card_share: float
    model_share: float


@dataclass(frozen=True)
class PointsCard:
    """Signals with whole points, and the sum from which a lead is an MQL.

    Attributes
    ----------
    signals : tuple of Signal
        Most points first.
    cut_off : int
    loss : CardLoss
    """

    signals: tuple[Signal, ...]
    cut_off: int
    loss: CardLoss

    def points(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Return each lead's sum."""
        return points_of(self.signals, frame)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def points_of(signals: Sequence[Signal], frame: pd.DataFrame) -> NDArray[np.int64]:
    """Return each lead's sum of points, shape (n,)."""
    total = np.zeros(len(frame), dtype=np.int64)
    for signal in signals:
        total += signal.points * signal.holds(frame)
    return total


def distil(
    features: Sequence[Feature],
    taught: pd.DataFrame,
    margin: Floats,
    held_out: pd.DataFrame,
    held_out_score: Floats,
    mql: Flags,
) -> PointsCard:
    """Make the card that follows a model most closely.

    Parameters
    ----------
    features : sequence of Feature
    taught : DataFrame of n rows
        Feature table to pick signals on.
    margin : array of shape (n,)
        The model's log-odds of them.
    held_out : DataFrame of m rows
        Feature table with ``label``, to measure on.
    held_out_score, mql : arrays of shape (m,)
        The model's probabilities and verdicts.

    Raises
    ------
    NotEnoughDataError
        No signal tells hot leads from cold ones.
    """
    conditions = (signal for feature in features for signal in _conditions(feature, taught))
    offered = [signal for signal, _ in offered_signals(conditions, taught)]
    if not offered:
        raise NotEnoughDataError(
            "no feature of the model is one that a marketing tool can count",
            hint="A points card needs events, or columns such as industry or seniority.",
        )
    met = np.column_stack([signal.holds(taught) for signal in offered]).astype(np.float64)
    weights = _picked(met, margin)
    scale = _MOST_POINTS / np.abs(weights).max()
    signals = _in_points(offered, np.rint(weights * scale).astype(int))
    return card_of(signals, held_out, held_out_score, mql)


def card_of(
    signals: tuple[Signal, ...], held_out: pd.DataFrame, held_out_score: Floats, mql: Flags
) -> PointsCard:
    """Give known signals their cut-off, and measure the card.

    Parameters
    ----------
    signals : tuple of Signal
    held_out, held_out_score, mql
        As for ``distil``.
    """
    points = points_of(signals, held_out)
    cut_off = _cut_off(points, mql)
    return PointsCard(signals, cut_off, _loss(points, cut_off, held_out, held_out_score, mql))


def offered_signals(
    conditions: Iterable[Signal], frame: pd.DataFrame
) -> list[tuple[Signal, float]]:
    """Return the conditions that are neither rare nor nearly always met, with the share that does.

    Parameters
    ----------
    conditions : iterable of Signal
    frame : DataFrame of n rows
        Leads to look at.
    """
    shares = [(signal, float(signal.holds(frame).mean())) for signal in conditions]
    return [(signal, share) for signal, share in shares if _RAREST <= share <= 1 - _RAREST]


def _conditions(feature: Feature, frame: pd.DataFrame) -> list[Signal]:
    if feature.kind == "category":
        levels = frame[feature.name].value_counts(normalize=True)
        known = [str(level) for level, share in levels.items() if share >= _RAREST]
        named = sorted(known) if feature.statistic in _NAMED else []
        return [_signal(feature, "is", level) for level in named]
    if feature.statistic in _COUNTED:
        return [_signal(feature, "at least", count) for count in _COUNTS]
    if feature.statistic == "days_since_last":
        return [_signal(feature, "at most", days) for days in _DAYS]
    values = frame[feature.name].to_numpy(dtype=np.float64, na_value=np.nan)
    if feature.statistic not in _DESCRIBED or np.isnan(values).all():
        return []
    tenths = np.nanquantile(values, np.linspace(0.1, 0.9, 9))
    return [_signal(feature, "at least", value) for value in sorted(set(map(_round, tenths)))]


def _signal(
    feature: Feature, condition: Literal["at least", "at most", "is"], value: float | str
) -> Signal:
    return Signal(feature.name, feature.label, condition, value, 0)


def _round(value: float) -> float:
    """Return a number with two digits that people remember."""
    return float(f"{value:.1e}")


def _picked(met: Floats, margin: Floats) -> Floats:
    """Return weights, zero for all but the most telling signals; hot leads matter more."""
    if np.ptp(margin) == 0.0:
        raise NotEnoughDataError("the model gives every lead the same score", hint="Train again.")
    heat = expit(margin)
    root = np.sqrt(heat)
    centred = (met - np.average(met, axis=0, weights=heat)) * root[:, np.newaxis]
    length = np.linalg.norm(centred, axis=0)
    signals = min(MOST_SIGNALS, met.shape[1], len(met) - 1)
    target = (margin - np.average(margin, weights=heat)) * root
    with warnings.catch_warnings():
        # A model that is a card itself is met before all signals are used.
        warnings.simplefilter("ignore", RuntimeWarning)
        weights = orthogonal_mp(centred / length, target, n_nonzero_coefs=signals)
    found: Floats = np.asarray(weights, dtype=np.float64).reshape(-1) / length
    return found


def _in_points(offered: Sequence[Signal], points: NDArray[np.int64]) -> tuple[Signal, ...]:
    signals = [
        Signal(each.feature, each.label, each.condition, each.value, int(whole))
        for each, whole in zip(offered, points, strict=True)
        if whole
    ]
    return tuple(sorted(signals, key=lambda each: (-each.points, each.in_words())))


def _cut_off(points: NDArray[np.int64], mql: Flags) -> int:
    """Return the sum that makes as many MQLs as the model; of two, the one that agrees more."""
    sums = np.unique(points)
    share = mql.mean()
    wrong = [abs((points >= each).mean() - share) for each in sums]
    disagree = [((points >= each) != mql).mean() for each in sums]
    return int(sums[np.lexsort((disagree, np.round(wrong, 3)))[0]])


def _loss(
    points: NDArray[np.int64], cut_off: int, held_out: pd.DataFrame, score: Floats, mql: Flags
) -> CardLoss:
    won = held_out["label"].to_numpy(dtype=bool)
    card = points >= cut_off
    return CardLoss(
        leads=len(points),
        card_auc=float(roc_auc_score(won, points)),
        model_auc=float(roc_auc_score(won, score)),
        agreement=float((card == mql).mean()),
        found=float((card & mql).sum() / max(mql.sum(), 1)),
        card_share=float(card.mean()),
        model_share=float(mql.mean()),
    )
