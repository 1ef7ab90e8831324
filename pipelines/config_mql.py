"""The part of the configuration that says which leads become MQLs, and who answers for it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leadlight.models.policies import OTHER_SEGMENTS

from .config_sources import Number, Settings, Text, Whole, problem

Share = Annotated[Number, Field(gt=0, lt=1)]
Percentile = Annotated[Number, Field(ge=0, lt=1)]
Amount = Annotated[Number, Field(gt=0)]

AGREED = frozenset({"owner", "review_after_days", "least_acceptance"})
"""What is said of the agreement around a definition, and does not change who becomes an MQL."""


class FloorSettings(Settings):
    """What an MQL needs besides its probability: neither clicks alone nor a title alone."""

    fit: Percentile = Field(default=0.0, description="Least percentile of fit, 0 to 1")
    engagement: Percentile = Field(
        default=0.0, description="Least percentile of engagement, 0 to 1"
    )


class _Policy(Settings):
    minimum: FloorSettings = Field(
        default_factory=FloorSettings, description="Least fit and engagement of an MQL"
    )
    owner: Text | None = Field(
        default=None, description="Who answers for the definition: a team, or a person"
    )
    review_after_days: Annotated[Whole, Field(gt=0)] = Field(
        default=180, description="Days after which marketing and sales look at the definition again"
    )
    least_acceptance: Share = Field(
        default=0.5, description="Share of MQLs that sales must accept; below it a review is due"
    )


class CapacitySettings(_Policy):
    """As many MQLs as sales can work."""

    policy: Literal["capacity"] = Field(description="As many MQLs as sales can work")
    leads_per_week: Amount | dict[Text, Amount] = Field(
        description="New MQLs a week that sales can work; with `by`, of each segment: "
        "{emea: 20, other: 10}"
    )
    by: Text | None = Field(
        default=None, description="Column of the leads that names a segment or team: country, owner"
    )

    @model_validator(mode="after")
    def _by_segment_or_not(self) -> Self:
        each = isinstance(self.leads_per_week, dict)
        if self.by and not each:
            raise problem(
                "`by` needs a capacity for each segment: `leads_per_week: {emea: 20, other: 10}`"
            )
        if each and not self.by:
            raise problem("`leads_per_week` by segment needs `by`: the column that names them")
        if isinstance(self.leads_per_week, dict) and OTHER_SEGMENTS not in self.leads_per_week:
            raise problem(
                f"`leads_per_week` does not say how many new MQLs all others can work: add "
                f"`{OTHER_SEGMENTS}: 10`"
            )
        return self


class TopShareSettings(_Policy):
    """The best share of all leads."""

    policy: Literal["top_share"] = Field(description="The best share of all leads")
    share: Share = Field(description="Share of leads that become MQLs, between 0 and 1")


class PrecisionSettings(_Policy):
    """A share of MQLs that converts, with confidence."""

    policy: Literal["precision"] = Field(description="A promised share of MQLs converts")
    precision: Share = Field(description="At least this share of MQLs converts within the horizon")
    confidence: Share = Field(default=0.9, description="How sure that must be")


class ProfitSettings(_Policy):
    """Every lead that brings more than it costs."""

    policy: Literal["profit"] = Field(description="Every lead that brings more than it costs")
    touch_cost: Amount = Field(description="What working one MQL costs, in the deals' currency")
    win_value: Amount | None = Field(
        default=None, description="What a win brings; default: the mean amount of won deals"
    )

    @model_validator(mode="after")
    def _pays_at_all(self) -> Self:
        if self.win_value is not None and self.touch_cost >= self.win_value:
            raise problem(
                "`touch_cost` is not below `win_value`: even a lead sure to convert would not pay"
            )
        return self


class RecallSettings(_Policy):
    """As few MQLs as hold a share of all conversions."""

    policy: Literal["recall"] = Field(description="A share of all conversions comes from MQLs")
    recall: Share = Field(description="Share of the conversions that MQLs must hold")


class ProbabilitySettings(_Policy):
    """Every lead that is likely enough to convert."""

    policy: Literal["probability"] = Field(description="Every lead that is likely enough")
    probability: Share = Field(description="Least calibrated probability of an MQL")


MqlSettings = Annotated[
    CapacitySettings
    | TopShareSettings
    | PrecisionSettings
    | ProfitSettings
    | RecallSettings
    | ProbabilitySettings,
    Field(discriminator="policy"),
]
