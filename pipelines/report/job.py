"""The report job: the champion's story and the newest scores, as one page."""

from pathlib import Path

import pandas as pd

from leadlight.features.errors import LeadNotFoundError
from leadlight.pipelines.agreement import agreement_facts
from leadlight.pipelines.config import Config
from leadlight.pipelines.registry import registry_of
from leadlight.pipelines.scores import newest_partition, read_scores
from leadlight.pipelines.workspace import Workspace, write_text

from .agreement import agreement_page
from .model_card_text import card_html
from .page import to_html
from .summary import summarize_training

REPORT_FILE, AGREEMENT_FILE = "report.html", "definition.html"


def write_report(config: Config, out: Path | None = None) -> Path:
    """Write the report page and return where it is.

    Parameters
    ----------
    config : Config
    out : Path, optional
        Default: ``reports/report.html`` in the workspace.

    Raises
    ------
    ModelNotFoundError
        Nothing was trained yet.
    WorkspaceError
        There is no room, or no permission, to write.
    """
    workspace = Workspace(config.workspace_directory)
    champion = registry_of(config).champion()
    scores, as_of = _scores_of(champion.number, workspace)
    summary = summarize_training(
        champion.training,
        version=champion.number,
        as_of=as_of,
        floors=vars(champion.decision.floors),
        scores=scores,
    )
    path = out or workspace.reports / REPORT_FILE
    write_text(path, to_html(summary))
    return path


def write_agreement(config: Config, out: Path | None = None) -> Path:
    """Write the page on the MQL definition and return where it is.

    Parameters
    ----------
    config : Config
    out : Path, optional
        Default: ``reports/definition.html`` in the workspace.

    Raises
    ------
    ConfigError
        The project is a flat table.
    ModelNotFoundError
        Nothing was trained yet.
    """
    page = agreement_page(agreement_facts(config), config.project)
    path = out or Workspace(config.workspace_directory).reports / AGREEMENT_FILE
    write_text(path, card_html(page, "agreement"))
    return path


def _scores_of(version: int, workspace: Workspace) -> tuple[pd.DataFrame | None, str | None]:
    """Return the newest scores and their ``as_of``, if this version made them."""
    try:
        table = read_scores(newest_partition(workspace))
    except LeadNotFoundError:
        return None, None
    if set(table["decision_version"].to_pylist()) - {version}:
        return None, None
    as_of = table["as_of"][0].as_py() if table.num_rows else None
    return table.to_pandas(), as_of.isoformat() if as_of else None
