"""What the configuration says of monitoring: how large something must be to be an alarm."""

from typing import Annotated

from pydantic import Field

from leadlight.models.alarms import Limits

from .config_sources import Number, Settings

Share = Annotated[Number, Field(gt=0, le=1)]
Times = Annotated[Number, Field(gt=1)]
_SOUND = Limits()


class MonitorSettings(Settings):
    """Limits of `leadlight monitor`."""

    false_alarms: Annotated[Number, Field(gt=0, lt=1)] = Field(
        default=_SOUND.false_alarms,
        description="Largest chance of any alarm in a run when nothing is wrong",
    )
    psi_attention: Annotated[Number, Field(gt=0)] = Field(
        default=_SOUND.psi_attention,
        description="Population stability index of a feature or of the score for attention",
    )
    psi_act: Annotated[Number, Field(gt=0)] = Field(
        default=_SOUND.psi_act, description="The same, to act"
    )
    volume_ratio: Times = Field(
        default=_SOUND.volume_ratio,
        description="Times as many, or as few, as a stream's own weekly rhythm makes likely",
    )
    flood_ratio: Times = Field(
        default=_SOUND.flood_ratio,
        description="Times as many new leads of one country, source, ... as usual",
    )
    repeated_share: Share = Field(
        default=_SOUND.repeated_share, description="Share of events that are there twice"
    )
    conversion_margin: Share = Field(
        default=_SOUND.conversion_margin,
        description="Share by which realised conversion may stray from the promised",
    )
    auc_drop: Share = Field(
        default=_SOUND.auc_drop, description="By which the estimated AUC may fall"
    )
    mql_ratio: Times = Field(
        default=_SOUND.mql_ratio,
        description="Times as many, or as few, new MQLs a week as the agreement says",
    )
    acceptance_drop: Share = Field(
        default=_SOUND.acceptance_drop,
        description="By which the share of MQLs that sales accepts may fall",
    )
