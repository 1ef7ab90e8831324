"""Events that are kept between runs, and parts that outlive a killed one."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from every_feature import DEFINITION
from oracle import (
    DAY,
    START,
    Event,
    Lead,
    Link,
    World,
    random_world,
    write_snapshots,
    write_tables,
)

from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.event_filing import event_store
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.sql import parquet
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import DEFAULT_PAGE_RULES


@pytest.fixture(scope="module")
def engine():
    with DuckDBEngine(threads=1) as engine:
        yield engine


def write_in_months(world: World, directory: Path) -> CanonicalTables:
    """Write a world with its events in several files, as the door does."""
    tables = write_tables(world, directory)
    (directory / "events").mkdir(exist_ok=True)
    whole = pq.read_table(directory / "events.parquet")
    known = [max(event.occurred_at, event.recorded_at or 0) for event in world.events]
    month = np.array([(at - START) // (10 * DAY) for at in known], np.int64)
    for number in np.unique(month):
        # Unchanged rows give an unchanged file, but a new time of writing, as from the door.
        some = whole.filter(pa.array(month == number))
        pq.write_table(some, directory / "events" / f"{number + 100:05d}.parquet")
    for left in (directory / "events").iterdir():
        if int(left.stem) - 100 not in month:
            left.unlink()
    return tables


def parts_of(folder: Path) -> dict[str, bytes]:
    return {part.name: part.read_bytes() for part in sorted(folder.iterdir())}


def nights(seed: int) -> list[World]:
    """A world as it is known night by night: events, leads and links arrive, leads move."""
    world = random_world(seed)
    rng = np.random.default_rng(seed)
    known = []
    for night in range(6):
        until = START + (night + 1) * 12 * DAY
        leads = [
            replace(lead, account_id=str(rng.choice(["A1", "A2", "A3"])))
            if rng.random() < 0.15
            else lead
            for lead in world.leads
            if lead.created_at < until and rng.random() < 0.95
        ] or world.leads[:1]
        names = [lead.lead_id for lead in leads]
        known.append(
            replace(
                world,
                leads=leads,
                events=[
                    event
                    for event in world.events
                    if max(event.occurred_at, event.recorded_at or 0) < until
                ],
                links=[
                    link for link in world.links if link.linked_at < until and link.lead_id in names
                ],
                snapshots=[(name, until) for name in names],
            )
        )
    return known


@pytest.mark.parametrize("seed", range(12))
def test_a_store_that_grew_night_by_night_gives_what_one_from_nothing_gives(engine, tmp_path, seed):
    for night, world in enumerate(nights(seed)):
        tables = write_in_months(world, tmp_path / "tables")
        snapshots = write_snapshots(world, tmp_path / "snapshots.parquet")
        sizes = {"leads_per_bucket": 3, "events_per_bucket": 1000}
        for output, store in (("grown", tmp_path / "store"), ("fresh", None)):
            compute_features(
                engine, tables, snapshots, DEFINITION, tmp_path / output, store=store, **sizes
            )
        grown, fresh = parts_of(tmp_path / "grown"), parts_of(tmp_path / "fresh")
        if grown.keys() == fresh.keys():
            assert grown == fresh, night
        else:  # another number of buckets
            tables_of = [
                pa.concat_tables(pq.read_table(part) for part in sorted((tmp_path / run).iterdir()))
                .sort_by([("lead_id", "ascending")])
                .to_pandas()
                for run in ("grown", "fresh")
            ]
            assert tables_of[0].equals(tables_of[1]), night


def month_of(world: World, directory: Path, engine: DuckDBEngine, store: Path) -> int:
    """How many events are filed for a world that the store may know in part."""
    tables = write_in_months(world, directory)
    snapshots = write_snapshots(world, directory / "snapshots.parquet")
    with event_store(engine, tables, DEFAULT_PAGE_RULES, parquet(snapshots), store) as held:
        return held.filed


def busy_world(days: int) -> World:
    leads = [Lead(f"L{n}", START, f"A{n % 7}") for n in range(40)]
    events = [
        Event(START + day * DAY + n, "page_view", f"L{n}") for day in range(days) for n in range(40)
    ]
    return World(leads, events, snapshots=[(lead.lead_id, START + 99 * DAY) for lead in leads])


def test_a_new_day_files_the_events_of_its_month_alone(engine, tmp_path):
    assert month_of(busy_world(50), tmp_path / "t", engine, tmp_path / "store") == 50 * 40
    assert month_of(busy_world(50), tmp_path / "t", engine, tmp_path / "store") == 0
    assert month_of(busy_world(51), tmp_path / "t", engine, tmp_path / "store") == 40
    assert month_of(busy_world(53), tmp_path / "t", engine, tmp_path / "store") == 3 * 40


def test_a_new_name_has_its_own_earlier_events_filed_again_and_no_others(engine, tmp_path):
    world = busy_world(20)
    anonymous = [Event(START + day * DAY, "page_view", "visitor") for day in range(20)]
    world = replace(world, events=world.events + anonymous)
    month_of(world, tmp_path / "t", engine, tmp_path / "store")
    linked = replace(world, links=[Link("visitor", START + 15 * DAY, "L3")])
    assert month_of(linked, tmp_path / "t", engine, tmp_path / "store") == 20


def test_a_store_of_other_page_rules_or_columns_is_made_anew(engine, tmp_path):
    world = busy_world(5)
    month_of(world, tmp_path / "t", engine, tmp_path / "store")
    tables = write_in_months(world, tmp_path / "t")
    source = parquet(tmp_path / "t" / "snapshots.parquet")
    with event_store(engine, tables, DEFAULT_PAGE_RULES[1:], source, tmp_path / "store") as held:
        assert held.filed == 200


def test_a_damaged_store_is_made_anew(engine, tmp_path):
    world = busy_world(5)
    month_of(world, tmp_path / "t", engine, tmp_path / "store")
    (tmp_path / "store" / "store.json").write_text('{"key": ')
    assert month_of(world, tmp_path / "t", engine, tmp_path / "store") == 200


SCRIPT = """
import json, sys
from pathlib import Path
from every_feature import DEFINITION
from leadlight.features.engines import DuckDBEngine, feature_parts
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.tables import CanonicalTables

