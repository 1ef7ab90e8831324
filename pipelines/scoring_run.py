"""One scoring run: the leads at risk as of one instant, their scores, and where they stand now."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pandas as pd

from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.errors import SchemaMismatchError
from leadlight.features.publication import published_directory
from leadlight.features.snapshots import SnapshotCounts, scoring_snapshots
from leadlight.features.tables import CanonicalTables
from leadlight.models.lifecycle import Floats

from .between_nights import BetweenNights
from .config import Config
from .definitions import definition_of
from .lead_states import LeadStates, gather_inputs
from .policy_columns import LeadSegments
from .prepare import load_frame, snapshot_plan
from .progress import Progress, Told
from .registry import RegisteredVersion
from .scores import partition_of, write_notes, write_part
from .scoring_notes import SeenInScoring, calibration_notes, count_notes, plan_notes
from .spark_run import decided_on_spark, features_on_spark
from .status import LifecycleRun, commit_run, status_folder
from .workspace import Workspace

Least = float | Floats
"""Probability from which a lead is an MQL: one for all, or one for each."""

_BESIDE_SCORES = 0.4
"""Share of the memory limit that DuckDB may use while leads are scored in this process."""


@dataclass(frozen=True)
class ScoringRun:
    """A run for one instant.

    Attributes
    ----------
    config : Config
    engine : DuckDBEngine
    tables : CanonicalTables
    version : RegisteredVersion
        That decides.
    as_of : datetime or None
        UTC; None for a flat table.
    notes : tuple of str
        What is known of the tables already.
    strict : bool
        Refuse categories that training never saw.
    between : BetweenNights or None
        Only leads with news are scored; the others keep the score of the run before.
    on_spark : bool
        Compute features and scores on Spark.
    """

    config: Config
    engine: DuckDBEngine
    tables: CanonicalTables
    version: RegisteredVersion
    as_of: datetime | None
    notes: tuple[str, ...]
    strict: bool
    between: BetweenNights | None = None
    on_spark: bool = False

    @property
    def partition(self) -> Path:
        """Where the scores are published."""
        return partition_of(Workspace(self.config.workspace_directory), self.as_of)

    def publish(self, progress: Progress) -> tuple[LifecycleRun | None, tuple[str, ...]]:
        """Compute, decide and move leads; publish the scores and the status, and then commit.

        Returns
        -------
        LifecycleRun or None
            None for a flat table.
        tuple of str
            What a person should know.

        Raises
        ------
        SchemaMismatchError
            ``strict``, and there are categories that training never saw; nothing is published.
        """
        workspace = Workspace(self.config.workspace_directory)
        with published_directory(workspace.features("scoring")) as features:
            with progress.stage("Computing features") as tell:
                counts = self._compute(features, tell)
            with (
                progress.stage("Scoring"),
                self.engine.limited(_BESIDE_SCORES),
                published_directory(self.partition) as scores,
            ):
                seen = SeenInScoring(self.version)
                run, more = self._decide(features, scores, seen)
                notes = (
                    *calibration_notes(self.version),
                    *self.notes,
                    *plan_notes(self.config, self.version),
                    *count_notes(counts),
                    *seen.unseen,
                    *seen.silent,
                    *more,
                )
                write_notes(notes, scores)
        if run is not None:
            commit_run(self.config, run)
        return run, notes

    def _compute(self, features: Path, tell: Told) -> SnapshotCounts:
        """Place snapshots and compute features as the decision version's training did."""
        kept = self.version.decision.metadata["snapshots"]
        plan = replace(
            snapshot_plan(self.config), **{**kept, "at_age_days": tuple(kept["at_age_days"])}
        )
        snapshots = features / "snapshots.parquet"
        moment = self.as_of or datetime.now(UTC)
        counts = scoring_snapshots(self.engine, self.tables, plan, moment, snapshots)
        if self.between is not None:
            self.between.keep_news(self.engine, self.tables, snapshots)
        definition, parts = self.version.decision.definition, features / "parts"
        if self.on_spark:
            features_on_spark(self.tables, snapshots, definition, parts)
        else:
            compute_features(
                self.engine,
                self.tables,
                snapshots,
                definition,
                parts,
                store=Workspace(self.config.workspace_directory).events,
                tell=tell,
            )
        return counts

    def _decide(
        self, features: Path, scores: Path, seen: SeenInScoring
    ) -> tuple[LifecycleRun | None, tuple[str, ...]]:
        """Write scores and status part by part."""
        if self.as_of is None:
            self._write_scores(features / "parts", scores, seen, None)
            return None, ()
        inputs = features / "states.parquet"
        notes = gather_inputs(self.config, self.engine, self.tables, self.as_of, inputs)
        folder = status_folder(Workspace(self.config.workspace_directory), self.as_of)
        with published_directory(folder) as status:
            states = LeadStates(
                self.config,
                self.engine,
                inputs,
                status,
                self.version.decision,
                self.as_of,
                self.version.number,
                definition_of(self.config, self.version.number),
            )
            with states:
                self._write_scores(features / "parts", scores, seen, states)
                states.others()
        run = states.finished()
        return (replace(run, since=self.between.since) if self.between else run), notes

    def _write_scores(
        self, parts: Path, scores: Path, seen: SeenInScoring, states: LeadStates | None
    ) -> None:
        written = 0
        for decided, least in chain(self._carried(states), self._decided(parts, seen)):
            moved = decided if states is None else states.decided(decided, least)
            write_part(moved, written, self.version.number, scores)
            written += 1
        if not written:
            write_part(None, 0, self.version.number, scores)
        if self.strict and seen.unseen:
            raise SchemaMismatchError(
                "\n".join(seen.unseen), hint="Train again, or score without --strict."
            )

    def _carried(self, states: LeadStates | None) -> Iterator[tuple[pd.DataFrame, Least]]:
        """Yield the scores that leads without news keep, each with what its MQLs need."""
        if self.between is None or states is None:
            return
        for kept in self.between.carried(self.engine, self.tables):
            yield kept, self._least(kept)

    def _decided(self, parts: Path, seen: SeenInScoring) -> Iterator[tuple[pd.DataFrame, Least]]:
        """Yield scored leads part by part, each with the probability that its MQLs need."""
        decision, wording = self.version.decision, self.config.wording
        if not self.on_spark:
            for part in sorted(parts.glob("*.parquet")):
                frame = self._segments.beside(load_frame(part))
                seen.look_at(frame)
                yield decision.decide(frame, wording), decision.threshold.least(frame)
            return
        decided = parts.with_name("decided")
        decided_on_spark(decision, parts, self.tables, wording, decided)
        for part in sorted(parts.glob("*.parquet")):
            seen.look_at(load_frame(part))
        for part in sorted(decided.glob("*.parquet")):
            scored = load_frame(part)
            yield scored, self._least(scored)

    @property
    def _segments(self) -> LeadSegments:
        return LeadSegments(self.engine, self.tables, self.version.decision.threshold.by)

    def _least(self, leads: pd.DataFrame) -> Least:
        return self.version.decision.threshold.least(self._segments.beside(leads))
