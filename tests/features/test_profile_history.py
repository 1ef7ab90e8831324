"""Profile values as they were at the snapshot."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oracle import DAY, START, TIME, Lead, World, write_snapshots, write_tables

from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_definition import define_features
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.tables import CanonicalTables

COLUMNS = (
    ProfileColumn("source", "leads", "source", "category", has_history=True),
    ProfileColumn("points", "leads", "points", "numeric", has_history=True),
    ProfileColumn("seniority", "leads", "job_title", "category", "seniority", has_history=True),
    ProfileColumn("industry", "accounts", "industry", "category", has_history=True),
    ProfileColumn("stage", "leads", "stage", "category"),
)
DEFINITION = FeatureDefinition(profile=COLUMNS, has_age=False)


@pytest.fixture(scope="module")
def engine():
    with DuckDBEngine(threads=1) as engine:
        yield engine


@dataclass(frozen=True)
class Change:
    entity: str
    id: str
    field: str
    changed_at: int
    new_value: str | None
    old_value: str | None


def write_history(changes: list[Change], tables: CanonicalTables) -> CanonicalTables:
    columns = {
        name: pa.array([getattr(change, name) for change in changes], pa.string())
        for name in ("entity", "id", "field", "new_value", "old_value")
    }
    columns["changed_at"] = pa.array([change.changed_at for change in changes], TIME)
    pq.write_table(pa.table(columns), tables.directory / "profile_history.parquet")
    return replace(tables, columns={**tables.columns, "profile_history": tuple(columns)})


def value_then(changes: list[Change], entity: str, key: str | None, field: str, as_of: int, now):
    """The obvious way: walk through the changes in the order of time."""
    mine = sorted(
        (c for c in changes if (c.entity, c.id, c.field) == (entity, key, field)),
        key=lambda change: change.changed_at,
    )
    if not mine:
        return now
    value = mine[0].old_value
    for change in mine:
        if change.changed_at < as_of:
            value = change.new_value
    return value


@pytest.mark.parametrize("seed", range(8))
def test_values_are_those_of_the_snapshot_not_those_of_today(engine, tmp_path, seed):
    rng = np.random.default_rng(seed)

    def instant() -> int:
        return START + int(rng.integers(0, 20)) * DAY

    def pick(*options):
        return options[int(rng.integers(len(options)))]

    leads = [Lead(f"L{n}", START, pick("A1", "A2", None), "Manager") for n in range(6)]
    world = World(leads, snapshots=sorted({(pick(*leads).lead_id, instant()) for _ in range(12)}))
    own = {
        "source": pa.array([pick("web", "ads", None) for _ in leads], pa.string()),
        "points": pa.array([pick(1.0, 2.5, None) for _ in leads], pa.float64()),
        "stage": pa.array([pick("new", "won") for _ in leads], pa.string()),
    }
    accounts = {"account_id": ["A1", "A2"], "industry": ["Retail", "Finance"]}
    tables = write_tables(world, tmp_path, leads=own, accounts=accounts)
    changes = {
        (entity, key, field, at): Change(entity, key, field, at, new, old)
        for entity, key, field, new, old in (
            *(
                ("lead", pick(*leads).lead_id, "source", pick("fair", "web"), pick(None, "ads"))
                for _ in range(6)
            ),
            *(("lead", pick(*leads).lead_id, "points", "7", pick(None, "3")) for _ in range(4)),
            *(
                ("lead", pick(*leads).lead_id, "job_title", "VP Sales", pick("Student", None))
                for _ in range(4)
            ),
            *(("account", pick("A1", "A2"), "industry", "Energy", "Mining") for _ in range(2)),
        )
        for at in [instant()]
    }
    history = list(changes.values())
    tables = write_history(history, tables)
    snapshots = write_snapshots(world, tmp_path / "snapshots.parquet")

    compute_features(engine, tables, snapshots, DEFINITION, tmp_path / "out")

    rows = {lead.lead_id: at for at, lead in enumerate(leads)}
    today = dict(zip(accounts["account_id"], accounts["industry"], strict=True))
    read = {"Manager": "manager", "VP Sales": "vice president", "Student": "student", None: None}
    for row in pq.read_table(tmp_path / "out").to_pylist():
        lead, as_of = row["lead_id"], int(row["as_of"].timestamp()) * 1_000_000
        at, account = rows[lead], leads[rows[lead]].account_id

        def then(field: str, now, lead=lead, as_of=as_of):
            return value_then(history, "lead", lead, field, as_of, now)

        assert row["source"] == then("source", own["source"][at].as_py())
        points = then("points", own["points"][at].as_py())
        assert (None if np.isnan(row["points"]) else row["points"]) == (
            None if points is None else float(points)
        )
        assert row["seniority"] == read[then("job_title", "Manager")]
        industry = value_then(history, "account", account, "industry", as_of, today.get(account))
        assert row["industry"] == industry
        assert row["stage"] == own["stage"][at].as_py()


def test_a_definition_tells_which_columns_are_known_only_as_they_are_now(engine, tmp_path: Path):
    leads = [Lead(f"L{n}", START + n) for n in range(60)]
    world = World(leads, snapshots=[(lead.lead_id, START + 30 * DAY) for lead in leads])
    more = {"source": ["web", "ads"] * 30, "stage": ["new", "won", "lost"] * 20}
    tables = write_tables(world, tmp_path, leads=more)
    tables = write_history([Change("lead", "L1", "source", START, "web", None)], tables)
    snapshots = write_snapshots(world, tmp_path / "snapshots.parquet")
    definition = define_features(engine, tables, snapshots).definition
    now_only = [column.name for column in definition.profile if not column.has_history]
    assert now_only == ["stage"]
    assert FeatureDefinition.from_dict(definition.to_dict()) == definition
