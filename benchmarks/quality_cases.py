"""The cases of bench-quality: public data sets and demo worlds, each later part judged."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from quality_case import Case, Step
from quality_frames import TrainingFrame, training_frame
from real_projects import ROOT

from leadlight.pipelines.demo.world import WorldSpec, generate_world

NEWEST = 0.3
RETRAININGS = 10
LAG_ROWS = 400  # the bank's labels are known up to so many rows before each retraining
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class World:
    """A demo world, where the true probabilities are known."""

    leads: int
    seed: int


WORLDS = {"demo, 5k leads": World(5_000, 11), "demo, 10k leads": World(10_000, 12)}
QUICK_CASES = ("xeducation", "olist")


def case_makers(data: Path) -> Mapping[str, Callable[[Path], Case]]:
    """Return what makes each case in a given folder, by the case's name.

    Parameters
    ----------
    data : Path
        Folder of the public data sets.
    """
    real = partial(_real, data)
    return {
        "xeducation": partial(real, "xeducation"),
        "bank": partial(real, "bank"),
        "bank, ten steps": partial(_bank_in_steps, data),
        "olist": partial(real, "olist"),
        "bpi2012": partial(real, "bpi2012"),
        **{name: partial(_demo, name, world) for name, world in WORLDS.items()},
    }


def _real(data: Path, name: str, folder: Path) -> Case:
    made = _example(data, name, folder)
    return _saved(name, made, [newest_rows(made)], folder)


def _example(data: Path, name: str, folder: Path) -> TrainingFrame:
    environ = {
        **os.environ,
        "LEADLIGHT_DATA": str(data.resolve()),
        "LEADLIGHT_WORKSPACE": str(folder / "workspace"),
    }
    return training_frame(ROOT / "examples" / f"{name}.yaml", environ)


def _bank_in_steps(data: Path, folder: Path) -> Case:
    made = _example(data, "bank", folder)
    rows = len(made.frame)
    edges = np.linspace(newest_rows(made).first, rows, RETRAININGS + 1).astype(int).tolist()
    steps = [Step(first - LAG_ROWS, first, last) for first, last in pairwise(edges)]
    return _saved("bank, ten steps", made, steps, folder)


def _demo(name: str, world: World, folder: Path) -> Case:
    summary = generate_world(WorldSpec(leads=world.leads, seed=world.seed), folder / "world")
    made = training_frame(summary.config, os.environ)
    step = newest_rows(made)
    known = pd.read_parquet(folder / "world" / "truth" / "snapshots.parquet")
    judged = made.frame.iloc[step.first : step.last][["lead_id", "as_of"]]
    found = judged.merge(known, on=["lead_id", "as_of"], how="left", validate="one_to_one")
    if found["probability"].isna().any():
        message = f"{name}: {found['probability'].isna().sum()} snapshots have no true probability"
        raise RuntimeError(message)
    return _saved(name, made, [step], folder, found["probability"].to_numpy())


def newest_rows(made: TrainingFrame) -> Step:
    """Judge the newest rows; teach those before them whose horizon has ended by then."""
    rows = len(made.frame)
    first = int(rows * (1 - NEWEST))
    if made.frame["as_of"].isna().any():
        return Step(first, first, rows)
    as_of = made.frame["as_of"]
    start = as_of.iloc[first]
    first = int((as_of < start).sum())
    known = int((as_of + made.horizon_days * _DAY <= start).sum())
    return Step(known, first, rows)


def _saved(
    name: str,
    made: TrainingFrame,
    steps: list[Step],
    folder: Path,
    truth: np.ndarray | None = None,
) -> Case:
    judged = sum(step.last - step.first for step in steps)
    story = f"{steps[0].train:,} rows teach, {judged:,} later ones are judged"
    if len(steps) > 1:
        story += f", retrained {len(steps)} times"
    features = [asdict(feature) for feature in made.features]
    case = Case(name, story, made.horizon_days, features, steps, folder)
    case.save(made.frame, truth)
    return case
