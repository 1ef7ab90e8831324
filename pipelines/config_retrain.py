"""What the configuration says of retraining: the gate that a challenger must pass."""

from typing import Annotated

from pydantic import Field

from .config_sources import Number, Settings


class RetrainSettings(Settings):
    """The gate: what a challenger must hold to become the champion by itself."""

    log_loss_rise: Annotated[Number, Field(ge=0)] = Field(
        default=0.02,
        description="Share of the champion's log loss by which the challenger's may be higher, at "
        "the upper end of the 95 % interval of the difference",
    )
    calibration_error: Annotated[Number, Field(ge=0, le=1)] = Field(
        default=0.05,
        description="Largest calibration error on the later window, as a probability; more passes "
        "where chance would show it too, or where the champion's is larger",
    )
    mql_change: Annotated[Number, Field(ge=0)] = Field(
        default=0.5,
        description="Largest change of the number of MQLs among today's leads, as a share of it",
    )
