"""A small dated world with honest columns, to put leaks and their honest twins into."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from door import Door

from leadlight.features.engines import DuckDBEngine
from leadlight.features.leak import Leak
from leadlight.features.leaks import ColumnRules, LeakAudit, audit_leaks
from leadlight.features.population import SnapshotPlan
from leadlight.features.snapshots import training_snapshots
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import DEFAULT_PAGE_RULES

START = pd.Timestamp("2021-01-01", tz="UTC")
DAYS = 900
PLAN = SnapshotPlan(horizon_days=60, at_age_days=(1,))


@dataclass
class LeakyWorld:
    """Leads in time, their deals, and further tables that a test adds to.

    Attributes
    ----------
    created, closed : array of float
        Days since ``START``; NaN where a lead has no closed deal.
    won : array of bool
    """

    door: Door
    leads: pd.DataFrame
    created: np.ndarray
    closed: np.ndarray
    won: np.ndarray
    random: np.random.Generator
    events: list[pd.DataFrame] = field(default_factory=list)
    history: list[pd.DataFrame] = field(default_factory=list)

    def happens(self, kind: str, who: np.ndarray, day: np.ndarray) -> None:
        """Let some leads (by number) have an event of a kind, each on its day."""
        at = {"lead_id": self.leads["lead_id"][who].array, "occurred_at": times(day)}
        self.events.append(pd.DataFrame({**at, "event_type": kind}))

    def changes(self, field_name: str, who: np.ndarray, day: np.ndarray, value: str) -> None:
        """Record that a field of some leads, empty until then, got a value."""
        row = {"entity": "lead", "id": self.leads["lead_id"][who].array, "field": field_name}
        row |= {"changed_at": times(day), "new_value": value, "old_value": ""}
        self.history.append(pd.DataFrame(row))

    def audit(self, **rules: object) -> LeakAudit:
        door = self.door
        sources = [door.source("leads", "leads.csv"), door.source("outcomes", "deals.csv")]
        self.leads.to_csv(door.root / "leads.csv", index=False)
        has_deal = np.flatnonzero(np.isfinite(self.closed))
        deals = pd.DataFrame(
            {
                "deal_id": [f"D{lead}" for lead in has_deal],
                "lead_id": self.leads["lead_id"][has_deal].array,
                "closed_at": times(self.closed[has_deal]),
                "won": self.won[has_deal],
            }
        )
        deals.to_csv(door.root / "deals.csv", index=False)
        for table, rows in (("events", self.events), ("profile_history", self.history)):
            if rows:
                pd.concat(rows).to_csv(door.root / f"{table}.csv", index=False)
                sources.append(door.source(table, f"{table}.csv"))
        return audited(door, sources, **rules)


def audited(door: Door, sources: list[object], **rules: object) -> LeakAudit:
    """Admit some sources, take the training snapshots, and audit them."""
    tables = door.admit(*sources).tables  # type: ignore[arg-type]
    snapshots = snapshots_of(door)
    with DuckDBEngine() as engine:
        training_snapshots(engine, tables, PLAN, snapshots)
        return audit_leaks(
            engine,
            tables,
            snapshots,
            PLAN,
            rules=ColumnRules(**rules),  # type: ignore[arg-type]
            page_rules=DEFAULT_PAGE_RULES,
        )


def tables_of(door: Door) -> CanonicalTables:
    """The tables that ``audited`` admitted."""
    files = {path.stem: path for path in sorted(door.directory.glob("*.parquet"))}
    columns = {name: tuple(pq.read_schema(path).names) for name, path in files.items()}
    if (door.directory / "events").is_dir():
        part = next((door.directory / "events").glob("*.parquet"))
        columns["events"] = tuple(pq.read_schema(part).names)
    return CanonicalTables(door.directory, columns)


def snapshots_of(door: Door) -> Path:
    """Where ``audited`` puts the snapshots."""
    return door.root / "snapshots.parquet"


def world(root: Path, *, leads: int = 2000, seed: int = 0) -> LeakyWorld:
    """Leads of which a tenth is won and as many are lost, with four honest columns."""
    random = np.random.default_rng(seed)
    created = np.sort(random.uniform(0, DAYS - 200, leads))
    fit = random.normal(0, 1, leads)
    chance = 1 / (1 + np.exp(2.6 - 0.8 * fit))
    won = random.random(leads) < chance
    lost = ~won & (random.random(leads) < 0.12)
    closed = np.where(won | lost, created + random.uniform(5, 150, leads), np.nan)
    numbers = random.permutation(leads)
    table = pd.DataFrame(
        {
            "lead_id": [f"L{number:05d}" for number in numbers],
            "created_at": times(created),
            "branch": np.where(fit + random.normal(0, 1, leads) > 0, "a", "b"),
            "size": np.rint(np.exp(fit + random.normal(4, 1, leads))),
            "region": random.choice(["n", "s", "e", "w"], leads),
            "visits": random.poisson(3, leads),
        }
    )
    (root / "workspace").mkdir(parents=True, exist_ok=True)
    return LeakyWorld(Door(root), table, created, closed, won, random)


def times(day: np.ndarray) -> list[str]:
    """Days since ``START`` as exports write them, to the second."""
    return [(START + pd.Timedelta(days=float(each))).strftime("%Y-%m-%dT%H:%M:%SZ") for each in day]


def verdicts(audit: LeakAudit) -> dict[str, str]:
    return {leak.told: leak.verdict for leak in audit.leaks}


def the(audit: LeakAudit, told: str) -> Leak:
    """The audit's finding on one column or kind."""
    (leak,) = [leak for leak in audit.leaks if leak.told == told]
    return leak
