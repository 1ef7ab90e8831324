"""Why a lead is, or is not, an MQL: what its newest score says, what changed, and what it takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.catalog import feature_catalog
from leadlight.features.errors import LeadNotFoundError, ModelNotFoundError, did_you_mean
from leadlight.features.feature import Feature
from leadlight.features.wording import Wording, as_spoken, sentence
from leadlight.models.certainty import Certainty, certainty_of
from leadlight.models.decision import DecisionVersion
from leadlight.models.reasons import ReasonPart, reason_parts
from leadlight.models.score_change import ScoreChange
from leadlight.models.what_lifts import WhatLifts

from .card.change import Run, change_between, runs_of, threshold_points
from .card.happenings import Day, days_of
from .card.kernel import LeadKernel
from .card.lifts import lifts_of
from .card.words import change_sentences, lift_sentences, sure_sentences
from .config import Config
from .ledger import ledger_exists
from .registry import RegisteredVersion, Registry, registry_of
from .scores import newest_partition, read_scores
from .status import read_transitions
from .workspace import Workspace

_SAME = 1e-6


@dataclass(frozen=True)
class Reason:
    """A reason with its sentence.

    Attributes
    ----------
    part : ReasonPart
    sentence : str
    """

    part: ReasonPart
    sentence: str


@dataclass(frozen=True)
class Standing:
    """A lead's score in points of 100, and every reason for it; whole points that add up.

    Attributes
    ----------
    points, average, least : int
        Of the lead, of the average lead, and of an MQL.
    reasons : tuple of Reason
        Strongest first; ``average`` and all of them sum to ``points``.
    activities : int or None
        Of the lead so far; None where the project has no events.
    """

    points: int
    average: int
    least: int
    reasons: tuple[Reason, ...]
    activities: int | None


@dataclass(frozen=True)
class Card:
    """A lead's newest score with the definition that it is held against, and all that explains it.

    Attributes
    ----------
    score : mapping
        The lead's row of scores.
    definition : str
        What makes an MQL, in one sentence.
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


def explain(config: Config, lead_id: str) -> Card:
    """Return a lead's card from the newest scores.

    Raises
    ------
    LeadNotFoundError
        The lead is unknown, or was not scored since it is not at risk.
    ModelNotFoundError
        The decision version that scored it is gone.
    """
    workspace = Workspace(config.workspace_directory)
    row = _scored(workspace, lead_id)
    registry = registry_of(config)
    # The version that scored the lead, which need not be today's champion.
    scored_by = registry.version(row["decision_version"])
    if row["as_of"] is None:
        return _undated(config, workspace, row, scored_by)
    with LeadKernel(config, lead_id) as kernel:
        return _dated(config, workspace, registry, kernel, row, scored_by)


def _dated(
    config: Config,
    workspace: Workspace,
    registry: Registry,
    kernel: LeadKernel,
    row: Mapping[str, Any],
    scored_by: RegisteredVersion,
) -> Card:
    decision, wording, as_of = scored_by.decision, config.wording, row["as_of"]
    frame = kernel.frame(decision, kernel.tables, as_of)
    standing = _standing(decision, frame, wording, as_of)
    certainty = _certainty(scored_by, row)
    runs = runs_of(workspace.scores, kernel.lead_id, as_of)
    decisions = _decisions(registry, runs) | {scored_by.number: decision}
    change, changed = _change(kernel, decisions, runs, wording)
    judged = decision.judge(frame)
    below = bool(judged.fit[0] < decision.floors.fit)
    found = None
    if not row["mql"] and not below:
        found = lifts_of(kernel, decision, as_of, config.reasons.actions)
    moved = abs(float(judged.probability[0]) - row["probability"]) > _SAME
    return Card(
        score=row,
        definition=decision.definition_in_words(wording),
        standing=standing,
        certainty=certainty,
        change=change,
        what_lifts=found,
        runs=runs,
        thresholds={number: _least(each, frame) for number, each in decisions.items()},
        days=days_of(kernel, decision.definition.page_rules, as_of),
        history=_history(config, kernel.lead_id, as_of),
        sure=(
            *sure_sentences(
                wording, certainty, standing.activities, calibrated=not decision.uncalibrated
            ),
            *([wording.say("card.moved")] if moved else []),
        ),
        changed=changed,
        lifts=lift_sentences(
            wording,
            found,
            is_mql=row["mql"],
            below_fit_floor=below,
            least=threshold_points(decision, frame),
        ),
        wording=wording,
    )


