"""The part of the configuration that says how leads move between their states."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from leadlight.features.errors import did_you_mean
from leadlight.features.lead_facts import STUDENT, FactRules
from leadlight.models.lifecycle import Rules
from leadlight.models.states import STATES

from .config_sources import Number, Settings, Text, Whole, problem

_Days = Annotated[Whole, Field(ge=0)]
# What leadlight decides itself cannot be read back from the CRM.
_CRM_STATES = ("sql", "customer", "recycled", "disqualified")


class CrmStageSettings(Settings):
    """The CRM's own stage, where sales moves leads there and that shall count."""

    column: Text = Field(description="Column of `leads` with the stage")
    states: Annotated[dict[Text, Text], Field(min_length=1)] = Field(
        description="The CRM's stage: sql, customer, recycled or disqualified"
    )

    @field_validator("states")
    @classmethod
    def _known_states(cls, states: dict[str, str]) -> dict[str, str]:
        for stage, state in states.items():
            if state in STATES and state not in _CRM_STATES:
                raise problem(
                    f"'{stage}' cannot mean '{state}', which leadlight decides itself; "
                    f"one of {', '.join(_CRM_STATES)}"
                )
            if state not in _CRM_STATES:
                raise problem(
                    f"no state is called '{state}'.{did_you_mean(state, _CRM_STATES)} "
                    f"One of {', '.join(_CRM_STATES)}"
                )
        return states


class ExplorationSettings(Settings):
    """Leads below the threshold that are passed to sales by chance, to learn from them."""

    share: Annotated[Number, Field(ge=0, le=0.5)] = Field(
        default=0.0, description="Share of leads below the threshold to try, 0 to 0.5; 0: none"
    )
    period_days: Annotated[Whole, Field(gt=0)] = Field(
        default=30, description="How long a lead is tried; then it is drawn anew"
    )
    weigh_training: bool = Field(
        default=False,
        description="Whether training learns from leads that were passed to sales alone, weighted "
        "by one over the chance with which each was passed: where nobody else can be won",
    )

    @model_validator(mode="after")
    def _weights_need_chance(self) -> Self:
        if self.weigh_training and self.share == 0.0:
            raise problem(
                "`weigh_training` needs a `share` of leads to try: without one, nothing is ever "
                "known of leads below the threshold"
            )
        return self


class LifecycleSettings(Settings):
    """How leads move between lead, mql, sql, customer, recycled and disqualified."""

    hysteresis: Annotated[Number, Field(gt=0, le=1)] = Field(
        default=0.6,
        description="An MQL is kept down to this share of the threshold and of the floors",
    )
    min_stay_days: _Days = Field(
        default=14,
        description="Days that an MQL stays one whatever its score, and a recycled lead rests",
    )
    silence_days: Annotated[Whole, Field(gt=0)] = Field(
        default=60, description="Days without an act of its own after which a lead is silent"
    )
    hand_raise_days: Annotated[Whole, Field(gt=0)] = Field(
        default=30, description="Days for which a hand-raise waits to be answered"
    )
    cooldown_days: _Days = Field(
        default=90, description="Days after a rejection by sales until a lead can be promoted again"
    )
    hand_raises: tuple[Text, ...] = Field(
        default=(),
        description="Event types that ask for sales, beside demo, trial, pricing and contact "
        "requests",
    )
    disqualify_reasons: tuple[Text, ...] = Field(
        default=("competitor", "duplicate", "spam", "student"),
        description="Reasons of a rejection by sales that end a lead's life; case does not count",
    )
    students: Literal["block", "allow"] = Field(
        default="block",
        description="Whether students, interns and apprentices, by title or address, are kept from "
        "becoming MQLs",
    )
    bad_fit: dict[Text, Text] = Field(
        default_factory=dict,
        description="Leads that must not become MQLs: a name for each SQL condition over the "
        "columns of `leads`, such as competitor: \"email LIKE '%@rival.example'\"",
    )
    crm_stage: CrmStageSettings | None = Field(
        default=None, description="The CRM's own stage, where it shall overrule leadlight"
    )
    exploration: ExplorationSettings = Field(
        default_factory=ExplorationSettings,
        description="Leads below the threshold that are passed to sales by chance",
    )

    @field_validator("bad_fit")
    @classmethod
    def _other_names(cls, rules: dict[str, str]) -> dict[str, str]:
        if STUDENT in rules:
            raise problem(f"'{STUDENT}' is leadlight's own rule; set `students`, or name it apart")
        return rules

    @model_validator(mode="after")
    def _silence_outlasts_the_stay(self) -> Self:
        if self.silence_days < self.min_stay_days:
            raise problem("`silence_days` is shorter than `min_stay_days`; it could never be met")
        return self

    def rules(self, lost_cooldown_days: int) -> Rules:
        """Return the rules as the lifecycle takes them.

        Parameters
        ----------
        lost_cooldown_days : int
            ``label.cooldown_days``.
        """
        return Rules(
            min_stay_days=self.min_stay_days,
            silence_days=self.silence_days,
            hand_raise_days=self.hand_raise_days,
            cooldown_days=self.cooldown_days,
            lost_cooldown_days=lost_cooldown_days,
            exploration_share=self.exploration.share,
        )

    def fact_rules(self) -> FactRules:
        """Return what the facts have to know."""
        return FactRules(
            hand_raises=self.hand_raises,
            disqualifying=self.disqualify_reasons,
            students=self.students == "block",
            bad_fit=self.bad_fit,
            crm_column=self.crm_stage.column if self.crm_stage else None,
            crm_states=self.crm_stage.states if self.crm_stage else {},
        )
