"""The rules-only start: what scores until a first model has enough wins to pass the gate."""

from collections.abc import Mapping
from typing import Any

from leadlight.features.errors import TooEarlyError
from leadlight.features.validation import DoorReport
from leadlight.models.decision import DecisionVersion, JudgedModel
from leadlight.models.feature_shapes import feature_shapes
from leadlight.models.policies import UNCALIBRATED, require_volume_policy
from leadlight.models.rules_start import AS_IT_IS, RulesStart, start_from_rules

from .config import Config
from .learned import Learned, chosen_threshold, making_story, version_metadata
from .progress import Progress
from .training_set import TrainingSet
from .training_story import importance_story


def rules_only(
    config: Config,
    progress: Progress,
    training_set: TrainingSet,
    door: DoorReport,
    hashes: Mapping[str, str],
    too_early: TooEarlyError,
) -> Learned:
    """Make a decision version of the catalog's expected directions; nothing is registered.

    Parameters
    ----------
    config, progress, training_set, door, hashes
    too_early : TooEarlyError
        Why nothing could be learned.

    Raises
    ------
    NotEnoughDataError
        No signal with an expected direction parts the leads.
    ConfigError
        The agreed policy promises something of outcomes, which rules cannot.
    """
    progress.note(f"Starting with rules only: {too_early.message}")
    require_volume_policy(training_set.agreed.policy)
    with progress.stage("Setting up the rules"):
        start = start_from_rules(
            training_set.frame,
            training_set.features,
            horizon_days=config.label.horizon_days,
            seed=config.seed,
            compared_with=config.reasons.compared_with,
        )
        held_out, choice = chosen_threshold(config, training_set, start.held_out)
    metadata = version_metadata(config, training_set, door, hashes, start.known_until)
    decision = DecisionVersion(
        compiled=start.compiled,
        calibration=AS_IT_IS,
        reference=start.reference,
        threshold=choice,
        floors=training_set.agreed.floors,
        definition=training_set.definition,
        metadata=metadata | {UNCALIBRATED: _sentence(start, too_early)},
        judged=JudgedModel(start.compiled, AS_IT_IS),
    )
    shapes = feature_shapes(
        start.compiled, start.features, training_set.frame, start.importance, config.wording
    )
    story = _rules_story(start) | {
        "threshold": choice.to_dict(),
        "shapes": [shape.to_dict() for shape in shapes],
    }
    story |= making_story(config, training_set, door, decision, held_out)
    return Learned(decision, story, held_out)


def _sentence(start: RulesStart, too_early: TooEarlyError) -> str:
    why = too_early.message.rstrip(".")
    return (
        f"Rules only, not calibrated: {why}. Until a first model passes the gate, leads are put in "
        f"order by {len(start.signals)} signals of one point each, in the directions that the "
        "catalog expects; a probability says which lead comes before which, and no more."
    )


def _rules_story(start: RulesStart) -> dict[str, Any]:
    return {
        "evaluation": start.evaluation.to_dict(),
        "unseen": None,
        "candidates": [],
        "blend": [{"name": "rules_only", "weight": 1.0}],
        "ceiling": None,
        "recency": None,
        "level": None,
        "tried": [],
        "windows": [
            "Nothing was learned, so no window was set apart: the rules are held against all "
            "mature snapshots, and only their level is that of the wins.",
            start.described,
        ],
        "segments": [],
        "importance": importance_story(start.importance, start.features),
        "rules": [{"words": each.in_words(), "signal": vars(each)} for each in start.signals],
    }
