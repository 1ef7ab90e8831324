"""The promise on real data that drifts: a bank's calls, retrained ten times, each time promised."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from maturity import fitted
from quality_cases import case_makers
from sklearn.pipeline import Pipeline

from leadlight.features.catalog import Feature
from leadlight.features.errors import ImpossiblePolicyError
from leadlight.models.calibration import calibrate
from leadlight.models.maturity import KnownRows
from leadlight.models.policies import Floors, PrecisionPolicy
from leadlight.models.threshold import choose_threshold

_TAUGHT, _CALIBRATED = 0.6, 0.8
"""Of what is known, the oldest part teaches a scorecard; the newest is the held-out window."""


@dataclass(frozen=True)
class BankStep:
    """One retraining.

    Attributes
    ----------
    base_rate, later_rate : float
        Of the held-out window, and of the calls that followed.
    given : bool
        Whether the precision was promised.
    promoted, won : int
        Of the calls that followed.
    """

    base_rate: float
    later_rate: float
    given: bool
    promoted: int
    won: int


def bank_steps(policy: PrecisionPolicy, data: Path, folder: Path) -> list[BankStep]:
    """Promise a precision after each retraining, and count what the following calls made of it.

    Parameters
    ----------
    policy : PrecisionPolicy
    data : Path
        Folder of the public data sets.
    folder : Path
        Where the case is kept.
    """
    case = case_makers(data)["bank, ten steps"](folder)
    frame = case.rows()
    features = [Feature(**told) for told in case.features]
    return [
        _step(policy, frame.iloc[: step.train], frame.iloc[step.first : step.last], features)
        for step in case.steps
    ]


def _step(
    policy: PrecisionPolicy, known: pd.DataFrame, later: pd.DataFrame, features: list[Feature]
) -> BankStep:
    edges = [int(share * len(known)) for share in (_TAUGHT, _CALIBRATED)]
    taught, calibrating, window = np.split(np.arange(len(known)), edges)
    model = _scorecard(known.iloc[taught], features)
    rows = known.iloc[calibrating]
    calibration = calibrate(model.decision_function(rows), rows["label"])
    held_out = known.iloc[window]
    held_out = held_out[["lead_id", "as_of", "label"]].assign(
        probability=calibration.probability(model.decision_function(held_out)),
        fit_percentile=np.nan,
        engagement_percentile=np.nan,
    )
    rates = float(held_out["label"].mean()), float(later["label"].mean())
    try:
        choice = choose_threshold(policy, held_out, Floors(), seed=0)
    except ImpossiblePolicyError:
        return BankStep(*rates, given=False, promoted=0, won=0)
    is_mql = calibration.probability(model.decision_function(later)) >= choice.threshold
    won = int(later["label"].to_numpy(dtype=bool)[is_mql].sum())
    return BankStep(*rates, given=True, promoted=int(is_mql.sum()), won=won)


def _scorecard(taught: pd.DataFrame, features: list[Feature]) -> Pipeline:
    won = taught["label"].to_numpy(dtype=bool)
    every = np.ones(len(won))
    known = KnownRows(np.arange(len(won)), won, every.astype(bool), every)
    return fitted("logistic", features, taught, known)
