"""Demo worlds scored by the champion of another one: what a policy sees, and what comes after."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from maturity_worlds import known_world
from numpy.typing import NDArray

from leadlight.features.definition import FeatureDefinition
from leadlight.models.training import TrainingResult, train_model

CHAMPION_SEED = 10_000
"""The champion's world is none of those that are judged."""

HORIZON_DAYS = 90
_WAITING, _WINDOW, _USED = 3, 8, 4
_KEYS = ["lead_id", "account_id", "as_of", "label", "true_probability"]


@dataclass(frozen=True)
class Champion:
    """What scores all worlds.

    Attributes
    ----------
    definition : FeatureDefinition
    trained : TrainingResult
    """

    definition: FeatureDefinition
    trained: TrainingResult

    def scored(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return snapshots as ``choose_threshold`` takes them, with ``true_probability``."""
        final, reference = self.trained.final, self.trained.reference
        parts = final.compiled.contributions(frame)
        percentiles = {
            f"{family}_percentile": reference.family_percentile(parts, final.features, family)
            for family in ("fit", "engagement")
        }
        probability = final.calibration.probability(final.compiled.total(parts))
        return frame[_KEYS].assign(probability=probability, **percentiles)


@dataclass(frozen=True)
class JudgedWorld:
    """A world's snapshots with the probabilities of a model that had not seen them.

    Attributes
    ----------
    held_out : DataFrame
        What the policy is asked on: eight monthly dates.
    later : DataFrame
        The four months in which the threshold is used, from the day on which the window's last
        label is known; and before them the one date that says who was an MQL already.
    """

    held_out: pd.DataFrame
    later: pd.DataFrame


def champion(leads: int) -> Champion:
    """Train a champion as ``leadlight train`` does, on a world of two years.

    Parameters
    ----------
    leads : int
    """
    world = known_world(leads, 2, CHAMPION_SEED)
    frame = world.frame.drop(columns="true_probability")
    trained = train_model(frame, world.features, horizon_days=HORIZON_DAYS, seed=0)
    return Champion(world.definition, trained)


def judged_world(leads: int, seed: int, champion: Champion) -> JudgedWorld:
    """Make a world of two years and score its second half.

    Parameters
    ----------
    leads, seed : int
    champion : Champion
    """
    frame = known_world(leads, 2, seed, champion.definition).frame
    dates: NDArray[np.datetime64] = np.unique(frame["as_of"])
    used = len(dates) - _USED - 1
    closed = used + 1 - _WAITING
    scored = champion.scored(frame[frame["as_of"] >= dates[closed - _WINDOW]])
    return JudgedWorld(
        scored[scored["as_of"] < dates[closed]].reset_index(drop=True),
        scored[scored["as_of"] >= dates[used]].reset_index(drop=True),
    )
