"""A workspace with scores and without a model, for tests of what is done with scores."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.scores import partition_of
from leadlight.pipelines.workspace import Workspace

FIRST_NIGHT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Lead:
    """A lead as one night scored it."""

    lead_id: str
    probability: float = 0.1
    mql: bool = False
    reasons: tuple[str, ...] = ("Visited the pricing page 4 times in the last 7 days",)
    email: str | None = None

    def now(self, **changed: object) -> "Lead":
        return replace(self, **changed)  # type: ignore[arg-type]


@dataclass(frozen=True)
class ScoredProject:
    """A project of which only scores and tables exist."""

    directory: Path

    @property
    def config(self) -> Config:
        return load_config(self.directory / "leadlight.yaml")

    @property
    def path(self) -> Path:
        return self.directory / "leadlight.yaml"

    def configure(self, delivery: str) -> Config:
        text = (
            "project: acme\n"
            "sources: {leads: {path: leads.csv}, outcomes: {path: deals.csv, won: 'true'}}\n"
            f"delivery:\n{delivery}"
        )
        self.path.write_text(text, encoding="utf-8")
        return self.config

    def score(self, leads: Iterable[Lead], night: int = 0) -> None:
        """Put scores and the table of leads where a scoring run would."""
        leads = list(leads)
        as_of = FIRST_NIGHT + timedelta(days=night)
        workspace = Workspace(self.directory / "workspace")
        folder = partition_of(workspace, as_of)
        folder.mkdir(parents=True, exist_ok=True)
        scores = {
            "lead_id": pa.array([lead.lead_id for lead in leads], pa.string()),
            "as_of": pa.array([as_of] * len(leads), pa.timestamp("us", tz="UTC")),
            "probability": pa.array([lead.probability for lead in leads], pa.float64()),
            "percentile": pa.array([lead.probability for lead in leads], pa.float64()),
            "grade": pa.array(["A" if lead.mql else "C" for lead in leads]),
            "mql": pa.array([lead.mql for lead in leads], pa.bool_()),
            "fit_percentile": pa.array([0.5] * len(leads)),
            "engagement_percentile": pa.array([0.5] * len(leads)),
            "reasons_for": pa.array([list(each.reasons) for each in leads], pa.list_(pa.string())),
            "reasons_against": pa.array([[] for _ in leads], pa.list_(pa.string())),
            "reason_ids_for": pa.array(
                [[re.sub(r"\d", "#", reason) for reason in each.reasons] for each in leads],
                pa.list_(pa.string()),
            ),
            "reason_ids_against": pa.array([[] for _ in leads], pa.list_(pa.string())),
            "decision_version": pa.array([1] * len(leads), pa.int64()),
        }
        pq.write_table(pa.table(scores), folder / "part-00000.parquet")
        self.table(
            "leads",
            lead_id=[lead.lead_id for lead in leads],
            email=[lead.email for lead in leads],
        )

    def table(self, name: str, **columns: list[object]) -> None:
        """Write one canonical table."""
        path = Workspace(self.directory / "workspace").tables / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        types = {"email": pa.string()}
        arrays = {column: pa.array(values, types.get(column)) for column, values in columns.items()}
        pq.write_table(pa.table(arrays), path)
