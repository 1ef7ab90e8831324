"""From the configuration's words to the models' MQL policies."""

from leadlight.models.policies import Floors, Policy, policy_from_dict

from .config import Config
from .config_mql import AGREED


def policy_of(config: Config) -> Policy:
    """Return the MQL policy that the configuration names."""
    return policy_from_dict(config.mql.model_dump(exclude={"minimum", *AGREED}, exclude_none=True))


def floors_of(config: Config) -> Floors:
    """Return the least fit and engagement that an MQL needs, as percentiles."""
    return Floors(fit=config.mql.minimum.fit, engagement=config.mql.minimum.engagement)
