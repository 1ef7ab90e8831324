"""What a training made before it is registered: a decision version, its story, its window."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from leadlight.features.validation import DoorReport
from leadlight.models.decision import DecisionVersion
from leadlight.models.score_grid import score_grid
from leadlight.models.threshold import ThresholdChoice, choose_threshold

from .config import Config
from .policy_columns import with_policy_columns
from .prepare import door_summary, scoring_plan
from .training_labels import feedback_story
from .training_set import TrainingSet, sampled_share


@dataclass(frozen=True)
class Learned:
    """A decision version that is not registered yet.

    Attributes
    ----------
    decision : DecisionVersion
    story : dict
        Plain data, as in ``Trained``.
    held_out : DataFrame
        The last window (see ``TrainingResult``), with what policies ask of it besides.
    """

    decision: DecisionVersion
    story: dict[str, Any]
    held_out: pd.DataFrame


def chosen_threshold(
    config: Config, training_set: TrainingSet, window: pd.DataFrame
) -> tuple[pd.DataFrame, ThresholdChoice]:
    """Return a held-out window with the policies' columns, and the agreed policy's answer.

    Parameters
    ----------
    config : Config
    training_set : TrainingSet
    window : DataFrame
        See ``TrainingResult.held_out``.

    Raises
    ------
    ImpossiblePolicyError
        No threshold answers the policy.
    """
    agreed = training_set.agreed
    held_out = with_policy_columns(window, training_set.policy_columns)
    choice = choose_threshold(
        agreed.policy,
        held_out,
        agreed.floors,
        seed=config.seed,
        horizon_days=config.label.horizon_days,
        sampled_share=sampled_share(training_set.counts),
    )
    return held_out, choice


def version_metadata(
    config: Config,
    training_set: TrainingSet,
    door: DoorReport,
    hashes: Mapping[str, str],
    known_until: int,
) -> dict[str, Any]:
    """Return what a decision version says of its making.

    Parameters
    ----------
    config, training_set, door, hashes
    known_until : int
        Moment up to which labels were known to the model that was judged.
    """
    return {
        "project": config.project,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "horizon_days": None if door.tables.is_flat else config.label.horizon_days,
        "known_until": known_until,
        "snapshots": scoring_plan(config),
        "sampled_share": sampled_share(training_set.counts),
        "schema": training_set.schema,
        **hashes,
    }


def making_story(
    config: Config,
    training_set: TrainingSet,
    door: DoorReport,
    decision: DecisionVersion,
    held_out: pd.DataFrame,
) -> dict[str, Any]:
    """Return the part of the story that does not depend on how the model was made.

    Parameters
    ----------
    config, training_set, door
    decision : DecisionVersion
    held_out : DataFrame
    """
    choice = decision.threshold
    return {
        "metadata": decision.metadata,
        "snapshots": asdict(training_set.counts),
        "leaks": list(training_set.leaks),
        "door": door_summary(door),
        "feedback": feedback_story(held_out, training_set.judged, config.seed),
        "grid": [cell.to_dict() for cell in score_grid(held_out, choice, decision.floors)],
        "notes": [*training_set.notes, *training_set.agreed.notes, *choice.notes],
    }
