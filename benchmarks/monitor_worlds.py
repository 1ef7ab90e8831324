"""Demo worlds as a project that a champion of another world scores and monitors, night by night.

A world is admitted once. What a night knows is cut from its tables, scored through the feature
kernel and the decision version, and laid into a workspace in which `leadlight monitor` then runs;
only the CSV files, the reasons and the states of leads are left out.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import SecretStr

from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.snapshots import scoring_snapshots
from leadlight.features.tables import CanonicalTables
from leadlight.models.feature_drift import ReferenceProfile
from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.demo.world import WorldSpec, generate_world
from leadlight.pipelines.monitor import Monitored, monitor
from leadlight.pipelines.monitor_looks import Look, keep_look
from leadlight.pipelines.prepare import load_frame, open_door, snapshot_plan
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.registry import RegisteredVersion, registry_of
from leadlight.pipelines.scores import partition_of, read_scores
from leadlight.pipelines.train import train
from leadlight.pipelines.workspace import Workspace

QUIET = Progress(quiet=True)
YEARS = 2
START = datetime(2023, 1, 1, tzinfo=UTC)
EARLIER = (100, 28, 21, 14, 7)
"""Days before a night as of which the world was scored; 100 is when its newest mature scores are
from."""

_REFERENCE_DATES = 4
_FIRST, _NIGHTS = 101, 24
"""A night is so many days after the training: its mature scores are the champion's, too."""
_MONTHS = 3


@dataclass(frozen=True)
class Champion:
    """A trained project, whose decision version scores all worlds.

    Attributes
    ----------
    config : Config
    version : RegisteredVersion
    trained : datetime
        UTC; nothing later was known at its training.
    reference : ReferenceProfile
    labels : DataFrame
        ``as_of`` and ``label`` of its newest training snapshots.
    """

    config: Config
    version: RegisteredVersion
    trained: datetime
    reference: ReferenceProfile
    labels: pd.DataFrame


@dataclass(frozen=True)
class Exported:
    """What the sources hold on a night, behind the door.

    Attributes
    ----------
    as_of : datetime
        UTC; the night.
    events : DataFrame
        Of the last months, known before the night.
    leads, outcomes : DataFrame
    refused : int
        Rows of events that the door refused as repeated, on top of the world's own.
    """

    as_of: datetime
    events: pd.DataFrame
    leads: pd.DataFrame
    outcomes: pd.DataFrame
    refused: int = 0


def train_champion(folder: Path, *, leads: int, seed: int, days: int) -> Champion:
    """Train as `leadlight train` does, as of so many days after a world's beginning."""
    trained = START + timedelta(days=days)
    made = generate_world(WorldSpec(leads=leads, years=YEARS, seed=seed), folder)
    text = made.config.read_text(encoding="utf-8")
    last = f"{START + timedelta(days=365 * YEARS - 1):%Y-%m-%d}"
    until = f"{trained - timedelta(days=1):%Y-%m-%d}"
    made.config.write_text(text.replace(f"observed_until: {last}", f"observed_until: {until}"))
    config = load_config(made.config)
    train(config, QUIET)
    workspace = Workspace(config.workspace_directory)
    parts = workspace.features("training") / "parts"
    frame = load_frame(parts)
    dates = np.sort(frame["as_of"].unique())[-_REFERENCE_DATES:]
    shutil.rmtree(parts)
    parts.mkdir()
    newest_dates = frame[frame["as_of"].isin(dates)]
    newest_dates.to_parquet(parts / "part-00000.parquet")
    version = registry_of(config).champion()
    names = [feature.name for feature in version.decision.features]
    newest, before = frame[frame["as_of"] == dates[-1]], frame[frame["as_of"] == dates[0]]
    profile = ReferenceProfile.of(newest, before, names)
    return Champion(config, version, trained, profile, newest_dates[["as_of", "label"]])


