"""Why a lead is, or is not, an MQL: what its newest score says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.errors import LeadNotFoundError, did_you_mean

from .config import Config
from .registry import registry_of
from .scores import newest_partition, read_scores
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
    """

    score: Mapping[str, Any]
    definition: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        as_of = self.score["as_of"]
        return {
            **self.score,
            "as_of": as_of.isoformat() if as_of else None,
            "definition": self.definition,
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
            return Card(rows[0], scored_by.decision.definition_in_words())
    raise _not_found(workspace, lead_id)


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
