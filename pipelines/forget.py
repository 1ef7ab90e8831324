"""Forgetting: a lead is erased from every artefact of the workspace, and does not come back."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import LeadNotFoundError, did_you_mean
from leadlight.features.sql import literal
from leadlight.features.tables import CanonicalTables

from .config import Config
from .erased_files import erase_from_json, erase_from_parquet, mentions
from .erased_leads import erase_from_ledger, erased_leads, list_as_erased
from .ledger import open_ledger
from .prepare import engine_of
from .progress import Progress
from .run_lock import one_at_a_time
from .workspace import Workspace

_PAGES = {".html", ".csv", ".jsonl", ".md"}


@dataclass(frozen=True)
class Forgotten:
    """What was erased of some leads.

    Attributes
    ----------
    lead_ids : tuple of str
    aliases : tuple of str
        Other ids that were theirs alone.
    rows : int
        Rows erased from tables, scores, feature tables and the ledger.
    removed : tuple of Path
        Pages and kept folders that are gone as a whole; the next run makes those that it needs.
    notes : tuple of str
        Where leadlight cannot reach.
    """

    lead_ids: tuple[str, ...]
    aliases: tuple[str, ...]
    rows: int
    removed: tuple[Path, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {**vars(self), "removed": [str(path) for path in self.removed]}


@one_at_a_time("forget")
def forget(config: Config, progress: Progress, lead_ids: Collection[str]) -> Forgotten:
    """Erase leads from every artefact, and list their ids so that no source brings them back.

    What a model has learned of them is in sums over many leads and stays; the next training no
    longer sees them. Run again after a crash, it goes on where it was.

    Parameters
    ----------
    config : Config
    progress : Progress
    lead_ids : collection of str

    Raises
    ------
    LeadNotFoundError
        The workspace never knew such a lead; nothing was erased.
    """
    workspace = Workspace(config.workspace_directory)
    with engine_of(config) as engine, open_ledger(config) as ledger:
        tables = CanonicalTables.kept_in(workspace.tables)
        _require_known(engine, tables, set(lead_ids) - erased_leads(ledger))
        aliases = _aliases(engine, tables, lead_ids)
        everything = {*lead_ids, *aliases}
        list_as_erased(ledger, everything)
        rows = erase_from_ledger(ledger, everything)
    removed: list[Path] = []
    with progress.stage("Erasing from the workspace"):
        for folder in (workspace.events, workspace.folds):
            if folder.exists():
                shutil.rmtree(folder)
                removed.append(folder)
        for path in sorted(path for path in workspace.root.rglob("*") if path.is_file()):
            if path.suffix == ".parquet":
                rows += erase_from_parquet(path, everything)
            elif path.suffix == ".json":
                rows += erase_from_json(path, everything)
            elif path.suffix in _PAGES and mentions(path, everything):
                path.unlink()
                removed.append(path)
    return Forgotten(
        tuple(sorted(lead_ids)), tuple(sorted(aliases)), rows, tuple(removed), _notes(config)
    )


def _require_known(engine: DuckDBEngine, tables: CanonicalTables, leads: set[str]) -> None:
    known: set[str] = set()
    if tables.has("leads"):
        listed = ", ".join(map(literal, sorted(leads))) or "NULL"
        found = f"SELECT lead_id FROM {tables.relation('leads')} WHERE lead_id IN ({listed})"
        known = {str(lead) for (lead,) in engine.rows(found)}
    for lead in sorted(leads - known):
        near = ""
        if tables.has("leads"):
            like = (
                f"SELECT lead_id FROM {tables.relation('leads')} "
                f"ORDER BY jaro_winkler_similarity(lead_id, {literal(lead)}) DESC, lead_id LIMIT 50"
            )
            near = did_you_mean(lead, [str(each) for (each,) in engine.rows(like)])
        raise LeadNotFoundError(
            f"the workspace knows no lead '{lead}'.{near}",
            hint="Give the lead's id in the CRM. Nothing was erased.",
        )


def _aliases(
    engine: DuckDBEngine, tables: CanonicalTables, lead_ids: Collection[str]
) -> frozenset[str]:
    """Return the aliases that were linked to these leads and to no other."""
    if not tables.has("identities"):
        return frozenset()
    listed = ", ".join(map(literal, sorted(lead_ids)))
    theirs = (
        f"SELECT alias FROM {tables.relation('identities')} GROUP BY alias "
        f"HAVING bool_and(lead_id IN ({listed})) "
        f"AND alias NOT IN (SELECT lead_id FROM {tables.relation('leads')})"
    )
    return frozenset(str(alias) for (alias,) in engine.rows(theirs))


def _notes(config: Config) -> tuple[str, ...]:
    notes = [
        "Sources, sinks and copies outside the workspace are not leadlight's: erase the lead there "
        "too."
    ]
    if config.mlflow.tracking_uri is not None:
        notes.append(
            "The MLflow server keeps the held-out windows of decision versions with the ids and "
            "scores of their leads: delete the versions that hold this lead there."
        )
    return tuple(notes)