def _undated(
    config: Config, workspace: Workspace, row: Mapping[str, Any], scored_by: RegisteredVersion
) -> Card:
    """Return the card of a row of a flat table, which has no history and no way on."""
    decision, wording = scored_by.decision, config.wording
    certainty = _certainty(scored_by, row)
    frame: pd.DataFrame = pq.read_table(
        workspace.features("scoring") / "parts", filters=pc.field("lead_id") == row["lead_id"]
    ).to_pandas()
    return Card(
        score=row,
        definition=decision.definition_in_words(wording),
        standing=_standing(decision, frame, wording, None) if len(frame) == 1 else None,
        certainty=certainty,
        change=None,
        what_lifts=None,
        runs=(),
        thresholds={},
        days=(),
        history=(),
        sure=sure_sentences(wording, certainty, None, calibrated=not decision.uncalibrated),
        changed=(),
        lifts=(),
        wording=wording,
    )


def _scored(workspace: Workspace, lead_id: str) -> Mapping[str, Any]:
    partition = newest_partition(workspace)
    for part in sorted(partition.glob("part-*.parquet")):
        rows: list[Mapping[str, Any]] = pq.read_table(
            part, filters=pc.field("lead_id") == lead_id
        ).to_pylist()
        if rows:
            return rows[0]
    raise _not_found(workspace, lead_id)


def _standing(
    decision: DecisionVersion, frame: pd.DataFrame, wording: Wording, as_of: datetime | None
) -> Standing:
    judged = decision.judge(frame)
    scale, average = decision.reference.point_scale, decision.reference.average_parts(frame)
    parts = reason_parts(
        judged.parts[0], average if average.ndim == 1 else average[0], decision.features, scale
    )
    points = math.floor(float(scale.points(judged.margin)[0]) + 0.5)
    total = [
        feature.name
        for feature in feature_catalog(decision.definition)
        if feature.statistic == "total" and feature.lookback_days is None
    ]
    return Standing(
        points=points,
        average=points - sum(part.points for part in parts),
        least=math.ceil(threshold_points(decision, frame)),
        reasons=tuple(
            Reason(part, _sentence(part.feature, frame, wording, as_of)) for part in parts
        ),
        activities=int(frame[total[0]].iloc[0]) if total else None,
    )


def _sentence(
    feature: Feature, frame: pd.DataFrame, wording: Wording, as_of: datetime | None
) -> str:
    """Say what a reason's feature holds, rounded as in the scores."""
    value: object = frame[feature.name].iloc[0]
    if feature.kind == "numeric":
        numbers = frame[feature.name].to_numpy(dtype="float64", na_value=math.nan)
        value = as_spoken(feature, numbers)[0]
        if feature.statistic == "age" or feature.statistic.startswith("days_since"):
            value = numbers[0]  # a day is told exactly, and needs the hours
    return sentence(feature, value, wording, as_of)


def _certainty(scored_by: RegisteredVersion, row: Mapping[str, Any]) -> Certainty | None:
    return certainty_of(row["probability"], scored_by.training["evaluation"]["reliability"])


def _decisions(registry: Registry, runs: tuple[Run, ...]) -> dict[int, DecisionVersion]:
    """Load the decision versions of the runs, as far as they are still there."""
    found = {}
    for number in sorted({run.decision_version for run in runs}):
        try:
            found[number] = registry.version(number).decision
        except ModelNotFoundError:
            continue
    return found


def _change(
    kernel: LeadKernel,
    decisions: Mapping[int, DecisionVersion],
    runs: tuple[Run, ...],
    wording: Wording,
) -> tuple[ScoreChange | None, tuple[str, ...]]:
    if len(runs) < 2:
        return None, (wording.say("card.first"),)
    before, now = runs[-2:]
    if before.decision_version not in decisions:
        return None, (wording.say("card.untold", date=wording.day(before.as_of)),)
    change = change_between(kernel, decisions, before, now)
    return change, change_sentences(wording, change, before.as_of)


def _least(decision: DecisionVersion, frame: pd.DataFrame) -> float:
    least = decision.threshold.least(frame)
    return float(least if isinstance(least, float) else least[0])


def _history(config: Config, lead_id: str, as_of: datetime) -> Sequence[Mapping[str, Any]]:
    if not ledger_exists(config):
        return ()
    log = read_transitions(config, until=as_of)
    moves: list[Mapping[str, Any]] = log.filter(pc.field("lead_id") == lead_id).to_pylist()
    return moves


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _not_found(workspace: Workspace, lead_id: str) -> LeadNotFoundError:
    leads = pq.read_table(
        workspace.tables / "leads.parquet",
        columns=["lead_id"],
        filters=pc.field("lead_id") == lead_id,
    )
    if leads.num_rows:
        return LeadNotFoundError(
            f"lead '{lead_id}' was not scored: it is a customer, has an open deal, lost one a "
            "short while ago, or was created after the run",
            hint="Only leads that can still convert are scored.",
        )
    scored = read_scores(newest_partition(workspace), columns=["lead_id"])["lead_id"].to_pylist()
    return LeadNotFoundError(
        f"no lead has the id '{lead_id}'.{did_you_mean(lead_id, scored)}",
        hint="Give the id as the CRM writes it (column lead_id of the scores).",
    )
