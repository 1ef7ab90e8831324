"""The example projects on public data, each held against a plain gradient-boosted model."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from leadlight.features.catalog import feature_catalog
from leadlight.models.selection import split_windows
from leadlight.models.time_order import time_order
from leadlight.pipelines.config import load_config
from leadlight.pipelines.registry import registry_of
from leadlight.pipelines.scores import read_scores
from leadlight.pipelines.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ("bpi2012", "olist", "xeducation", "bank")
# Olist's wins go on for half a year after its last lead: later, no horizon is open.
AS_OF = {"olist": "2018-06-01"}


@dataclass(frozen=True)
class RealResult:
    """What one example project came to.

    Attributes
    ----------
    name : str
    story : dict
        As ``leadlight train --json`` prints it.
    features : tuple of str
        Source columns and event kinds that the model uses.
    auc : float
        Of leadlight on the last window.
    peer_auc : float
        Of a plain HistGradientBoostingClassifier trained on the same rows.
    scored : int
        Leads scored.
    open_horizons : bool
        Whether each of them could still convert within its horizon.
    report : Path
    seconds : dict of str to float
        Wall time of each command.
    """

    name: str
    story: dict[str, Any]
    features: tuple[str, ...]
    auc: float
    peer_auc: float
    scored: int
    open_horizons: bool
    report: Path
    seconds: dict[str, float]


def run_example(name: str, data: Path, workspace: Path) -> RealResult:
    """Train, score and report an example project with one command each, as its reader would."""
    environ = {"LEADLIGHT_DATA": str(data.resolve()), "LEADLIGHT_WORKSPACE": str(workspace)}
    path = ROOT / "examples" / f"{name}.yaml"
    seconds = {}
    printed = {}
    instant = ["--as-of", AS_OF[name]] if name in AS_OF else []
    for command in (["train", "--json"], ["score", "--json", *instant], ["report"]):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "leadlight.pipelines", *command, "--config", str(path)],
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"{name}: leadlight {command[0]} failed\n{done.stderr}"
            raise RuntimeError(message)
        seconds[command[0]] = time.perf_counter() - started
        printed[command[0]] = done.stdout
    story = json.loads(printed["train"])
    config = load_config(path, {**os.environ, **environ})
    definition = registry_of(config).champion().decision.definition
    room = Workspace(config.workspace_directory)
    frame = pq.read_table(room.features("training") / "parts").to_pandas()
    return RealResult(
        name=name,
        story=story,
        features=(*definition.event_kinds, *(column.column for column in definition.profile)),
        auc=story["evaluation"]["auc"]["value"],
        peer_auc=_peer_auc(frame, definition, config.label.horizon_days, config.seed),
        scored=json.loads(printed["score"])["leads"],
        open_horizons=_open_horizons(json.loads(printed["score"]), config.label.horizon_days),
        report=Path(printed["report"].strip()),
        seconds=seconds,
    )


def _open_horizons(scored: dict[str, Any], horizon_days: int) -> bool:
    if scored["as_of"] is None:
        return True
    instants = read_scores(Path(scored["partition"]), columns=["as_of"])["as_of"].to_pylist()
    now = datetime.fromisoformat(scored["as_of"])
    return all(instant + timedelta(days=horizon_days) > now for instant in instants)


def _peer_auc(frame: pd.DataFrame, definition: Any, horizon_days: int, seed: int) -> float:
    """Fit the plain peer on every row known before the last window, and rank that window."""
    windows = split_windows(frame, time_order(frame, horizon_days=horizon_days, seed=seed))
    features = feature_catalog(definition)
    categories = [feature.name for feature in features if feature.kind == "category"]
    numbers = [feature.name for feature in features if feature.kind == "numeric"]
    x = frame[categories + numbers].copy()
    for column in categories:
        x[column] = x[column].astype(object).where(x[column].notna(), None)
    x[numbers] = x[numbers].astype(float)
    y = frame["label"].astype(bool).to_numpy()
    encode = make_column_transformer(
        (
            OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=200
            ),
            categories,
        ),
        remainder="passthrough",
    )
    peer = make_pipeline(encode, HistGradientBoostingClassifier(random_state=seed))
    peer.fit(x.iloc[windows.train], y[windows.train])
    chance = peer.predict_proba(x.iloc[windows.test])[:, 1]
    return float(roc_auc_score(y[windows.test], chance))
