"""The threshold job: what another policy would bring, answered from the champion's held-out window.

Nothing is retrained, and nothing changes unless the new definition is saved.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from leadlight.features.errors import ConfigError
from leadlight.models.policies import (
    UNCALIBRATED,
    Floors,
    Policy,
    policy_from_dict,
    require_volume_policy,
)
from leadlight.models.score_grid import GridCell, score_grid
from leadlight.models.threshold import ThresholdChoice, choose_threshold

from .config import Config
from .held_out import HeldOutWindow, champion_window

if TYPE_CHECKING:
    from .definitions import Definition


@dataclass(frozen=True)
class WhatIf:
    """What a policy would bring on the champion's held-out window.

    Attributes
    ----------
    version : int
        The champion's decision version.
    choice : ThresholdChoice
        Of the policy that was asked.
    floors : Floors
    grid : tuple of GridCell
    in_force : ThresholdChoice
        What holds now.
    floors_in_force : Floors
    snapshots, wins : int
    first, last : date or None
        Days of the held-out window; None without dates.
    horizon_days : int or None
    """

    version: int
    choice: ThresholdChoice
    floors: Floors
    grid: tuple[GridCell, ...]
    in_force: ThresholdChoice
    floors_in_force: Floors
    snapshots: int
    wins: int
    first: date | None
    last: date | None
    horizon_days: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {
            "version": self.version,
            "threshold": self.choice.to_dict(),
            "floors": vars(self.floors),
            "grid": [cell.to_dict() for cell in self.grid],
            "in_force": {
                key: value for key, value in self.in_force.to_dict().items() if key != "curve"
            },
            "floors_in_force": vars(self.floors_in_force),
            "snapshots": self.snapshots,
            "wins": self.wins,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "horizon_days": self.horizon_days,
        }


def what_if(
    config: Config,
    policy: Policy | None = None,
    *,
    fit: float | None = None,
    engagement: float | None = None,
) -> WhatIf:
    """Answer a policy on the champion's held-out window.

    Parameters
    ----------
    config : Config
    policy : Policy, optional
        Default: the one that holds.
    fit, engagement : float, optional
        Floors, as percentiles (0 to 1); default: those that hold.

    Raises
    ------
    ModelNotFoundError
        Nothing was trained yet.
    ConfigError
        A floor is out of range, no lead passes the floors, or the policy cannot be asked here.
    ImpossiblePolicyError
        No threshold answers the policy; the best that can be had is told.
    """
    window = champion_window(config)
    floors = Floors(
        window.floors.fit if fit is None else fit,
        window.floors.engagement if engagement is None else engagement,
    )
    same = policy is None and floors == window.floors
    choice = window.threshold if same else _chosen(config, window, policy, floors)
    moments = window.frame["as_of"].dropna()
    return WhatIf(
        version=window.version,
        choice=choice,
        floors=floors,
        grid=score_grid(window.frame, choice, floors),
        in_force=window.threshold,
        floors_in_force=window.floors,
        snapshots=len(window.frame),
        wins=int(window.frame["label"].sum()),
        first=moments.min().date() if len(moments) else None,
        last=moments.max().date() if len(moments) else None,
        horizon_days=window.metadata["horizon_days"],
    )


def save_definition(
    config: Config,
    policy: Policy,
    floors: Floors,
    *,
    author: str,
    reason: str,
    review_on: date | None = None,
) -> tuple[int, "Definition"]:
    """Make a policy the team's definition: a new decision version, and a line in the ledger.

    The champion's model stays; only its threshold and floors change, and the new version becomes
    the champion.

    Parameters
    ----------
    config : Config
    policy : Policy
    floors : Floors
    author, reason : str
    review_on : date, optional
        Default: ``mql.review_after_days`` from today.

    Returns
    -------
    int
        Of the new decision version.
    Definition

    Raises
    ------
    ConfigError
        Nobody, no reason, or a review date that is not ahead.
    ImpossiblePolicyError
        No threshold answers the policy; nothing is written.
    """
    # Imported here: a question alone needs neither a model nor MLflow, and waits for neither.
    from .definitions import FROM_CONFIGURATION, record_definition, review_day  # noqa: PLC0415
    from .redefinition import register_redefinition  # noqa: PLC0415
    from .registry import Mandate  # noqa: PLC0415

    if not author.strip() or author == FROM_CONFIGURATION:
        raise ConfigError(
            f"'{author}' cannot be the author.", hint="Say who decides: --author NAME"
        )
    if not reason.strip():
        raise ConfigError("A definition needs a reason.", hint="Say why: --reason TEXT")
    review = review_on or review_day(config)
    if review <= datetime.now(UTC).date():
        raise ConfigError(
            f"The review on {review} is not ahead.", hint="Name a later day: --review-on 2027-01-31"
        )
    window = champion_window(config)
    choice = _chosen(config, window, policy, floors)
    made = register_redefinition(config, window, choice, floors, Mandate(author, reason))
    definition = record_definition(
        config,
        made.number,
        made.decision,
        made.training,
        author=author,
        reason=reason,
        review_on=review,
    )
    return made.number, definition


def _chosen(
    config: Config, window: HeldOutWindow, policy: Policy | None, floors: Floors
) -> ThresholdChoice:
    asked = policy or policy_from_dict(window.threshold.policy)
    if UNCALIBRATED in window.metadata:
        require_volume_policy(asked)
    return choose_threshold(
        asked,
        window.frame,
        floors,
        seed=config.seed,
        horizon_days=window.horizon_days,
        sampled_share=window.sampled_share,
    )
