"""Decision versions in the registry: which one speaks, and what happens when one cannot."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import leadlight
from small_project import SmallProject, make_small_project


@pytest.fixture(scope="module")
def scored_once(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    project = trained_small_project.copied(tmp_path_factory.mktemp("registry") / "project")
    assert leadlight("score", "-c", project.config).code == 0
    return project


@pytest.fixture
def project(scored_once: SmallProject, tmp_path: Path) -> SmallProject:
    """A trained and scored project in its own place; its registry is the first one's."""
    copy = scored_once.copied(tmp_path / "project")
    uri = f"sqlite:///{scored_once.directory}/workspace/mlflow.db"
    copy.configure("label:", f"mlflow: {{tracking_uri: '{uri}'}}\nlabel:")
    return copy


def _any_lead(project: SmallProject) -> str:
    (partition,) = (project.directory / "workspace" / "scores").glob("as_of=*")
    return str(pq.read_table(partition)["lead_id"][0].as_py())


def test_a_password_of_the_registry_is_never_shown(project: SmallProject) -> None:
    text = project.config.read_text(encoding="utf-8")
    start = text.index("sqlite:///")
    end = text.index("'}", start)
    for uri in (
        "http://bob:s3cret@127.0.0.1:9",
        "mysql+pymysql://bob:s3cret@127.0.0.1/mlflow",
        "postgresql://bob:s3cret@127.0.0.1:port/mlflow",
    ):
        project.config.write_text(text[:start] + uri + text[end:], encoding="utf-8")
        ran = leadlight("score", "-c", project.config)
        assert "registry" in ran.refused()
        assert "s3cret" not in ran.error + ran.out


def test_a_project_may_have_an_apostrophe_in_its_name(tmp_path: Path) -> None:
    project = make_small_project(tmp_path / "project", leads=500)
    project.configure("project: small", "project: O'Brien / Sons")
    ran = leadlight("train", "-c", project.config)
    assert ran.code == 0, ran.error
    assert leadlight("score", "-c", project.config).code == 0


@pytest.mark.parametrize("name", ["decision.json", "tables.npz", "training.json"])
def test_a_damaged_artefact_is_named(
    trained_small_project: SmallProject, scored_once: SmallProject, name: str
) -> None:
    artefacts = (trained_small_project.directory / "workspace" / "mlartifacts").rglob(name)
    whole = {artefact: artefact.read_bytes() for artefact in artefacts}
    try:
        for artefact, content in whole.items():
            artefact.write_bytes(content[: len(content) // 2])
        message = leadlight("report", "-c", scored_once.config).refused()
    finally:
        for artefact, content in whole.items():
            artefact.write_bytes(content)
    assert "cannot be read" in message
    assert "Train again" in message


def test_explain_and_report_do_not_mix_two_versions(project: SmallProject) -> None:
    lead = _any_lead(project)
    before = json.loads(leadlight("explain", lead, "-c", project.config, "--json").out)
    project.configure("share: 0.2", "share: 0.05")
    assert leadlight("train", "-c", project.config).code == 0

    after = json.loads(leadlight("explain", lead, "-c", project.config, "--json").out)
    assert after["decision_version"] == before["decision_version"]
    assert after["definition"] == before["definition"]
    page = project.directory / "page.html"
    assert leadlight("report", "-c", project.config, "--out", page).code == 0
    assert "No leads have been scored with this version yet" in page.read_text(encoding="utf-8")


def test_scoring_looks_at_leads_as_training_did_whatever_the_file_says_since(
    project: SmallProject,
) -> None:
    (partition,) = (project.directory / "workspace" / "scores").glob("as_of=*")
    before = pq.read_table(partition)["lead_id"].to_pylist()
    project.configure("snapshots: {every_days: 30}", "snapshots: {at_age_days: [200]}")
    ran = leadlight("score", "-c", project.config)
    assert ran.code == 0, ran.error
    assert "at_age_days" in ran.out
    assert "leadlight train" in ran.out
    assert pq.read_table(partition)["lead_id"].to_pylist() == before
