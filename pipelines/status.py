"""Status on disk: where every lead stands after each run, and the log of who moved.

Each run has a folder ``status/as_of=.../`` with the Parquet files ``status-00000.parquet`` ... (one
row for every lead, columns ``STATUS``) and ``transitions.parquet`` (one row for every lead that
moved in this run, columns ``TRANSITIONS`` of ``leadlight.models.transitions``). A run counts once
the ledger names it (table ``lifecycle_runs``): a folder without an entry was left by a crash, and
the next run for that instant replaces it. Read runs through ``lifecycle_runs``, not by listing
folders.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Boolean, Column, Connection, Integer, Row, String, Table, select, update

from leadlight.features.errors import SchemaMismatchError, WorkspaceError
from leadlight.models.states import STATES

from .config import Config
from .ledger import METADATA, open_ledger
from .scores import instant_name
from .workspace import Workspace

# Raised whenever an older leadlight could misread a status file.
FORMAT_VERSION = 1
_MARK = b"leadlight.status"

STATUS = pa.schema(
    [
        ("lead_id", pa.string()),
        ("state", pa.string()),
        ("previous_state", pa.string()),
        ("state_since", pa.timestamp("us", tz="UTC")),
        ("state_reason", pa.string()),
        ("explored", pa.bool_()),
        ("propensity", pa.float64()),
    ]
)
"""Columns of a status file.

``state`` is one of ``leadlight.models.states.STATES`` and ``previous_state`` that after the run
before (null for a lead that is new); ``state_since`` the run that moved it there (of a ``lead``,
its creation); ``state_reason`` the id of a ``Reason``; ``explored`` whether it was passed to sales
by chance; ``propensity`` with what chance it was passed (null where it was not).
"""

_RUNS = Table(
    "lifecycle_runs",
    METADATA,
    Column("as_of", String, primary_key=True),  # ISO 8601, UTC
    Column("decision_version", Integer, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("leads", Integer, nullable=False),
    Column("moves", String, nullable=False),  # JSON: {"lead>mql": 12}
    Column("stale", Boolean, nullable=False),
    Column("since", String),  # ISO 8601, UTC
)


@dataclass(frozen=True)
class LifecycleRun:
    """A finished run of the lifecycle.

    Attributes
    ----------
    as_of : datetime
        UTC.
    decision_version, definition_version : int
    leads : int
        Whose status it holds.
    moves : mapping of str to int
        How many leads moved, by ``"from>to"``.
    stale : bool
        An earlier run was replayed since, and this one has yet to be.
    since : datetime or None
        UTC; only leads with news since then were scored. None: all were.
    """

    as_of: datetime
    decision_version: int
    definition_version: int
    leads: int
    moves: Mapping[str, int]
    stale: bool = False
    since: datetime | None = None


def status_folder(workspace: Workspace, as_of: datetime) -> Path:
    """Return the folder of a run's status files and transitions."""
    return workspace.root / "status" / f"as_of={instant_name(as_of)}"


def lifecycle_runs(config: Config) -> tuple[LifecycleRun, ...]:
    """Return the runs that the ledger knows, oldest first."""
    with open_ledger(config) as ledger:
        return _runs(ledger)


def newest_run(config: Config) -> LifecycleRun | None:
    """Return the latest run; None before the first."""
    runs = lifecycle_runs(config)
    return runs[-1] if runs else None


def read_status(config: Config, as_of: datetime) -> pa.Table:
    """Return where every lead stood after a run: columns ``STATUS``.

    Raises
    ------
    SchemaMismatchError
        The files are another project's, a newer leadlight's, or hold an unknown state.
    WorkspaceError
        The files are gone.
    """
    folder = status_folder(Workspace(config.workspace_directory), as_of)
    tables = [pq.read_table(part) for part in status_parts(folder, config.project)]
    return pa.concat_tables(tables).replace_schema_metadata(None)


def read_transitions(
    config: Config, *, after: datetime | None = None, until: datetime | None = None
) -> pa.Table:
    """Return the log of transitions, oldest run first, leads in order within each.

    Parameters
    ----------
    config : Config
    after : datetime, optional
        Only runs later than this.
    until : datetime, optional
        Only runs up to this.
    """
    from leadlight.models.transitions import TRANSITIONS  # noqa: PLC0415

    workspace = Workspace(config.workspace_directory)
    files = [
        status_folder(workspace, run.as_of) / "transitions.parquet"
        for run in lifecycle_runs(config)
        if (after is None or run.as_of > after) and (until is None or run.as_of <= until)
    ]
    return pa.concat_tables([TRANSITIONS.empty_table(), *map(pq.read_table, files)])


