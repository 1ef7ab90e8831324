"""The training job: sources to a registered, evaluated, explained champion."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from leadlight.features.catalog import Feature, feature_catalog
from leadlight.features.definition import FeatureDefinition
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_definition import define_features
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.errors import NoSignalError, NotEnoughDataError
from leadlight.features.publication import published_directory
from leadlight.features.schema_changes import Schema
from leadlight.features.snapshots import SnapshotCounts, training_snapshots
from leadlight.features.validation import DoorReport
from leadlight.models.decision import DecisionVersion, JudgedModel
from leadlight.models.score_grid import score_grid
from leadlight.models.threshold import choose_threshold
from leadlight.models.training import TrainingResult, train_model
from leadlight.models.training_rows import Watch

from .config import Config, config_hash
from .definitions import Agreement, agreed_definition, record_training
from .fingerprint import code_hash, data_hash
from .fold_store import kept_folds
from .follow_up import with_follow_up
from .leak_audit import audit
from .policy_columns import policy_columns, with_policy_columns
from .prepare import (
    door_summary,
    engine_of,
    load_frame,
    open_door,
    page_rules,
    scoring_plan,
    snapshot_plan,
)
from .progress import Progress
from .promotion import promote
from .registry import Mandate, registry_of
from .run_lock import one_at_a_time
from .score import after_newest
from .scoring_schema import schema_of
from .today import leads_today
from .training_labels import feedback_story, judged_snapshots, with_label_history
from .training_record import no_signal_record, training_record
from .training_story import training_story
from .workspace import Workspace

SNAPSHOTS_FILE = "snapshots.parquet"


@dataclass(frozen=True)
class Trained:
    """A finished training run.

    Attributes
    ----------
    number : int
        Of the registered decision version, now the champion.
    decision : DecisionVersion
    story : dict
        Plain data: evaluation, candidates, windows, importance, threshold, data quality.
    door : DoorReport
    """

    number: int
    decision: DecisionVersion
    story: dict[str, Any]
    door: DoorReport


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


@dataclass(frozen=True)
class Learned:
    """A decision version that is not registered yet.

    Attributes
    ----------
    decision : DecisionVersion
    story : dict
        Plain data, as in ``Trained``.
    held_out : DataFrame
        The last window (see ``TrainingResult``), with what policies ask of it besides.
    """

    decision: DecisionVersion
    story: dict[str, Any]
    held_out: pd.DataFrame


@one_at_a_time("train")
def train(config: Config, progress: Progress) -> Trained:
    """Train, evaluate on a later window, choose the threshold, and register the champion.

    Raises
    ------
    DataQualityError
        Bad rows pass a rule's limit.
    NotEnoughDataError
        Too few wins or mature snapshots.
    NoSignalError
        Nothing tells leads that convert from leads that do not: a run says what was tried, nothing
        is registered, and the champion stays as it was.
    ImpossiblePolicyError
        No threshold answers the agreed policy; the champion stays as it was.
    """
    workspace = Workspace(config.workspace_directory)
    with engine_of(config) as engine:
        door = open_door(config, engine, progress)
        training_set = training_set_of(config, workspace, engine, door, progress)
        hashes = fingerprints(config, door, progress)
    learned = learn(config, progress, training_set, door, hashes)
    with progress.stage("Registering the champion"):
        mandate = Mandate.of_this_user("leadlight train")
        record = training_record(config, learned.story, learned.decision.floors)
        number = registry_of(config).register(
            learned.decision, learned.story, learned.held_out, record, mandate
        )
        promote(config, number, mandate, action="train")
        record_training(config, number, learned.decision, learned.story)
    return Trained(number, learned.decision, learned.story, door)


def fingerprints(config: Config, door: DoorReport, progress: Progress) -> dict[str, str]:
    """Return the hashes of data, configuration and code."""
    with progress.stage("Fingerprints"):
        return {
            "data_hash": data_hash(door.tables),
            "config_hash": config_hash(config),
            "code_hash": code_hash(),
        }


def learn(
    config: Config,
    progress: Progress,
    training_set: TrainingSet,
    door: DoorReport,
    hashes: Mapping[str, str],
    *,
    test_start: int | None = None,
) -> Learned:
    """Train, evaluate on the last window, and choose the threshold; nothing is registered.

    Parameters
    ----------
    config, progress, training_set, door, hashes
    test_start : int, optional
        Moment at which the last window begins; see ``train_model``.

    Raises
    ------
    NotEnoughDataError
        Too few wins or mature snapshots.
    NoSignalError
        As ``train``; a run says what was tried.
    """
    workspace = Workspace(config.workspace_directory)
    agreed = training_set.agreed
    with (
        _no_signal_on_record(config, hashes),
        progress.stage("Training and evaluating") as tell,
        kept_folds(workspace.folds) as folds,
    ):
        result = train_model(
            training_set.frame,
            training_set.features,
            horizon_days=config.label.horizon_days,
            immature=config.label.immature,
            seed=config.seed,
            test_start=test_start,
            compared_with=config.reasons.compared_with,
            unlabelled=training_set.unlabelled,
            watch=Watch(progress.note, tell, folds),
        )
    kept = sampled_share(training_set.counts)
    with progress.stage("Choosing the threshold"):
        held_out = with_policy_columns(result.held_out, training_set.policy_columns)
        choice = choose_threshold(
            agreed.policy,
            held_out,
            agreed.floors,
            seed=config.seed,
            horizon_days=config.label.horizon_days,
            sampled_share=kept,
        )
    metadata = {
        "project": config.project,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "horizon_days": None if door.tables.is_flat else config.label.horizon_days,
        "known_until": result.fitted.known_until,
        "snapshots": scoring_plan(config),
        "sampled_share": kept,
        "schema": training_set.schema,
        **hashes,
    }
    decision = DecisionVersion(
        compiled=result.final.compiled,
        calibration=result.final.calibration,
        reference=result.reference,
        threshold=choice,
        floors=agreed.floors,
        definition=training_set.definition,
        metadata=metadata,
        judged=JudgedModel(result.fitted.compiled, result.fitted.calibration),
    )
    story = training_story(result, choice, training_set.features) | {
        "metadata": metadata,
        "snapshots": asdict(training_set.counts),
        "leaks": list(training_set.leaks),
        "door": door_summary(door),
        "feedback": feedback_story(result.held_out, training_set.judged, config.seed),
        "grid": [cell.to_dict() for cell in score_grid(held_out, choice, agreed.floors)],
        "notes": [*training_set.notes, *agreed.notes, *choice.notes, *_level_notes(result)],
    }
    return Learned(decision, story, held_out)


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
        feature_catalog(defined.definition),
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


@contextmanager
def _no_signal_on_record(config: Config, hashes: Mapping[str, str]) -> Iterator[None]:
    try:
        yield
    except NoSignalError as error:
        registry_of(config).record(no_signal_record(config, hashes, error))
        raise


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


def _level_notes(result: TrainingResult) -> tuple[str, ...]:
    return (result.label_shift.sentence(),) if result.label_shift else ()


def sampled_share(counts: SnapshotCounts) -> float:
    """Return which share of the snapshots was kept, where there were more than enough."""
    return counts.rows / (counts.rows + counts.sampled_out)
