"""A new definition on a known model: a decision version that differs in threshold and floors."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from leadlight.models.policies import Floors
from leadlight.models.score_grid import score_grid
from leadlight.models.threshold import ThresholdChoice

from .artefact import to_json
from .config import Config
from .held_out import HeldOutWindow
from .promotion import promote
from .registry import Mandate, RegisteredVersion, registry_of
from .training_record import definition_record


def register_redefinition(
    config: Config,
    window: HeldOutWindow,
    choice: ThresholdChoice,
    floors: Floors,
    mandate: Mandate,
) -> RegisteredVersion:
    """Register the window's model with another threshold, and make it the champion.

    Parameters
    ----------
    config : Config
    window : HeldOutWindow
        Of the version whose model stays.
    choice : ThresholdChoice
    floors : Floors
    mandate : Mandate
        Who decided, and why.

    Returns
    -------
    RegisteredVersion
        The new one.
    """
    registry = registry_of(config)
    earlier = registry.version(window.version)
    decision = replace(
        earlier.decision,
        threshold=choice,
        floors=floors,
        metadata={**earlier.decision.metadata, "redefined_from": window.version},
    )
    story: dict[str, Any] = {
        **earlier.training,
        "metadata": decision.metadata,
        "threshold": choice.to_dict(),
        "grid": [cell.to_dict() for cell in score_grid(window.frame, choice, floors)],
        "notes": [*_notes_of_training(earlier.training), *choice.notes],
    }
    record = definition_record(
        story,
        {
            "author": mandate.by,
            "reason": mandate.reason,
            "floors": to_json(asdict(floors)).strip(),
            "redefined_from": str(window.version),
        },
    )
    number = registry.register(decision, story, window.frame, record, mandate)
    promote(config, number, mandate)
    return RegisteredVersion(earlier.name, number, decision, story)


def _notes_of_training(story: Mapping[str, Any]) -> list[str]:
    """Return what the training noted, without what it noted of its threshold."""
    return [note for note in story["notes"] if note not in story["threshold"]["notes"]]
