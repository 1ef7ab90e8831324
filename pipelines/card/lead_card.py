"""What the card of a lead holds, before it is set out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from leadlight.features.wording import Wording
from leadlight.models.certainty import Certainty
from leadlight.models.decision import ReasonKind
from leadlight.models.score_change import ScoreChange
from leadlight.models.what_lifts import WhatLifts

from .change import Run
from .happenings import Day
from .standing import Standing


@dataclass(frozen=True)
class Card:
    """A lead's newest score with the definition that it is held against, and all that explains it.

    Attributes
    ----------
    score : mapping
        The lead's row of scores.
    definition : str
        What makes an MQL, in one sentence.
    reasons_are : {"exact_parts", "shapley_values"}
        What a reason's points are: see ``DecisionVersion``.
    standing : Standing or None
        None where the records that were scored are gone.
    certainty : Certainty or None
    change : ScoreChange or None
    what_lifts : WhatLifts or None
    runs : tuple of Run
        Every run that scored the lead.
    thresholds : mapping of int to float
        Probability from which the lead is an MQL, by decision version.
    days : tuple of Day
        What it did.
    history : sequence of mapping
        The lead's transitions up to this score, the oldest first.
    sure, changed, lifts : tuple of str
        The same in words.
    wording : Wording
    """

    score: Mapping[str, Any]
    definition: str
    reasons_are: ReasonKind
    standing: Standing | None
    certainty: Certainty | None
    change: ScoreChange | None
    what_lifts: WhatLifts | None
    runs: tuple[Run, ...]
    thresholds: Mapping[int, float]
    days: tuple[Day, ...]
    history: Sequence[Mapping[str, Any]]
    sure: tuple[str, ...]
    changed: tuple[str, ...]
    lifts: tuple[str, ...]
    wording: Wording

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        standing = self.standing
        return {
            **_plain(self.score),
            "definition": self.definition,
            "history": [_plain(each) for each in self.history],
            "points": standing.points if standing else None,
            "average_points": standing.average if standing else None,
            "mql_points": standing.least if standing else None,
            "reasons_are": self.reasons_are,
            "reasons": [
                {
                    "id": each.part.id,
                    "family": each.part.family,
                    "points": each.part.points,
                    "log_odds": each.part.log_odds,
                    "sentence": each.sentence,
                }
                for each in (standing.reasons if standing else ())
            ],
            "certainty": asdict(self.certainty) if self.certainty else None,
            "sure": list(self.sure),
            "change": asdict(self.change) | {"threshold": self.change.threshold}
            if self.change
            else None,
            "changed": list(self.changed),
            "what_lifts": asdict(self.what_lifts) if self.what_lifts else None,
            "lifts": list(self.lifts),
            "runs": [asdict(run) | {"as_of": run.as_of.isoformat()} for run in self.runs],
            "days": [{"day": day.isoformat(), "events": dict(kinds)} for day, kinds in self.days],
        }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
