"""One scoring run: the leads at risk as of one instant, their scores, and where they stand now."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.errors import SchemaMismatchError
from leadlight.features.publication import published_directory
from leadlight.features.snapshots import SnapshotCounts, scoring_snapshots
from leadlight.features.tables import CanonicalTables

from .between_nights import BetweenNights
from .config import Config
from .definitions import definition_of
from .lead_states import LeadStates, gather_inputs
from .policy_columns import LeadSegments
from .prepare import load_frame, snapshot_plan
from .progress import Progress, Told
from .registry import RegisteredVersion
from .scores import partition_of, write_notes, write_part
from .scoring_notes import SeenInScoring, count_notes, plan_notes
from .status import LifecycleRun, commit_run, status_folder
from .workspace import Workspace

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
    """

    config: Config
    engine: DuckDBEngine
    tables: CanonicalTables
    version: RegisteredVersion
    as_of: datetime | None
    notes: tuple[str, ...]
    strict: bool
    between: BetweenNights | None = None

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
        compute_features(
            self.engine,
            self.tables,
            snapshots,
            self.version.decision.definition,
            features / "parts",
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
        decision, number = self.version.decision, self.version.number
        segments = LeadSegments(self.engine, self.tables, decision.threshold.by)
        written = 0
        if self.between is not None and states is not None:
            for kept in self.between.carried(self.engine, self.tables):
                least = decision.threshold.least(segments.beside(kept))
                write_part(states.decided(kept, least), written, number, scores)
                written += 1
        for part in sorted(parts.glob("*.parquet")):
            frame = segments.beside(load_frame(part))
            seen.look_at(frame)
            decided = decision.decide(frame, self.config.wording)
            if states is not None:
                decided = states.decided(decided, decision.threshold.least(frame))
            write_part(decided, written, number, scores)
            written += 1
        if not written:
            write_part(None, 0, number, scores)
        if self.strict and seen.unseen:
            raise SchemaMismatchError(
                "\n".join(seen.unseen), hint="Train again, or score without --strict."
            )