class World:
    """A world of two years up to a night that its seed draws, scored but for that night.

    Parameters
    ----------
    champion : Champion
    folder : Path
        Does not exist yet.
    leads, seed : int

    Attributes
    ----------
    night : datetime
        UTC.
    earlier : DataFrame
        Features, with ``probability``, of four weekly nights before.
    """

    def __init__(self, champion: Champion, folder: Path, *, leads: int, seed: int) -> None:
        self.champion = champion
        rng = np.random.default_rng([seed, 7])
        self.night = champion.trained + timedelta(days=int(_FIRST + rng.integers(_NIGHTS)))
        self._folder = folder
        made = generate_world(WorldSpec(leads=leads, years=YEARS, seed=seed), folder / "world")
        own = load_config(made.config)
        self._engine = DuckDBEngine(memory_limit=own.memory_limit, temp_directory=folder)
        door = open_door(own, self._engine, QUIET)
        self._tables = door.tables
        self._repeated = sum(
            count.share
            for count in door.counts
            if (count.table, count.rule) == ("events", "duplicated_row")
        )
        self.config = champion.config.model_copy(
            update={
                "workspace": str(folder / "monitored"),
                "mlflow": champion.config.mlflow.model_copy(
                    update={"tracking_uri": SecretStr(champion.config.tracking_uri)}
                ),
            }
        )
        self._workspace = Workspace(self.config.workspace_directory)
        self._workspace.features("scoring").mkdir(parents=True)
        self._workspace.features("training").symlink_to(
            Workspace(champion.config.workspace_directory).features("training")
        )
        self._remember()

    def close(self) -> None:
        """Let go of the engine, and remove all files."""
        self._engine.close()
        shutil.rmtree(self._folder)

    def exported(self, as_of: datetime) -> Exported:
        """Return what the sources hold on a night when nothing is wrong."""
        parts = self._months(as_of)
        events = pa.concat_tables([pq.read_table(part) for part in parts[-_MONTHS:]])
        known = pc.coalesce(events["recorded_at"], events["occurred_at"])
        events = events.filter(pc.less(known, pa.scalar(as_of, known.type)))
        leads, outcomes = (pq.read_table(self._tables.path(it)) for it in ("leads", "outcomes"))
        leads = leads.filter(pc.less(leads["created_at"], pa.scalar(as_of, known.type)))
        return Exported(as_of, *(table.to_pandas() for table in (events, leads, outcomes)))

    def run(self, exported: Exported) -> tuple[Monitored, pd.DataFrame]:
        """Score and monitor a night; return also its features with ``probability``."""
        as_of = exported.as_of
        tables = self._lay_out(exported)
        (frame,) = self._features(tables, [as_of])
        self._write_scores(as_of, frame)
        parts = self._workspace.features("scoring") / "parts"
        parts.mkdir(exist_ok=True)
        frame.to_parquet(parts / "part-00000.parquet")
        return monitor(self.config, QUIET), frame

    def mature(self, exported: Exported) -> pd.DataFrame:
        """Return ``label`` of the leads of the newest mature scores, as a night knows it."""
        since = self.night - timedelta(days=EARLIER[0])
        until = since + timedelta(days=self.config.label.horizon_days)
        deals = exported.outcomes
        won = deals[deals["won"] & deals["closed_at"].between(since, until, inclusive="left")]
        scored = read_scores(partition_of(self._workspace, since), ["lead_id"]).to_pandas()
        return pd.DataFrame({"as_of": since, "label": scored["lead_id"].isin(won["lead_id"])})

    def forget(self, as_of: datetime) -> None:
        """Forget the nights from an instant on, so that they can be told otherwise."""
        for kept in (self._workspace.scores, self._workspace.looks):
            for path in kept.glob("as_of=*"):
                if path.name.removesuffix(".json") >= partition_of(self._workspace, as_of).name:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _months(self, as_of: datetime) -> list[Path]:
        return [part for part in self._tables.parts("events") if part.stem <= f"{as_of:%Y-%m}"]

    def _remember(self) -> None:
        """Score and look as of some nights before, and run the monitor the night before."""
        as_ofs = [self.night - timedelta(days=back) for back in EARLIER]
        frames = self._features(self._tables, as_ofs)
        self.earlier = pd.concat(frames[1:], ignore_index=True)
        for as_of, frame in zip(as_ofs, frames, strict=True):
            self._write_scores(as_of, frame)
            version, profile = self.champion.version.number, self.champion.reference
            last = (as_of - timedelta(microseconds=1)).date()
            counts = profile.profile(frame)
            keep_look(self._workspace, Look(as_of, version, last, {}, 0, 0, profile.bins, counts))
        before = self.night - timedelta(days=1)
        self.run(self.exported(before))

    def _features(self, tables: CanonicalTables, as_ofs: Sequence[datetime]) -> list[pd.DataFrame]:
        decision = self.champion.version.decision
        plan = replace(snapshot_plan(self.champion.config), observed_until=None)
        with self._engine.scratch() as scratch:
            for at, as_of in enumerate(as_ofs):
                scoring_snapshots(self._engine, tables, plan, as_of, scratch / f"{at}.parquet")
            every = scratch / "snapshots.parquet"
            pq.write_table(
                pa.concat_tables(
                    [pq.read_table(scratch / f"{at}.parquet") for at in range(len(as_ofs))]
                ),
                every,
            )
            compute_features(self._engine, tables, every, decision.definition, scratch / "parts")
            frame = load_frame(scratch / "parts")
        judged = decision.judge(frame)
        frame = frame.assign(probability=judged.probability, mql=judged.mql)
        return [frame[frame["as_of"] == as_of].reset_index(drop=True) for as_of in as_ofs]

    def _write_scores(self, as_of: datetime, frame: pd.DataFrame) -> None:
        partition = partition_of(self._workspace, as_of)
        partition.mkdir(parents=True, exist_ok=True)
        frame[["lead_id", "probability", "mql"]].to_parquet(partition / "part-00000.parquet")

    def _lay_out(self, exported: Exported) -> CanonicalTables:
        """Write what a night knows as the workspace's tables, and what the door counted."""
        folder = self._workspace.tables
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "events").mkdir(parents=True)
        for name in ("accounts", "feedback", "identities"):
            (folder / f"{name}.parquet").symlink_to(self._tables.path(name))
        for name in ("leads", "outcomes"):
            schema = pq.read_schema(self._tables.path(name))
            _write(getattr(exported, name), schema, folder / f"{name}.parquet")
        parts = self._months(exported.as_of)
        for part in parts[:-_MONTHS]:
            (folder / "events" / part.name).symlink_to(part)
        _write(exported.events, pq.read_schema(parts[-1]), folder / "events" / parts[-1].name)
        kept = sum(pq.read_metadata(part).num_rows for part in (folder / "events").iterdir())
        repeated = int(kept * self._repeated)
        counted = {"table": "events", "rule": "duplicated_row", "rows": repeated + exported.refused}
        door = {"rows_read": {"events": kept + repeated + exported.refused}, "counts": [counted]}
        (self._workspace.root / "door.json").write_text(json.dumps(door), encoding="utf-8")
        return CanonicalTables.kept_in(folder)


def _write(frame: pd.DataFrame, schema: pa.Schema, path: Path) -> None:
    table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), path)
