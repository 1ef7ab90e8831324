"""The retraining job: a challenger on the newest deals, against the champion, through the gate."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from leadlight.features.engines.feature_table import compute_features
from leadlight.features.errors import ConfigError, TooEarlyError
from leadlight.features.publication import published_directory
from leadlight.features.validation import DoorReport
from leadlight.models.bootstrap import lead_clusters
from leadlight.models.challenge import Comparison, MqlChange, compare_models, mql_change
from leadlight.models.decision import JudgedModel
from leadlight.models.exploration import stands_for
from leadlight.models.gate import Gate, Verdict, judge
from leadlight.models.selection import unseen_start
from leadlight.models.time_order import TimeOrder, time_order

from .artefact import to_json
from .config import Config
from .learned import Learned
from .prepare import engine_of, load_frame, open_door
from .progress import Progress
from .promotion import keep, promote
from .registry import CHALLENGER, Mandate, RegisteredVersion, registry_of
from .run_lock import one_at_a_time
from .today import leads_today
from .tracking import RunRecord
from .train import fingerprints, learn
from .training_record import DECISION, OUTCOME, training_record
from .training_set import TrainingSet, training_set_of
from .workspace import Workspace

KEPT_EXIT_CODE = 4
GATE = "leadlight.gate"

_KEYS = ["lead_id", "as_of"]


@dataclass(frozen=True)
class Retrained:
    """A finished retraining.

    Attributes
    ----------
    outcome : {"promoted", "kept"}
    champion : int
        Version that speaks from now on.
    challenger : int or None
        Version that was registered; None where none was trained.
    reason : str
        Why it was promoted, or why the champion was kept.
    comparison : Comparison or None
    change : MqlChange or None
        Among today's leads.
    """

    outcome: Literal["promoted", "kept"]
    champion: int
    challenger: int | None
    reason: str
    comparison: Comparison | None = None
    change: MqlChange | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {
            "outcome": self.outcome,
            "champion": self.champion,
            "challenger": self.challenger,
            "reason": self.reason,
            "comparison": self.comparison.to_dict() if self.comparison else None,
            "mql_change": self.change.to_dict() if self.change else None,
        }


@dataclass(frozen=True)
class _Material:
    """What both models are judged on.

    Attributes
    ----------
    training_set : TrainingSet
    door : DoorReport
    hashes : mapping of str to str
    seen_by_champion : DataFrame
        The training set's snapshots, as the champion's definition sees them.
    today : DataFrame
        Leads at risk now, as the challenger's definition sees them.
    today_of_champion : DataFrame
    """

    training_set: TrainingSet
    door: DoorReport
    hashes: Mapping[str, str]
    seen_by_champion: pd.DataFrame
    today: pd.DataFrame
    today_of_champion: pd.DataFrame


@one_at_a_time("retrain")
def retrain(config: Config, progress: Progress, *, by: str | None = None) -> Retrained:
    """Train a challenger, compare it with the champion where neither has seen, and promote or keep.

    Until the gate has spoken nothing but a run and a version without influence is written: killed
    at any moment, the champion is what it was.

    Parameters
    ----------
    config : Config
    progress : Progress
    by : str, optional
        Who retrains; default: the user of this machine.

    Raises
    ------
    ModelNotFoundError
        There is no champion yet.
    ConfigError
        Champion and challenger cannot be compared: the horizon changed, or rows have no order.
    NotEnoughDataError, NoSignalError, DataQualityError
        As training.
    """
    champion = registry_of(config).champion()
    _require_same_horizon(config, champion)
    material = _material(config, progress, champion)
    if all(champion.decision.metadata.get(name) == it for name, it in material.hashes.items()):
        return _kept_early(
            config, champion, by, "Nothing is new: data, configuration and code are the champion's."
        )
    try:
        start = _window_start(config, champion, material.training_set.frame)
    except TooEarlyError as error:
        if champion.decision.uncalibrated is None:
            raise
        return _kept_early(
            config, champion, by, f"It is too early, and the rules stay: {error.message}"
        )
    if start is None:
        return _kept_early(
            config,
            champion,
            by,
            "It is too early: since the champion was taught, fewer than 20 wins or losses have "
            "become known that it has not seen.",
        )
    learned = learn(
        config,
        progress,
        material.training_set,
        material.door,
        material.hashes,
        test_start=start,
    )
    with progress.stage("Comparing with the champion"):
        comparison = _comparison(config, champion, learned, material)
        change = mql_change(
            champion.decision.decide(material.today_of_champion),
            learned.decision.decide(material.today),
        )
        verdict = _verdict(comparison, change, champion, gate_of(config))
    with progress.stage("Registering the challenger"):
        number = _registered(config, champion, learned, comparison, change, verdict, by)
    mandate = _mandate(by, verdict.sentence)
    if verdict.passed:
        promote(config, number, mandate)
        return Retrained(
            "promoted",
            number,
            number,
            f"{verdict.sentence} {change.sentence()}",
            comparison,
            change,
        )
    keep(config, number, mandate)
    return Retrained("kept", champion.number, number, verdict.sentence, comparison, change)


def gate_of(config: Config) -> Gate:
    """Return the gate that the configuration sets."""
    return Gate(**config.retrain.model_dump())


def _material(config: Config, progress: Progress, champion: RegisteredVersion) -> _Material:
    workspace = Workspace(config.workspace_directory)
    with engine_of(config) as engine:
        door = open_door(config, engine, progress)
        training_set = training_set_of(config, workspace, engine, door, progress)
        hashes = fingerprints(config, door, progress)
        theirs = champion.decision.definition
        with progress.stage("Computing today's features"):
            today = leads_today(config, engine, door.tables, training_set.definition)
            if theirs == training_set.definition:
                return _Material(training_set, door, hashes, training_set.frame, today, today)
            snapshots = workspace.features("training") / "snapshots.parquet"
            with published_directory(workspace.features("champion")) as folder:
                compute_features(
                    engine, door.tables, snapshots, theirs, folder / "parts", store=workspace.events
                )
                seen = load_frame(folder / "parts")
            return _Material(
                training_set,
                door,
                hashes,
                seen,
                today,
                leads_today(config, engine, door.tables, theirs),
            )


def _require_same_horizon(config: Config, champion: RegisteredVersion) -> None:
    theirs = champion.decision.metadata.get("horizon_days")
    if theirs not in {None, config.label.horizon_days}:
        raise ConfigError(
            f"label.horizon_days is {config.label.horizon_days}, and the champion foretells "
            f"{theirs} days: the two cannot be compared",
            hint="Train a new champion by hand: leadlight train",
        )


def _window_start(config: Config, champion: RegisteredVersion, frame: pd.DataFrame) -> int | None:
    order = time_order(frame, horizon_days=config.label.horizon_days, seed=config.seed)
    _require_order(order)
    known_until = champion.decision.metadata.get("known_until")
    if known_until is None:
        raise ConfigError(
            f"decision version {champion.number} does not say until when it knew labels",
            hint="An earlier leadlight made it. Train a new champion by hand: leadlight train",
        )
    return unseen_start(frame, order, int(known_until))


def _require_order(order: TimeOrder) -> None:
    if order.kind == "random":
        raise ConfigError(
            "the rows have no order in time, so no window is later than what the champion knows",
            hint="Name the column that orders them: sources.leads.order_by. Or train by hand: "
            "leadlight train",
        )


def _comparison(
    config: Config, champion: RegisteredVersion, learned: Learned, material: _Material
) -> Comparison:
    held_out = learned.held_out
    seen = held_out[_KEYS].merge(material.seen_by_champion, on=_KEYS, how="left", validate="1:1")
    theirs = champion.decision
    judged = theirs.judged or JudgedModel(theirs.compiled, theirs.calibration)
    return compare_models(
        judged.probability(seen),
        held_out["probability"],
        held_out["label"],
        lead_clusters(held_out),
        seed=config.seed,
        stands_for=stands_for(held_out),
    )


def _verdict(
    comparison: Comparison, change: MqlChange, champion: RegisteredVersion, gate: Gate
) -> Verdict:
    """Judge the challenger, and say so where it replaces a champion that had learned nothing."""
    if champion.decision.uncalibrated is None:
        return judge(comparison, change, gate)
    # Whole points tie many leads, so the volume of rules is no measure of what was agreed: the
    # challenger's own threshold answers the same policy on leads that it has not seen.
    verdict = judge(comparison, None, gate)
    if not verdict.passed:
        return verdict
    told = f"It is the first model to pass, and replaces the rules-only start {champion.number}."
    return replace(verdict, reasons=(*verdict.reasons, told))


def _registered(
    config: Config,
    champion: RegisteredVersion,
    learned: Learned,
    comparison: Comparison,
    change: MqlChange,
    verdict: Verdict,
    by: str | None,
) -> int:
    """Register the challenger with all that was found; who moves where is not kept by name."""
    challenge = {
        "champion": champion.number,
        **comparison.to_dict(),
        "mql_change": {key: it for key, it in change.to_dict().items() if key != "moves"},
        "verdict": verdict.to_dict(),
    }
    story = learned.story | {"challenge": challenge}
    decided = f"{'Promoted' if verdict.passed else 'Kept out'}. {verdict.sentence} "
    decided += change.sentence()
    record = training_record(config, story, learned.decision.floors, decided)
    differences = {f"difference_{name}": it.value for name, it in comparison.differences.items()}
    number = registry_of(config).register(
        learned.decision,
        story,
        learned.held_out,
        replace(
            record,
            name="retrain",
            tags={**record.tags, GATE: "passed" if verdict.passed else "kept"},
            metrics={**record.metrics, **differences},
            files={**record.files, "challenge.json": to_json(challenge)},
        ),
        _mandate(by, f"leadlight retrain, against version {champion.number}"),
    )
    registry_of(config).give(CHALLENGER, number)
    return number


def _kept_early(
    config: Config, champion: RegisteredVersion, by: str | None, reason: str
) -> Retrained:
    registry_of(config).record(
        RunRecord("retrain", {}, {}, {OUTCOME: "nothing trained", GATE: "kept", DECISION: reason})
    )
    keep(config, None, _mandate(by, reason))
    return Retrained("kept", champion.number, None, reason)


def _mandate(by: str | None, reason: str) -> Mandate:
    return Mandate(by, reason) if by else Mandate.of_this_user(reason)
