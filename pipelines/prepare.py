"""From sources to validated tables to feature tables: what training and scoring share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from leadlight.features.engines import DuckDBEngine
from leadlight.features.snapshots import SnapshotPlan
from leadlight.features.taxonomy import DEFAULT_PAGE_RULES, PageRule
from leadlight.features.validation import DoorReport, admit

from .artefact import to_json
from .config import Config
from .erased_leads import erased_of
from .progress import Progress
from .workspace import Workspace, write_text

_READING = 0.8
"""Share of the memory limit that reading may use: the process itself takes the rest."""


@contextmanager
def engine_of(config: Config) -> Iterator[DuckDBEngine]:
    """Yield the project's engine; what it spills goes into the workspace."""
    workspace = Workspace(config.workspace_directory)
    workspace.create()
    with DuckDBEngine(
        memory_limit=config.memory_limit, temp_directory=config.workspace_directory
    ) as engine:
        yield engine


def open_door(config: Config, engine: DuckDBEngine, progress: Progress) -> DoorReport:
    """Read and validate all sources into the workspace's canonical tables.

    Raises
    ------
    SourceError
        A source cannot be read.
    DataQualityError
        The share of bad rows passes a rule's limit; the quarantine is written, nothing else.
    """
    workspace = Workspace(config.workspace_directory)
    with progress.stage("Reading and validating sources"), engine.limited(_READING):
        report = admit(
            engine,
            config.sources_list(),
            directory=workspace.tables,
            quarantine=workspace.quarantine,
            now=datetime.now(UTC),
            limits=config.checks,
            erased=erased_of(config),
        )
    write_text(workspace.root / "door.json", to_json(door_summary(report)))
    return report


def door_summary(report: DoorReport) -> dict[str, Any]:
    """Return the counts at the door as plain data."""
    return {
        "rows_read": dict(report.rows_read),
        "rows_kept": dict(report.rows_kept),
        "counts": [
            {
                "table": count.table,
                "rule": count.rule,
                "rows": count.rows,
                "of": count.of,
                "share": count.share,
                "limit": count.limit,
                "passed": count.passed,
                "example": count.example,
            }
            for count in report.counts
        ],
        "notes": list(report.notes),
    }


def snapshot_plan(config: Config) -> SnapshotPlan:
    """Return when leads are looked at, as the configuration says."""
    observation = config.observation
    return SnapshotPlan(
        horizon_days=config.label.horizon_days,
        every_days=config.snapshots.every_days,
        at_age_days=config.snapshots.at_age_days,
        cooldown_days=config.label.cooldown_days,
        observed_from=observation.observed_from,
        observed_until=observation.observed_until,
        lag_days=observation.lag_days,
        max_rows=config.snapshots.max_rows,
    )


def page_rules(config: Config) -> tuple[PageRule, ...]:
    """Return how pages are told apart: the configuration's rules, then the built-in ones."""
    own = tuple(PageRule(page.kind, page.pattern) for page in config.features.pages)
    return own + DEFAULT_PAGE_RULES


def scoring_plan(config: Config) -> dict[str, Any]:
    """Return the part of the snapshot plan that a decision version keeps, as plain data.

    Scoring must look at leads as training did, whatever the file says since.
    """
    return {
        "horizon_days": config.label.horizon_days,
        "cooldown_days": config.label.cooldown_days,
        "every_days": config.snapshots.every_days,
        "at_age_days": list(config.snapshots.at_age_days),
    }


def load_frame(part: Path) -> pd.DataFrame:
    """Load a feature table (one part, or a folder of parts) as a frame."""
    frame: pd.DataFrame = pq.read_table(part).to_pandas()
    return frame
