"""The scoring job: every lead at risk, through the champion, into one partition of scores."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow.compute as pc

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ConfigError
from leadlight.features.tables import CanonicalTables

from .between_nights import BetweenNights
from .config import Config
from .delivery import write_csv
from .prepare import engine_of, open_door
from .progress import Progress
from .registry import Registry, registry_of
from .run_lock import one_at_a_time
from .scores import partition_of, read_scores
from .scoring_run import ScoringRun
from .scoring_schema import checked_tables
from .status import admitted_runs, lifecycle_runs
from .workspace import Workspace

# Every instant at which something became known: the newest of them is the data's own clock.
_CLOCKS = {
    "leads": ("created_at",),
    "events": ("occurred_at", "recorded_at"),
    "outcomes": ("opened_at", "closed_at"),
    "feedback": ("decided_at",),
    "identities": ("linked_at",),
}


@dataclass(frozen=True)
class Scored:
    """A finished scoring run.

    Attributes
    ----------
    partition : Path
        Folder ``scores/as_of=...`` with the Parquet parts.
    as_of : datetime or None
        UTC; None for a flat table.
    leads, mqls : int
        Scored, and of these those that meet the definition of an MQL.
    decision_version : int
    notes : tuple of str
        What a person should know of this run.
    moves : mapping of str to int
        How many leads changed their state, by ``"lead>mql"``.
    replayed : tuple of datetime
        Later runs that were made anew.
    """

    partition: Path
    as_of: datetime | None
    leads: int
    mqls: int
    decision_version: int
    notes: tuple[str, ...] = ()
    moves: Mapping[str, int] = field(default_factory=dict)
    replayed: tuple[datetime, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {
            **vars(self),
            "partition": str(self.partition),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "replayed": [each.isoformat() for each in self.replayed],
        }


@one_at_a_time("score")
def score(
    config: Config,
    progress: Progress,
    *,
    as_of: datetime | None = None,
    csv: Path | None = None,
    strict: bool = False,
    replay: bool = False,
    since: datetime | Literal["last"] | None = None,
    on_spark: bool = False,
) -> Scored:
    """Score every lead that is at risk, decide MQLs, move leads on, and publish it all.

    The same inputs give the same bytes: without ``as_of``, leads are scored as of the midnight
    (UTC) after the newest row of the data, whatever the clock says. A run that is repeated for the
    same instant changes nothing.

    Parameters
    ----------
    config : Config
    progress : Progress
    as_of : datetime, optional
        Aware; what happened at or after it is not seen.
    csv : Path, optional
        Write a CSV file too, safe to open in a spreadsheet.
    strict : bool
        Refuse columns that are missing or of another type than in training, and categories that
        training never saw, instead of taking them for empty or rare and noting it.
    replay : bool
        Allow an instant before the last run's. The later runs are then made anew, each with the
        decision version that made it, so that each lead's state follows from the one before.
    since : datetime or "last", optional
        Score only leads of which something became known since this instant (UTC), or since the
        last run; the others keep their scores. Without ``as_of`` it is just after the newest row.
    on_spark : bool
        Compute features and scores on Spark: see ``leadlight.pipelines.spark_run``.

    Raises
    ------
    ModelNotFoundError
        Nothing was trained yet.
    SchemaMismatchError
        The data lacks tables that the model was trained on; or, where ``strict``, a column that
        it reads is missing or of another type, or holds categories that training never saw. Or the
        earlier status is another project's or a newer leadlight's.
    WorkspaceError
        A later run was made already, and ``replay`` was not asked for; or ``since`` was, and no
        data is newer than the last run, or the champion is another since.
    ConfigError
        ``since`` was asked for a flat table, which has no time.
    """
    registry = registry_of(config)
    champion = registry.champion()
    with engine_of(config) as engine:
        door = open_door(config, engine, progress)
        moment = _moment(engine, door.tables, as_of, since)
        between = None
        if since is not None and moment is not None:
            start = None if since == "last" else since
            between = BetweenNights.of(config, champion, start, moment)
        later: tuple[datetime, ...] = ()
        if moment is not None:
            later = tuple(at for at in admitted_runs(config, moment, replay=replay) if at != moment)
        checked = checked_tables(engine, door.tables, champion, strict=strict)
        wanted = ScoringRun(
            config,
            engine,
            checked.tables,
            champion,
            moment,
            checked.notes,
            strict,
            between,
            on_spark,
        )
        for each in sorted(at for at in later if moment is None or at < moment):
            _again(wanted, registry, each).publish(progress)
        run, notes = wanted.publish(progress)
        for each in sorted(at for at in later if moment is not None and at > moment):
            progress.note(f"Replaying {each:%Y-%m-%d %H:%M}")
            _again(wanted, registry, each).publish(progress)
    if csv is not None:
        with progress.stage("Writing CSV"):
            write_csv(read_scores(wanted.partition), csv)
    mql = read_scores(wanted.partition, columns=["mql"])["mql"]
    return Scored(
        wanted.partition,
        moment,
        len(mql),
        int(pc.sum(mql).as_py() or 0),
        champion.number,
        notes,
        run.moves if run else {},
        later,
    )


def after_newest(engine: DuckDBEngine, tables: CanonicalTables) -> datetime:
    """Return the midnight (UTC) after the newest instant that the data knows."""
    newest = _newest(engine, tables)
    return newest.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _newest(engine: DuckDBEngine, tables: CanonicalTables) -> datetime:
    newest = " UNION ALL ".join(
        f"SELECT max({column}) AS moment FROM {tables.relation(table)}"
        for table, columns in _CLOCKS.items()
        for column in columns
        if tables.has(table, column)
    )
    ((microseconds,),) = engine.rows(f"SELECT epoch_us(max(moment)) FROM ({newest})")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _moment(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    as_of: datetime | None,
    since: datetime | Literal["last"] | None,
) -> datetime | None:
    """Return as of when to score; None for a flat table."""
    if tables.is_flat:
        if since is not None:
            raise ConfigError(
                "--since needs times, and a flat table (`leads.won`) has none",
                hint="Score the whole table: leadlight score",
            )
        return None
    if as_of is not None:
        return as_of
    if since is not None:
        return _newest(engine, tables) + timedelta(microseconds=1)
    return after_newest(engine, tables)


def _again(wanted: ScoringRun, registry: Registry, as_of: datetime) -> ScoringRun:
    """Return the run for an instant as it was made: by the decision version of then."""
    runs = lifecycle_runs(wanted.config)
    (at,) = [place for place, run in enumerate(runs) if run.as_of == as_of]
    then, version, between = runs[at], wanted.version, None
    if then.decision_version != version.number:
        version = registry.version(then.decision_version)
    if then.since is not None:
        workspace = Workspace(wanted.config.workspace_directory)
        between = BetweenNights(then.since, partition_of(workspace, runs[at - 1].as_of))
    return replace(wanted, version=version, as_of=as_of, strict=False, between=between)
