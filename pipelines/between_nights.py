"""Between nights: leads with news are scored anew, and all others keep the score that they have."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import LeadNotFoundError, WorkspaceError
from leadlight.features.publication import published_file
from leadlight.features.recent_leads import recent_leads_sql
from leadlight.features.sql import parquet
from leadlight.features.tables import CanonicalTables

from .config import Config
from .registry import RegisteredVersion
from .scores import partition_of, read_scores
from .status import newest_run
from .workspace import Workspace

_STATES = ["state", "previous_state", "state_since", "state_reason", "explored", "decision_version"]


@dataclass(frozen=True)
class BetweenNights:
    """A run that adds to the one before it.

    Attributes
    ----------
    since : datetime
        UTC; what became known from then on is news.
    before : Path
        Partition of the scores that others keep.
    """

    since: datetime
    before: Path

    @classmethod
    def of(
        cls, config: Config, champion: RegisteredVersion, since: datetime | None, as_of: datetime
    ) -> Self:
        """Return what a run as of an instant adds to.

        Parameters
        ----------
        config : Config
        champion : RegisteredVersion
        since : datetime or None
            None: since the run before.
        as_of : datetime
            UTC.

        Raises
        ------
        LeadNotFoundError
            No run was made yet.
        WorkspaceError
            The run before is as late, or another decision version made it.
        """
        run = newest_run(config)
        if run is None:
            raise LeadNotFoundError("no lead was scored yet", hint="Score first: leadlight score")
        if as_of <= run.as_of:
            raise WorkspaceError(
                f"nothing is newer than the last run, which was as of {run.as_of:%Y-%m-%d %H:%M}",
                hint="Let the nightly run say --as-of the midnight that it starts at; without, it "
                "takes the next one, and the hours in between are its own.",
            )
        before = partition_of(Workspace(config.workspace_directory), run.as_of)
        versions = set(read_scores(before, ["decision_version"])["decision_version"].to_pylist())
        if versions - {champion.number}:
            raise WorkspaceError(
                "the champion changed since the last run, so its scores cannot be kept",
                hint="Score all leads: leadlight score",
            )
        return cls(since or run.as_of, before)

    def keep_news(self, engine: DuckDBEngine, tables: CanonicalTables, snapshots: Path) -> None:
        """Keep only the snapshots of leads with news."""
        news = recent_leads_sql(tables, self.since)
        with published_file(snapshots) as partial:
            engine.write_parquet(
                f"SELECT s.* FROM {parquet(snapshots)} s SEMI JOIN ({news}) USING (lead_id)"
                " ORDER BY as_of, position NULLS LAST, lead_id",
                partial,
            )

    def carried(self, engine: DuckDBEngine, tables: CanonicalTables) -> Iterator[pd.DataFrame]:
        """Yield the scores that leads without news keep, as ``DecisionVersion.decide`` gave."""
        news = engine.table(recent_leads_sql(tables, self.since))["lead_id"]
        for part in sorted(self.before.glob("part-*.parquet")):
            rows = pq.ParquetFile(part).read()
            rows = rows.filter(pc.invert(pc.is_in(rows["lead_id"], news)))
            if rows.num_rows:
                yield rows.drop_columns(_STATES).to_pandas()
