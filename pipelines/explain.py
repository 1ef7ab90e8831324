"""Why a lead is, or is not, an MQL: what its newest score says, what changed, and what it takes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.errors import LeadNotFoundError, ModelNotFoundError, did_you_mean
from leadlight.features.wording import Wording
from leadlight.models.certainty import Certainty, certainty_of
from leadlight.models.decision import DecisionVersion
from leadlight.models.score_change import ScoreChange

from .card.change import Run, change_between, runs_of, threshold_points
from .card.happenings import days_of
from .card.kernel import LeadKernel
from .card.lead_card import Card
from .card.lifts import lifts_of
from .card.standing import standing_of
from .card.words import change_sentences, lift_sentences, sure_sentences
from .config import Config
from .ledger import ledger_exists
from .registry import RegisteredVersion, Registry, registry_of
from .scores import newest_partition, read_scores
from .status import read_transitions
from .workspace import Workspace

_SAME = 1e-6


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
    standing = standing_of(decision, frame, wording, as_of)
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
        reasons_are=decision.reasons_are,
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
        reasons_are=decision.reasons_are,
        standing=standing_of(decision, frame, wording, None) if len(frame) == 1 else None,
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
