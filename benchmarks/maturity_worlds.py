"""Demo worlds as training frames that also hold what only the world's maker knows."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leadlight.features.catalog import Feature, feature_catalog
from leadlight.features.definition import FeatureDefinition
from leadlight.features.engines.feature_definition import define_features
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.snapshots import training_snapshots
from leadlight.pipelines.config import load_config
from leadlight.pipelines.demo.world import WorldSpec, generate_world
from leadlight.pipelines.prepare import engine_of, load_frame, open_door, snapshot_plan
from leadlight.pipelines.progress import Progress


@dataclass(frozen=True)
class KnownWorld:
    """A demo world whose true probabilities are known.

    Attributes
    ----------
    frame : DataFrame
        Mature snapshots with their features, ``win_after_days`` and ``true_probability``.
    features : sequence of Feature
    definition : FeatureDefinition
    """

    frame: pd.DataFrame
    features: Sequence[Feature]
    definition: FeatureDefinition


def known_world(
    leads: int, years: int, seed: int, definition: FeatureDefinition | None = None
) -> KnownWorld:
    """Generate a world, and compute the features of all its mature snapshots.

    Parameters
    ----------
    leads, years, seed : int
    definition : FeatureDefinition, optional
        Of another world's features; default: what this world defines.
    """
    with tempfile.TemporaryDirectory() as place:
        world = Path(place) / "world"
        spec = WorldSpec(leads=leads, years=years, seed=seed)
        config = load_config(generate_world(spec, world).config)
        snapshots, parts = Path(place) / "snapshots.parquet", Path(place) / "parts"
        with engine_of(config) as engine:
            tables = open_door(config, engine, Progress(quiet=True)).tables
            training_snapshots(engine, tables, snapshot_plan(config), snapshots)
            definition = (
                definition
                or define_features(
                    engine,
                    tables,
                    snapshots,
                    lookback_days=config.features.lookback_days,
                    exclude=config.features.exclude,
                ).definition
            )
            compute_features(engine, tables, snapshots, definition, parts)
        told = pd.read_parquet(snapshots, columns=["lead_id", "as_of", "win_after_days"])
        truth = pd.read_parquet(world / "truth" / "snapshots.parquet")
        truth = truth.rename(columns={"probability": "true_probability"})
        snapshot = ["lead_id", "as_of"]
        frame = load_frame(parts).merge(told, on=snapshot, how="left", validate="1:1")
        frame = frame.merge(
            truth[[*snapshot, "true_probability"]], on=snapshot, how="left", validate="1:1"
        )
    return KnownWorld(frame, feature_catalog(definition), definition)
