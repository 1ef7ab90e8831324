"""A project's labelled snapshots with their features, in the order of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leadlight.features.catalog import Feature
from leadlight.pipelines.config import load_config
from leadlight.pipelines.prepare import engine_of, open_door
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.training_set import training_set_of
from leadlight.pipelines.workspace import Workspace


@dataclass(frozen=True)
class TrainingFrame:
    """What ``leadlight train`` would learn from.

    Attributes
    ----------
    frame : DataFrame
    features : tuple of Feature
    horizon_days : int
    """

    frame: pd.DataFrame
    features: tuple[Feature, ...]
    horizon_days: int


def training_frame(path: Path, environ: Mapping[str, str]) -> TrainingFrame:
    """Read a project's sources and compute its labelled snapshots' features."""
    config = load_config(path, dict(environ))
    quiet = Progress(quiet=True)
    with engine_of(config) as engine:
        door = open_door(config, engine, quiet)
        workspace = Workspace(config.workspace_directory)
        made = training_set_of(config, workspace, engine, door, quiet)
    frame = made.frame.sort_values(["as_of", "position", "lead_id"], kind="stable")
    return TrainingFrame(
        frame.reset_index(drop=True), tuple(made.features), config.label.horizon_days
    )
