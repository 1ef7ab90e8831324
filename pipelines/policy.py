"""From the configuration's words to the models' MQL policies."""

from typing import assert_never

from leadlight.models.threshold import (
    CapacityPolicy,
    Floors,
    Policy,
    ProbabilityPolicy,
    TopSharePolicy,
)

from .config import CapacitySettings, Config, ProbabilitySettings, TopShareSettings


def policy_of(config: Config) -> Policy:
    """Return the MQL policy that the configuration names."""
    match config.mql:
        case CapacitySettings(leads_per_week=leads_per_week):
            return CapacityPolicy(leads_per_week)
        case TopShareSettings(share=share):
            return TopSharePolicy(share)
        case ProbabilitySettings(probability=probability):
            return ProbabilityPolicy(probability)
        case _:
            assert_never(config.mql)


def floors_of(config: Config) -> Floors:
    """Return the least fit and engagement that an MQL needs, as percentiles."""
    return Floors(fit=config.mql.minimum.fit, engagement=config.mql.minimum.engagement)
