"""The report job: the champion's story and the newest scores, as one page."""

from pathlib import Path

from leadlight.features.errors import LeadNotFoundError
from leadlight.pipelines.config import Config
from leadlight.pipelines.score import champion_of, newest_partition, read_scores
from leadlight.pipelines.workspace import Workspace, write_text

from .page import to_html
from .summary import summarize

REPORT_FILE = "report.html"


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
    """
    workspace = Workspace(config.workspace_directory)
    champion = champion_of(config)
    story = champion.training
    as_of = scores = None
    try:
        table = read_scores(newest_partition(workspace))
    except LeadNotFoundError:
        pass
    else:
        scores = table.to_pandas()
        moment = table["as_of"][0].as_py() if table.num_rows else None
        as_of = moment.isoformat() if moment else None
    metadata = {**story["metadata"], "version": champion.number, "as_of": as_of}
    if story["threshold"]["expected_mqls_per_week"] is None:
        # Without dates no horizon was applied, whatever the configuration says.
        metadata["horizon_days"] = None
    summary = summarize(
        metadata=metadata,
        evaluation=story["evaluation"],
        unseen=story["unseen"],
        threshold=story["threshold"],
        floors=vars(champion.decision.floors),
        importance=story["importance"],
        candidates=story["candidates"],
        windows=story["windows"],
        door=story["door"],
        scores=scores,
        notes=story["notes"],
    )
    path = out or workspace.reports / REPORT_FILE
    write_text(path, to_html(summary))
    return path
