"""Leads are tried by chance, night by night, and training weighs what came of it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from command import leadlight
from small_project import SmallProject, make_small_project

from leadlight.features.engines import DuckDBEngine
from leadlight.features.snapshots import training_snapshots
from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.follow_up import with_follow_up
from leadlight.pipelines.prepare import open_door, snapshot_plan
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.score import score
from leadlight.pipelines.scores import read_scores
from leadlight.pipelines.status import lifecycle_runs, read_status, read_transitions
from leadlight.pipelines.train import train

START = datetime(2024, 12, 1, tzinfo=UTC)
QUIET = Progress(quiet=True)
SHARE = 0.3


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project that was trained, then scored every five weeks for half a year."""
    project = make_small_project(tmp_path_factory.mktemp("exploration"))
    project.configure(
        "checks: {",
        f"lifecycle: {{exploration: {{share: {SHARE}, weigh_training: true}}}}\nchecks: {{",
    )
    assert leadlight("train", "-c", project.config).code == 0
    config = load_config(project.config)
    for night in range(5):
        score(config, QUIET, as_of=START + timedelta(days=35 * night))
    return project


@pytest.fixture(scope="module")
def config(project: SmallProject) -> Config:
    return load_config(project.config)


def test_who_is_tried_is_flagged_with_a_chance_and_stays_below_the_threshold(
    config: Config,
) -> None:
    log = read_transitions(config).to_pandas()
    tried = log[log["reason"] == "exploration"]
    assert len(tried) > 20
    assert tried["explored"].all()
    assert (tried["propensity"] == SHARE).all()
    assert tried["why"].str.startswith("Tried by chance, with a probability of").all()
    own = log[log["reason"] == "threshold_reached"]
    assert (own["propensity"] == 1.0).all()
    assert not own["explored"].any()


def test_the_same_nights_try_the_same_leads_and_another_seed_tries_others(
    project: SmallProject, config: Config, tmp_path: Path
) -> None:
    def explored(of: Config) -> set[str]:
        status = read_status(of, START).to_pandas()
        return set(status.loc[status["explored"], "lead_id"])

    first = explored(config)
    assert first
    for seed, same in ((0, True), (1, False)):
        copy = SmallProject(tmp_path / str(seed))
        shutil.copytree(project.directory, copy.directory)
        copy.configure("project: small", f"project: small\nseed: {seed}")
        again = load_config(copy.config)
        scored = score(again, QUIET, as_of=START, replay=True)
        assert (explored(again) == first) == same
        rows = read_scores(scored.partition, ["lead_id", "explored"]).to_pandas()
        assert set(rows.loc[rows["explored"], "lead_id"]) == explored(again)


def test_each_snapshot_stands_for_what_the_last_run_before_it_says(
    config: Config, tmp_path: Path
) -> None:
    runs = [run.as_of for run in lifecycle_runs(config)]
    states = {run: read_status(config, run).to_pandas().set_index("lead_id") for run in runs}
    path = tmp_path / "snapshots.parquet"
    with DuckDBEngine(threads=1) as engine:
        tables = open_door(config, engine, QUIET).tables
        training_snapshots(engine, tables, snapshot_plan(config), path)
        frame = pd.read_parquet(path)
        followed = with_follow_up(frame, config, engine, path)

    def obvious(lead: str, as_of: datetime) -> float:
        before = [run for run in runs if run <= as_of]
        if not before:
            return 1.0
        status = states[before[-1]]
        if lead not in status.index or status.loc[lead, "state"] not in {"mql", "sql"}:
            return 0.0
        return 1.0 / status.loc[lead, "propensity"]

    expected = [obvious(*row) for row in zip(frame["lead_id"], frame["as_of"], strict=True)]
    assert followed.frame["stands_for"].tolist() == expected
    assert {0.0, 1.0, 1 / SHARE} == set(expected)


def test_training_says_from_how_many_it_learned(config: Config) -> None:
    trained = train(config, QUIET)
    (note,) = [note for note in trained.story["notes"] if note.startswith("Learned from")]
    assert "equal ones" in note