directory, columns, processes = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
feature_parts.FEW_EVENTS = 0
if __name__ == "__main__":
    with DuckDBEngine(threads=1) as engine:
        compute_features(
            engine,
            CanonicalTables(directory, {name: tuple(each) for name, each in columns.items()}),
            directory / "snapshots.parquet",
            DEFINITION,
            directory / "out",
            store=directory / "store",
            processes=processes,
            tell=lambda done, of: print(done, of, flush=True),
            events_per_bucket=100,
        )
"""


def start(directory: Path, tables: CanonicalTables, processes: int) -> subprocess.Popen[str]:
    script = directory / "compute.py"
    script.write_text(SCRIPT)
    tests = Path(__file__).resolve().parents[1]
    return subprocess.Popen(
        [sys.executable, str(script), str(directory), json.dumps(dict(tables.columns)),
         str(processes)],
        env=os.environ | {"PYTHONPATH": str(tests)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_leaves_no_output_and_the_next_goes_on_to_the_same_bytes(
    engine, tmp_path, stop, processes
):
    world = busy_world(180)
    tables = write_in_months(world, tmp_path)
    snapshots = write_snapshots(world, tmp_path / "snapshots.parquet")
    compute_features(
        engine, tables, snapshots, DEFINITION, tmp_path / "whole", events_per_bucket=100
    )

    run = start(tmp_path, tables, processes)
    assert run.stdout is not None
    done, of = map(int, run.stdout.readline().split())
    os.killpg(run.pid, stop)
    run.communicate()
    kept = {path.name: path.stat().st_ino for path in tmp_path.glob("store/unfinished/*/part-*")}

    assert done == 1 < of
    assert run.returncode != 0
    assert not (tmp_path / "out").exists()
    assert 1 <= len(kept) < of

    again = start(tmp_path, tables, processes)
    told, _ = again.communicate()
    assert again.returncode == 0
    assert len(told.splitlines()) == of - len(kept)
    assert parts_of(tmp_path / "out") == parts_of(tmp_path / "whole")
    assert {name: (tmp_path / "out" / name).stat().st_ino for name in kept} == kept
    assert not list(tmp_path.glob("store/unfinished/*"))
    assert not list(tmp_path.rglob("*.partial"))


def test_two_runs_take_turns_at_one_store(engine, tmp_path):
    world = busy_world(30)
    tables = write_in_months(world, tmp_path)
    write_snapshots(world, tmp_path / "snapshots.parquet")
    runs = [start(tmp_path, tables, 1) for _ in range(2)]
    for run in runs:
        run.communicate()
    assert [run.returncode for run in runs] == [0, 0]
