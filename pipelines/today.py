"""Today: the leads at risk after the newest row of the data, with their features."""

import pandas as pd

from leadlight.features.definition import FeatureDefinition
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.publication import published_directory
from leadlight.features.snapshots import scoring_snapshots
from leadlight.features.tables import CanonicalTables

from .config import Config
from .prepare import load_frame, snapshot_plan
from .score import after_newest
from .workspace import Workspace


def leads_today(
    config: Config, engine: DuckDBEngine, tables: CanonicalTables, definition: FeatureDefinition
) -> pd.DataFrame:
    """Return the leads at risk after the newest row of the data, with a definition's features.

    Parameters
    ----------
    config : Config
    engine : DuckDBEngine
    tables : CanonicalTables
        With dates.
    definition : FeatureDefinition
    """
    workspace = Workspace(config.workspace_directory)
    moment = after_newest(engine, tables)
    with published_directory(workspace.features("today")) as folder:
        snapshots = folder / "snapshots.parquet"
        scoring_snapshots(engine, tables, snapshot_plan(config), moment, snapshots)
        compute_features(
            engine, tables, snapshots, definition, folder / "parts", store=workspace.events
        )
        return load_frame(folder / "parts")