def status_parts(folder: Path, project: str) -> list[Path]:
    """Return the status files of a run, once each is known to be this project's and readable.

    Raises
    ------
    SchemaMismatchError
        A file is another project's, a newer leadlight's, or no status file.
    WorkspaceError
        There are none.
    """
    parts = sorted(folder.glob("status-*.parquet"))
    if not parts:
        raise WorkspaceError(
            f"the status of the run before is gone: {folder}",
            hint="Restore it from a backup, or remove workspace/status and its runs with "
            "`leadlight score --replay --as-of` the first run's date.",
        )
    for part in parts:
        _require_own(part, project)
    return parts


def status_mark(project: str) -> dict[bytes, bytes]:
    """Return the metadata that says whose a status file is, and in which format."""
    mark = {"format_version": FORMAT_VERSION, "project": project}
    return {_MARK: json.dumps(mark, sort_keys=True).encode()}


def unknown_states(folder: Path, states: pa.ChunkedArray | pa.Array) -> SchemaMismatchError:
    """Return the error of a status file with states that nobody knows."""
    strange = sorted(set(states.unique().to_pylist()) - {*STATES, None})
    return SchemaMismatchError(
        f"{folder}: unknown state {', '.join(map(repr, strange[:3])) or 'or reason'}",
        hint=f"States are {', '.join(STATES)}. Restore the folder from a backup.",
    )


def admitted_runs(config: Config, as_of: datetime, *, replay: bool) -> tuple[datetime, ...]:
    """Return the instants to run, oldest first, so that ``as_of`` can be run.

    It alone; or, after a replay, those of later runs too, and what an interrupted replay left.

    Raises
    ------
    WorkspaceError
        A later run was made, and a replay was not asked for: the clock, or the data, runs
        backwards.
    """
    with open_ledger(config) as ledger:
        runs = _runs(ledger)
        later = [run.as_of for run in runs if run.as_of > as_of]
        stale = [run.as_of for run in runs if run.stale]
        if later and not replay and as_of not in stale:
            raise WorkspaceError(
                f"leads were scored as of {runs[-1].as_of:%Y-%m-%d %H:%M} already, and this run is "
                f"as of {as_of:%Y-%m-%d %H:%M}: time runs backwards",
                hint="Is the data older than that of the last run, or a date mistyped? To do the "
                f"past over again, with {len(later)} later runs: leadlight score --replay --as-of "
                f"{as_of:%Y-%m-%dT%H:%M:%S}",
            )
        if replay:
            text = _text(as_of)
            ledger.execute(update(_RUNS).where(_RUNS.c.as_of > text).values(stale=True))
            stale += later
    return tuple(sorted({*stale, as_of}))


def run_before(config: Config, as_of: datetime) -> LifecycleRun | None:
    """Return the latest run before an instant; None where it is the first."""
    earlier = [run for run in lifecycle_runs(config) if run.as_of < as_of]
    return earlier[-1] if earlier else None


def commit_run(config: Config, run: LifecycleRun) -> None:
    """Enter a finished run in the ledger, in the place of an earlier one of the same instant."""
    with open_ledger(config) as ledger:
        ledger.execute(_RUNS.delete().where(_RUNS.c.as_of == _text(run.as_of)))
        ledger.execute(
            _RUNS.insert().values(
                as_of=_text(run.as_of),
                decision_version=run.decision_version,
                definition_version=run.definition_version,
                leads=run.leads,
                moves=json.dumps(dict(run.moves), sort_keys=True),
                stale=run.stale,
                since=run.since and _text(run.since),
            )
        )


def _runs(ledger: Connection) -> tuple[LifecycleRun, ...]:
    return tuple(map(_run, ledger.execute(select(_RUNS).order_by(_RUNS.c.as_of))))


def _run(row: Row[Any]) -> LifecycleRun:
    return LifecycleRun(
        as_of=datetime.fromisoformat(row.as_of),
        decision_version=row.decision_version,
        definition_version=row.definition_version,
        leads=row.leads,
        moves=json.loads(row.moves),
        stale=row.stale,
        since=datetime.fromisoformat(row.since) if row.since else None,
    )


def _text(as_of: datetime) -> str:
    # One width for all, so that texts sort as times do.
    return as_of.astimezone(UTC).isoformat(timespec="microseconds")


def _require_own(part: Path, project: str) -> None:
    try:
        mark = json.loads((pq.read_schema(part).metadata or {})[_MARK])
        version, owner = int(mark["format_version"]), mark["project"]
    except (KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise SchemaMismatchError(
            f"{part} is no status file of leadlight",
            hint="Restore the folder from a backup.",
        ) from error
    if version > FORMAT_VERSION:
        raise SchemaMismatchError(
            f"{part} has format {version}; this leadlight reads up to {FORMAT_VERSION}",
            hint="Upgrade leadlight (pip install --upgrade leadlight).",
        )
    if owner != project:
        raise SchemaMismatchError(
            f"{part} belongs to project '{owner}', and this is '{project}'",
            hint="Give each project its own `workspace:`, or mend `project:`.",
        )
