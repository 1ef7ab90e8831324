"""The training job: sources to a registered, evaluated, explained champion."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from leadlight.features.errors import ModelNotFoundError, NoSignalError, TooEarlyError
from leadlight.features.validation import DoorReport
from leadlight.models.decision import DecisionVersion, JudgedModel
from leadlight.models.training import TrainingResult, train_model
from leadlight.models.training_rows import Watch

from .config import Config, config_hash
from .definitions import record_training
from .fingerprint import code_hash, data_hash
from .fold_store import kept_folds
from .learned import Learned, chosen_threshold, making_story, version_metadata
from .prepare import engine_of, open_door
from .progress import Progress
from .promotion import promote
from .registry import Mandate, RegisteredVersion, registry_of
from .rules_start import rules_only
from .run_lock import one_at_a_time
from .training_record import no_signal_record, training_record
from .training_set import TrainingSet, training_set_of
from .training_story import training_story
from .workspace import Workspace


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


@one_at_a_time("train")
def train(config: Config, progress: Progress) -> Trained:
    """Train, evaluate on a later window, choose the threshold, and register the champion.

    Where too few wins are known to learn from, and no model ever did, the champion is a rules-only
    start; see ``leadlight.models.rules_start``.

    Raises
    ------
    DataQualityError
        Bad rows pass a rule's limit.
    NotEnoughDataError
        Too few wins or mature snapshots, and a trained champion that rules must not replace; or
        rules have nothing to go by.
    NoSignalError
        Nothing tells leads that convert from leads that do not: a run says what was tried, nothing
        is registered, and the champion stays as it was.
    ConfigError
        Too few wins are known, and the agreed policy promises what rules cannot.
    ImpossiblePolicyError
        No threshold answers the agreed policy; the champion stays as it was.
    """
    workspace = Workspace(config.workspace_directory)
    before = _champion(config)
    with engine_of(config) as engine:
        door = open_door(config, engine, progress)
        training_set = training_set_of(config, workspace, engine, door, progress)
        hashes = fingerprints(config, door, progress)
    try:
        learned = learn(config, progress, training_set, door, hashes)
    except TooEarlyError as error:
        if before is not None and before.decision.uncalibrated is None:
            raise
        learned = rules_only(config, progress, training_set, door, hashes, error)
    with progress.stage("Registering the champion"):
        mandate = Mandate.of_this_user(_because(learned, before))
        record = training_record(config, learned.story, learned.decision.floors, mandate.reason)
        number = registry_of(config).register(
            learned.decision, learned.story, learned.held_out, record, mandate
        )
        promote(config, number, mandate, action="train")
        record_training(config, number, learned.decision, learned.story)
    return Trained(number, learned.decision, learned.story, door)


def _champion(config: Config) -> RegisteredVersion | None:
    try:
        return registry_of(config).champion()
    except ModelNotFoundError:  # none yet, or one that is damaged: to train is the way out
        return None


def _because(learned: Learned, before: RegisteredVersion | None) -> str:
    """Say why a training's version becomes the champion."""
    if learned.decision.uncalibrated:
        return f"leadlight train. {learned.decision.uncalibrated}"
    if before is None or before.decision.uncalibrated is None:
        return "leadlight train"
    auc = learned.story["evaluation"]["auc"]
    return (
        f"leadlight train: the first model that tells more than the share of wins does (AUC "
        f"{auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}] on the last window) replaces "
        f"the rules-only start, version {before.number}."
    )


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
        Too few mature snapshots; a TooEarlyError where it is wins that are too few.
    NoSignalError
        As ``train``; a run says what was tried.
    """
    workspace = Workspace(config.workspace_directory)
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
            unlimited_trees=config.model.unlimited_trees,
            watch=Watch(progress.note, tell, folds),
        )
    with progress.stage("Choosing the threshold"):
        held_out, choice = chosen_threshold(config, training_set, result.held_out)
    decision = DecisionVersion(
        compiled=result.final.compiled,
        calibration=result.final.calibration,
        reference=result.reference,
        threshold=choice,
        floors=training_set.agreed.floors,
        definition=training_set.definition,
        metadata=version_metadata(config, training_set, door, hashes, result.fitted.known_until),
        judged=JudgedModel(result.fitted.compiled, result.fitted.calibration),
    )
    story = training_story(
        result, choice, training_set.features, training_set.frame, config.wording
    )
    story |= making_story(config, training_set, door, decision, held_out)
    story["notes"] += _level_notes(result)
    return Learned(decision, story, held_out)


@contextmanager
def _no_signal_on_record(config: Config, hashes: Mapping[str, str]) -> Iterator[None]:
    try:
        yield
    except NoSignalError as error:
        registry_of(config).record(no_signal_record(config, hashes, error))
        raise


def _level_notes(result: TrainingResult) -> tuple[str, ...]:
    return (result.label_shift.sentence(),) if result.label_shift else ()
