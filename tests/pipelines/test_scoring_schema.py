"""Tonight's columns are not those of training: the run goes on and says so, or refuses."""

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from command import leadlight
from small_project import SmallProject


@pytest.fixture(scope="module")
def trained(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    return trained_small_project.copied(tmp_path_factory.mktemp("schema") / "project")


@pytest.fixture
def project(trained: SmallProject) -> SmallProject:
    """The trained project with its first tables."""
    files = {name: trained.read(name) for name in ("leads.csv", "accounts.csv")}
    yield trained
    for name, table in files.items():
        trained.write(name, table)


def test_a_night_like_training_says_nothing_of_columns(project: SmallProject) -> None:
    ran = leadlight("score", "--strict", "--json", "-c", project.config)
    assert ran.code == 0, ran.error
    assert json.loads(ran.out)["notes"] == []


def test_missing_changed_and_new_columns_are_told_and_kept_with_the_scores(
    project: SmallProject,
) -> None:
    accounts = project.read("accounts.csv").rename(columns={"industry": "industries"})
    accounts["seats"] = accounts["seats"].where(accounts.index % 2 == 0, "many")
    project.write("accounts.csv", accounts)
    ran = leadlight("score", "--json", "-c", project.config)
    assert ran.code == 0, ran.error
    scored = json.loads(ran.out)
    said = "\n".join(scored["notes"])
    assert "accounts: column 'industry' held text in training and is missing" in said
    assert "Did you mean 'industries'?" in said
    assert "accounts: column 'seats' held numbers in training and now holds text" in said
    assert "accounts: new since training, and not used until the next: 'industries'." in said
    kept = json.loads((Path(scored["partition"]) / "_notes.json").read_text(encoding="utf-8"))
    assert kept["notes"] == scored["notes"]

    features = pq.read_table(
        project.directory / "workspace" / "features" / "scoring" / "parts"
    ).to_pandas()
    assert features["industry"].isna().all()
    seats = pd.to_numeric(accounts.set_index("account_id")["seats"], errors="coerce")
    assert features["seats"].tolist() == pytest.approx(
        seats.reindex(features["account_id"]).tolist(), nan_ok=True
    )


def test_strict_refuses_what_the_model_reads_and_publishes_nothing(project: SmallProject) -> None:
    scores = project.directory / "workspace" / "scores"
    before = {path: path.read_bytes() for path in scores.rglob("*.parquet")}
    project.write("accounts.csv", project.read("accounts.csv").drop(columns="industry"))
    ran = leadlight("score", "--strict", "-c", project.config)
    assert "column 'industry' held text in training and is missing" in ran.refused()
    assert {path: path.read_bytes() for path in scores.rglob("*.parquet")} == before


def test_strict_lets_new_columns_pass(project: SmallProject) -> None:
    project.write("accounts.csv", project.read("accounts.csv").assign(colour="blue"))
    ran = leadlight("score", "--strict", "--json", "-c", project.config)
    assert ran.code == 0, ran.error
    assert "'colour'" in json.loads(ran.out)["notes"][0]
