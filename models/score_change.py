"""Change of a score: how much of it is new events, ageing, profile edits, a new model."""

from dataclasses import dataclass
from typing import Literal

Cause = Literal["profile", "ageing", "events", "model"]
CAUSES: tuple[Cause, ...] = ("ageing", "events", "profile", "model")


@dataclass(frozen=True)
class StagedScores:
    """A lead's score, in points, as one thing after the other moves on to today.

    Attributes
    ----------
    recorded : float
        What the earlier run wrote down.
    then : float
        The earlier model, as of then, on what the tables of today say of then.
    aged : float
        The same events, as of now; the profile as it was.
    with_events : float
        And what has happened since.
    with_profile : float
        And the profile as it is now.
    with_model : float
        And the model of now.
    """

    recorded: float
    then: float
    aged: float
    with_events: float
    with_profile: float
    with_model: float


@dataclass(frozen=True)
class ScoreChange:
    """Why a score is not what it was, and why the lead is nearer to an MQL or farther from it.

    The parts sum to ``after - before``; with the move of the threshold taken off, to the change of
    the distance from it.

    Attributes
    ----------
    before, after : float
        Points of 100.
    ageing : float
        Points that the same events add or take by being older: windows that they leave, recency.
    events : float
        Points of what was done since: by the lead, by others of its company, by sales.
    profile : float
        Points of edits of the profile, and of records of then that came or were corrected later.
    model : float
        Points of a new model.
    threshold_before, threshold_after : float
        Points from which a lead is an MQL.
    """

    before: float
    after: float
    ageing: float
    events: float
    profile: float
    model: float
    threshold_before: float
    threshold_after: float

    @property
    def threshold(self) -> float:
        """Points by which a new threshold brings the lead nearer (above zero), or farther."""
        return self.threshold_before - self.threshold_after

    @property
    def distance_before(self) -> float:
        """Points above the threshold at the earlier run; negative below it."""
        return self.before - self.threshold_before

    @property
    def distance_after(self) -> float:
        """Points above the threshold now; negative below it."""
        return self.after - self.threshold_after


def split_change(
    staged: StagedScores, *, threshold_before: float, threshold_after: float
) -> ScoreChange:
    """Split the change of a score, in a fixed order: ageing, new events, profile, model, threshold.

    The order matters where things act together (a visit counts more for a director); it is always
    the same. What today's tables say of the earlier instant, and the earlier run did not know, is
    counted with the profile: edits are mostly it.

    Parameters
    ----------
    staged : StagedScores
    threshold_before, threshold_after : float
        Points from which a lead was, and is, an MQL.
    """
    return ScoreChange(
        before=staged.recorded,
        after=staged.with_model,
        ageing=staged.aged - staged.then,
        events=staged.with_events - staged.aged,
        profile=(staged.with_profile - staged.with_events) + (staged.then - staged.recorded),
        model=staged.with_model - staged.with_profile,
        threshold_before=threshold_before,
        threshold_after=threshold_after,
    )
