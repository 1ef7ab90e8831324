"""The training set: labelled snapshots with their features, and all that is known of them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from leadlight.features.catalog import Feature, feature_catalog, labelled
from leadlight.features.definition import FeatureDefinition
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_definition import define_features
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.errors import NotEnoughDataError
from leadlight.features.publication import published_directory
from leadlight.features.schema_changes import Schema
from leadlight.features.snapshots import SnapshotCounts, training_snapshots
from leadlight.features.validation import DoorReport

from .config import Config
from .definitions import Agreement, agreed_definition
from .follow_up import with_follow_up
from .leak_audit import audit
from .policy_columns import policy_columns
from .prepare import load_frame, page_rules, snapshot_plan
from .progress import Progress
from .score import after_newest
from .scoring_schema import schema_of
from .today import leads_today
from .training_labels import judged_snapshots, with_label_history
from .workspace import Workspace

SNAPSHOTS_FILE = "snapshots.parquet"


@dataclass(frozen=True)
class TrainingSet:
    """Labelled snapshots with their features, and what sales said of them.

    Attributes
    ----------
    frame : DataFrame
        As ``train_model`` takes it.
    judged : DataFrame
        Decisions of sales on these snapshots.
    features : tuple of Feature
    definition : FeatureDefinition
    counts : SnapshotCounts
    leaks : tuple of dict
        Of the leak audit, as plain data.
    notes : tuple of str
        What was left out, and why.
    agreed : Agreement
        The MQL policy that holds.
    policy_columns : DataFrame
        What policies ask of the snapshots besides.
    schema : mapping of str to mapping of str to str
        What the columns of each table hold: what scoring compares its own with.
    unlabelled : DataFrame or None
        Today's leads, where no label of late is mature; None where some is.
    """

    frame: pd.DataFrame
    judged: pd.DataFrame
    features: tuple[Feature, ...]
    definition: FeatureDefinition
    counts: SnapshotCounts
    leaks: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    agreed: Agreement
    policy_columns: pd.DataFrame
    schema: Schema
    unlabelled: pd.DataFrame | None


def training_set_of(
    config: Config,
    workspace: Workspace,
    engine: DuckDBEngine,
    door: DoorReport,
    progress: Progress,
) -> TrainingSet:
    """Place snapshots and labels, audit leaks, and compute the features to learn from.

    Raises
    ------
    NotEnoughDataError
        No snapshot can be labelled.
    """
    agreed = agreed_definition(config)
    with published_directory(workspace.features("training")) as directory:
        snapshots = directory / SNAPSHOTS_FILE
        with progress.stage("Placing snapshots and labels"):
            counts = training_snapshots(engine, door.tables, snapshot_plan(config), snapshots)
            _require_snapshots(counts, config)
            asked = policy_columns(config, engine, door.tables, snapshots, agreed.policy)
        with progress.stage("Auditing leaks"):
            audited = audit(config, engine, door.tables, snapshots)
        with progress.stage("Computing features") as tell:
            defined = define_features(
                engine,
                door.tables,
                snapshots,
                lookback_days=config.features.lookback_days,
                exclude=(*config.features.exclude, *audited.excluded),
                include=config.features.include,
                engagement=config.features.engagement,
                page_rules=page_rules(config),
                half_life_days=config.features.half_life_days,
                timezone=config.features.timezone,
                store=workspace.events,
            )
            compute_features(
                engine,
                door.tables,
                snapshots,
                defined.definition,
                directory / "parts",
                store=workspace.events,
                tell=tell,
            )
            judged = judged_snapshots(engine, door.tables, snapshots, config.label)
            frame = with_label_history(
                load_frame(directory / "parts"), snapshots, judged, config.label
            )
            followed = with_follow_up(frame, config, engine, snapshots)
    unlabelled = None
    if _labels_are_old(config, engine, door, frame):
        with progress.stage("Computing today's features"):
            unlabelled = leads_today(config, engine, door.tables, defined.definition)
    return TrainingSet(
        followed.frame,
        judged,
        labelled(feature_catalog(defined.definition), config.wording),
        defined.definition,
        counts,
        audited.leaks,
        (*audited.notes, *defined.notes, *followed.notes),
        agreed,
        asked,
        schema_of(engine, door.tables),
        unlabelled,
    )


def _labels_are_old(
    config: Config, engine: DuckDBEngine, door: DoorReport, frame: pd.DataFrame
) -> bool:
    """Whether the newest labels became known longer than a horizon before the data ends."""
    if door.tables.is_flat:
        return False
    horizon = pd.Timedelta(days=config.label.horizon_days)
    return bool(frame["as_of"].max() + 2 * horizon < after_newest(engine, door.tables))


def _require_snapshots(counts: SnapshotCounts, config: Config) -> None:
    if counts.rows:
        return
    horizon = config.label.horizon_days
    raise NotEnoughDataError(
        f"no snapshot can be labelled: {counts.immature_dropped:,} are immature (their horizon of "
        f"{horizon} days ends after the last known outcome), "
        f"{counts.before_observation_dropped:,} lie before the first known outcome, "
        f"{counts.not_at_risk_dropped:,} are of leads that could no longer convert",
        hint="Give a longer history of outcomes, or a shorter label.horizon_days.",
    )


def sampled_share(counts: SnapshotCounts) -> float:
    """Return which share of the snapshots was kept, where there were more than enough."""
    return counts.rows / (counts.rows + counts.sampled_out)
