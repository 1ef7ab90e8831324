"""Why a lead is, or is not, an MQL: what its newest score says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.errors import LeadNotFoundError, did_you_mean

from .config import Config
from .ledger import ledger_exists
from .registry import registry_of
from .scores import newest_partition, read_scores
from .status import read_transitions
from .workspace import Workspace


@dataclass(frozen=True)
class Card:
    """A lead's newest score with the definition that it is held against.

    Attributes
    ----------
    score : mapping
        The lead's row of scores.
    definition : str
        What makes an MQL, in one sentence.
    history : sequence of mapping
        The lead's transitions up to this score, the oldest first.
    """

    score: Mapping[str, Any]
    definition: str
    history: Sequence[Mapping[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {
            **_plain(self.score),
            "definition": self.definition,
            "history": [_plain(each) for each in self.history],
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
    partition = newest_partition(workspace)
    for part in sorted(partition.glob("part-*.parquet")):
        rows = pq.read_table(part, filters=pc.field("lead_id") == lead_id).to_pylist()
        if rows:
            # The version that scored the lead, which need not be today's champion.
            scored_by = registry_of(config).version(rows[0]["decision_version"])
            words = scored_by.decision.definition_in_words()
            return Card(rows[0], words, _history(config, lead_id, rows[0]["as_of"]))
    raise _not_found(workspace, lead_id)


def _history(config: Config, lead_id: str, as_of: datetime | None) -> Sequence[Mapping[str, Any]]:
    if as_of is None or not ledger_exists(config):
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
