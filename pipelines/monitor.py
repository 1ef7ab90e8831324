"""The monitoring job: what the newest scoring saw, against what is usual, promised and agreed.

It reads what scoring left in the workspace (tables, features, scores) and no source again, so it
costs little, and speaks of exactly the data that leads were scored with.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from leadlight.features.errors import LeadNotFoundError
from leadlight.features.publication import published_file
from leadlight.models.alarms import Alarm, Limits, raise_alarms
from leadlight.models.estimated_performance import EstimatedPerformance
from leadlight.models.feature_drift import FeatureDrift
from leadlight.models.promise_kept import PromiseKept

from .config import Config
from .monitor_looks import keep_look
from .monitor_material import look_around
from .progress import Progress
from .run_lock import one_at_a_time
from .scores import UNDATED, instant_of, newest_partition
from .workspace import Workspace, write_text

Status = Literal["fine", "attention", "act"]
EXIT_CODES: Mapping[Status, int] = {"fine": 0, "attention": 1, "act": 2}


@dataclass(frozen=True)
class StreamState:
    """One stream in figures: its newest day, and the last day and week against the usual."""

    name: str
    newest: date | None
    yesterday: int
    week: int
    usual_week: float


@dataclass(frozen=True)
class Monitored:
    """A finished run of the monitor.

    Attributes
    ----------
    project : str
    as_of : datetime
        UTC; of the scores that were looked at.
    decision_version : int
    alarms : tuple of Alarm
        Causes first.
    looks : int
        How many things were looked at.
    drifts : tuple of FeatureDrift
        Every feature of the model, the one that moved most first.
    streams : tuple of StreamState
    estimated, promised : EstimatedPerformance
        Of today's scores, and of the held-out window.
    conversion : PromiseKept or None
        None while no scores are mature.
    notes : tuple of str
        What could not be looked at.
    """

    project: str
    as_of: datetime
    decision_version: int
    alarms: tuple[Alarm, ...]
    looks: int
    drifts: tuple[FeatureDrift, ...]
    streams: tuple[StreamState, ...]
    estimated: EstimatedPerformance
    promised: EstimatedPerformance
    conversion: PromiseKept | None
    notes: tuple[str, ...]

    @property
    def status(self) -> Status:
        """The highest level of all alarms."""
        levels = {alarm.level for alarm in self.alarms}
        return "act" if "act" in levels else "attention" if levels else "fine"

    @property
    def exit_code(self) -> int:
        """0 fine, 1 attention, 2 act."""
        return EXIT_CODES[self.status]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a machine."""
        told: dict[str, Any] = _plain(
            {
                "project": self.project,
                "as_of": self.as_of.isoformat(),
                "decision_version": self.decision_version,
                "status": self.status,
                "looks": self.looks,
                "alarms": [alarm.to_dict() for alarm in self.alarms],
                "features": [asdict(one) for one in self.drifts],
                "streams": [asdict(one) for one in self.streams],
                "estimated": asdict(self.estimated),
                "promised": asdict(self.promised),
                "conversion": asdict(self.conversion) if self.conversion else None,
                "notes": list(self.notes),
            }
        )
        return told


@one_at_a_time("monitor")
def monitor(config: Config, progress: Progress) -> Monitored:
    """Look at the newest scores and all that they rest on, and raise alarms.

    Parameters
    ----------
    config : Config
    progress : Progress

    Raises
    ------
    LeadNotFoundError
        Nothing was scored yet, or the project has no dates.
    ModelNotFoundError
        There is no champion.
    """
    workspace = Workspace(config.workspace_directory)
    partition = newest_partition(workspace)
    if partition.name.endswith(UNDATED):
        raise LeadNotFoundError(
            "a flat table without dates cannot be monitored", hint="Map dates: sources.events."
        )
    as_of = instant_of(partition)
    limits = Limits(**config.monitor.model_dump())
    with progress.stage("Looking at streams, features, scores and outcomes"):
        seen = look_around(config, as_of, partition, limits)
    told = Monitored(
        project=config.project,
        as_of=as_of,
        decision_version=seen.look.decision_version,
        alarms=raise_alarms(seen.findings, limits),
        looks=len(seen.findings),
        drifts=tuple(seen.drifts),
        streams=tuple(
            StreamState(
                one.kind,
                one.newest,
                int(one.events[-1]),
                int(one.events[-7:].sum()),
                float(one.events[:-7].mean() * 7),
            )
            for one in seen.streams
        ),
        estimated=seen.estimated,
        promised=seen.promised,
        conversion=seen.conversion,
        notes=tuple(seen.notes),
    )
    keep_look(workspace, seen.look)
    return told


def write_page(config: Config, told: Monitored, path: Path | None = None) -> Path:
    """Write the run as one self-contained HTML page; return its path."""
    from .report.page import render  # noqa: PLC0415

    page = path or Workspace(config.workspace_directory).reports / "monitor.html"
    write_text(page, render("monitor.html", told=told))
    return page


def write_metrics(told: Monitored, path: Path) -> None:
    """Write the run as a Prometheus textfile, all or nothing."""
    from .monitor_metrics import metrics_text  # noqa: PLC0415

    with published_file(path) as partial:
        partial.write_bytes(metrics_text(told))


def _plain(value: Any) -> Any:
    """Make NaN null, and numbers and dates plain."""
    if isinstance(value, dict):
        return {key: _plain(it) for key, it in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(it) for it in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, date | pd.Timestamp):
        return value.isoformat()
    return value
