"""The replay job: what retraining would have done over the project's own history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ConfigError, did_you_mean
from leadlight.features.publication import published_file
from leadlight.features.sql import identifier
from leadlight.features.tables import CanonicalTables
from leadlight.models.replay import ReplayRules, replay
from leadlight.models.replay_figures import Replayed
from leadlight.models.replay_steps import Every, replay_edges
from leadlight.models.threshold import ThresholdChoice, choose_threshold
from leadlight.models.time_order import time_order
from leadlight.models.training_rows import Watch

from .artefact import to_json
from .config import Config
from .policy_columns import with_policy_columns
from .prepare import engine_of, open_door
from .progress import Progress
from .retrain import gate_of
from .run_lock import one_at_a_time
from .training_set import TrainingSet, sampled_share, training_set_of
from .workspace import Workspace, write_text

REPLAY_FILE, REPLAY_TABLE = "replay.json", "replay.csv"


@dataclass(frozen=True)
class Replay:
    """A finished replay, and where it was written.

    Attributes
    ----------
    replayed : Replayed
    notes : tuple of str
        What to know of the figures.
    files : tuple of Path
    """

    replayed: Replayed
    notes: tuple[str, ...]
    files: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {
            **self.replayed.to_dict(),
            "notes": list(self.notes),
            "files": [str(path) for path in self.files],
        }


@dataclass(frozen=True)
class ReplaySpan:
    """Which part of history is replayed, and in which steps; see ``replay_edges``.

    Attributes
    ----------
    begin, end : datetime (UTC) or int, optional
        A time, or a row in a table without dates.
    every : Every, optional
    steps : int, optional
    labels_lag : int
        In a table without dates: rows after which a label is known.
    """

    begin: datetime | int | None = None
    end: datetime | int | None = None
    every: Every | None = None
    steps: int | None = None
    labels_lag: int = 0


@one_at_a_time("replay")
def replay_history(
    config: Config, progress: Progress, span: ReplaySpan, *, incumbent: str | None = None
) -> Replay:
    """Replay history; the registry and the champion are neither asked nor touched.

    Parameters
    ----------
    config : Config
    progress : Progress
    span : ReplaySpan
    incumbent : str, optional
        Column of the leads with the score that the team has today; higher is better.

    Raises
    ------
    ConfigError
        The span does not fit the table, or there is no such column of numbers.
    NotEnoughDataError, NoSignalError, DataQualityError
        As training.
    """
    workspace = Workspace(config.workspace_directory)
    with engine_of(config) as engine:
        door = open_door(config, engine, progress)
        training_set = training_set_of(config, workspace, engine, door, progress)
        points = None
        if incumbent:
            points = _points(engine, door.tables, training_set.frame, incumbent)
    frame = with_policy_columns(training_set.frame, training_set.policy_columns)
    order = time_order(frame, horizon_days=config.label.horizon_days, seed=config.seed)
    edges, names = replay_edges(
        order, begin=span.begin, end=span.end, every=span.every, steps=span.steps
    )
    with progress.stage(f"Retraining {len(names)} times"):
        replayed = replay(
            frame,
            training_set.features,
            edges,
            _rules(config, training_set, span),
            names=names,
            incumbent=points,
            watch=Watch(progress.note),
        )
    found = Replay(
        replayed,
        _notes(training_set, incumbent),
        (workspace.reports / REPLAY_FILE, workspace.reports / REPLAY_TABLE),
    )
    _write(found)
    return found


def _rules(config: Config, training_set: TrainingSet, span: ReplaySpan) -> ReplayRules:
    agreed = training_set.agreed

    def threshold_of(held_out: pd.DataFrame) -> ThresholdChoice:
        return choose_threshold(
            agreed.policy,
            with_policy_columns(held_out, training_set.policy_columns),
            agreed.floors,
            seed=config.seed,
            horizon_days=config.label.horizon_days,
            sampled_share=sampled_share(training_set.counts),
        )

    return ReplayRules(
        horizon_days=config.label.horizon_days,
        gate=gate_of(config),
        floors=agreed.floors,
        threshold_of=threshold_of,
        seed=config.seed,
        immature=config.label.immature,
        unlimited_trees=config.model.unlimited_trees,
        labels_lag=span.labels_lag,
    )


def _points(
    engine: DuckDBEngine, tables: CanonicalTables, frame: pd.DataFrame, column: str
) -> NDArray[np.float64]:
    """Return the incumbent's points of each snapshot: as of then where they are a feature."""
    if column in frame:
        points = frame[column]
    elif tables.has("leads", column):
        sql = f"SELECT lead_id, {identifier(column)} AS points FROM {tables.relation('leads')}"
        by_lead = engine.table(sql).to_pandas().set_index("lead_id")["points"]
        points = frame["lead_id"].map(by_lead)
    else:
        raise ConfigError(
            f"--incumbent is '{column}', but the leads have no such column."
            f"{did_you_mean(column, tables.columns['leads'])}",
            hint="Name a column of numbers among the leads: the CRM's own points.",
        )
    numbers = pd.to_numeric(points, errors="coerce").to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).any():
        raise ConfigError(f"--incumbent: the column '{column}' holds no numbers.")
    return np.asarray(numbers, dtype=np.float64)


def _notes(training_set: TrainingSet, incumbent: str | None) -> tuple[str, ...]:
    notes = [
        "Columns were chosen, and leaks were looked for, once, with today's knowledge; everything "
        "else knows at each step only what was known then."
    ]
    if incumbent and incumbent not in training_set.frame:
        notes.append(
            f"'{incumbent}' is taken as it stands in the export, not as it stood at each snapshot: "
            "where it is changed after a sale, it looks better than it was."
        )
    return tuple(notes)


def _write(found: Replay) -> None:
    story, table = found.files
    lines = pd.DataFrame(found.replayed.table())
    with published_file(table) as partial:
        lines.to_csv(partial, index=False, lineterminator="\n")
    write_text(story, to_json(_without_files(found.to_dict())))


def _without_files(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in told.items() if name != "files"}
