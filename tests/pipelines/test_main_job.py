"""The main job by its commands: train, score, explain, report, and what each leaves behind."""

import csv
import hashlib
import json
import shutil
import warnings
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from command import leadlight
from small_project import SmallProject

from leadlight.pipelines.config import load_config
from leadlight.pipelines.registry import registry_of

with warnings.catch_warnings():
    # MLflow 3.17 warns of its own type hints and of its own use of SQLAlchemy.
    warnings.simplefilter("ignore")
    import mlflow
    import mlflow.pyfunc
    from mlflow import MlflowClient

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")


@pytest.fixture(scope="module")
def project(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    """A project that was trained and scored once; tests only read it, or score again."""
    project = trained_small_project.copied(tmp_path_factory.mktemp("main") / "project")
    scored = leadlight("score", "-c", project.config, "--csv", project.directory / "scores.csv")
    assert scored.code == 0, scored.error
    return project


def _partition(project: SmallProject) -> Path:
    (partition,) = (project.directory / "workspace" / "scores").glob("as_of=2025-06-24*")
    return partition


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.*")}


def _artefacts(project: SmallProject) -> list[Path]:
    return [
        path
        for path in (project.directory / "workspace" / "mlartifacts").rglob("*")
        if path.is_file()
    ]


def test_each_scored_lead_gets_a_probability_a_place_a_grade_a_verdict_and_reasons(
    project: SmallProject,
) -> None:
    scores = pq.read_table(_partition(project)).to_pandas()
    assert len(scores) > 500
    assert scores["lead_id"].is_unique
    assert scores["probability"].between(0, 1, inclusive="neither").all()
    assert scores["percentile"].between(0, 1).all()
    assert set(scores["grade"]) <= {"A", "B", "C", "D"}
    assert 0 < scores["mql"].mean() < 0.4
    assert (scores["reasons_for"].map(len) + scores["reasons_against"].map(len)).median() >= 2
    hot, cold = scores.nlargest(50, "probability"), scores.nsmallest(50, "probability")
    assert hot["mql"].mean() > cold["mql"].mean()


def test_reasons_are_words_not_column_names(project: SmallProject) -> None:
    scores = pq.read_table(_partition(project)).to_pandas()
    said = {
        reason
        for column in ("reasons_for", "reasons_against")
        for row in scores[column]
        for reason in row
    }
    assert said
    assert not [reason for reason in said if "_" in reason]


def test_scoring_again_gives_the_same_bytes(project: SmallProject, tmp_path: Path) -> None:
    before = _hashes(_partition(project))
    again = leadlight("score", "-c", project.config, "--csv", tmp_path / "again.csv")
    assert again.code == 0, again.error
    assert _hashes(_partition(project)) == before
    first = project.directory / "scores.csv"
    assert (tmp_path / "again.csv").read_bytes() == first.read_bytes()


def test_training_again_in_two_threads_gives_the_same_model(
    project: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    copy = SmallProject(tmp_path / "copy")
    shutil.copytree(project.directory, copy.directory, ignore=shutil.ignore_patterns("workspace"))
    assert leadlight("train", "-c", copy.config).code == 0

    def model(of: SmallProject) -> tuple[object, bytes]:
        files = {path.name: path for path in _artefacts(of)}
        decision = json.loads(files["decision.json"].read_text(encoding="utf-8"))
        del decision["metadata"]["trained_at"]
        return decision, files["tables.npz"].read_bytes()

    assert model(copy) == model(project)


def test_what_happens_at_or_after_as_of_does_not_change_a_score(
    project: SmallProject, tmp_path: Path
) -> None:
    copy = SmallProject(tmp_path / "copy")
    shutil.copytree(project.directory, copy.directory)
    as_of = "2025-02-01T00:00:00"
    assert leadlight("score", "-c", copy.config, "--as-of", as_of, "--replay").code == 0
    (partition,) = (copy.directory / "workspace" / "scores").glob("as_of=2025-02-01*")
    before = pq.read_table(partition).to_pandas()

    events = copy.read("events.csv")
    late = events["occurred_at"] >= as_of
    assert 0 < late.sum() < len(events)
    seconds = [
        f"2025-02-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}" for i in range((~late).sum())
    ]
    flood = events[~late].assign(occurred_at=seconds, event_type="email_click", detail="")
    copy.write("events.csv", pd.concat([events[~late], flood]))
    assert leadlight("score", "-c", copy.config, "--as-of", as_of, "--replay").code == 0
    pd.testing.assert_frame_equal(pq.read_table(partition).to_pandas(), before)


def test_the_csv_tells_the_same_as_the_parquet(project: SmallProject) -> None:
    scores = pq.read_table(_partition(project)).to_pandas()
    with (project.directory / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["lead_id"] for row in rows] == scores["lead_id"].tolist()
    assert [float(row["probability"]) for row in rows] == scores["probability"].tolist()
    assert rows[0]["reasons_for"].split("; ") == list(scores["reasons_for"][0])


def test_train_json_is_only_json_and_tells_the_whole_story(project: SmallProject) -> None:
    story = json.loads((project.directory / "trained.json").read_text(encoding="utf-8"))
    assert story["version"] == 1
    assert story["evaluation"]["auc"]["low"] < story["evaluation"]["auc"]["value"]
    chosen = {each["name"] for each in story["candidates"] if each["chosen"]}
    assert chosen == {member["name"] for member in story["blend"]} != set()
    assert story["threshold"]["policy"]["share"] == 0.2


def test_the_registry_holds_data_and_no_code(project: SmallProject) -> None:
    names = [path.name for path in _artefacts(project)]
    assert {"decision.json", "tables.npz", "training.json", "MLmodel"} <= set(names)
    assert not [
        name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle"))
    ]
    for path in _artefacts(project):
        assert not path.read_bytes().startswith(b"\x80"), f"{path.name} looks like a pickle"


def test_artefacts_tell_nothing_of_this_machine_and_no_e_mail(project: SmallProject) -> None:
    for path in _artefacts(project):
        if path.suffix in {".json", ".svg"}:
            assert str(project.directory) not in path.read_text(encoding="utf-8")


def test_the_run_in_mlflow_records_choices_figures_plots_and_hashes(project: SmallProject) -> None:
    client = MlflowClient(load_config(project.config).tracking_uri)
    version = client.get_model_version_by_alias("small", "champion")
    assert version.run_id is not None
    run = client.get_run(version.run_id)
    assert {"data_hash", "config_hash", "code_hash", "candidate", "horizon_days"} <= set(
        run.data.params
    )
    assert {"auc", "auc_low", "auc_high", "log_loss", "ece", "threshold"} <= set(run.data.metrics)
    plots = {file.path for file in client.list_artifacts(version.run_id, "plots")}
    assert {"plots/reliability.svg", "plots/lift.svg"} <= plots


def test_the_champion_loads_as_a_pyfunc_and_gives_the_same_probabilities(
    project: SmallProject,
) -> None:
    config = load_config(project.config)
    frame = pq.read_table(
        project.directory / "workspace" / "features" / "scoring" / "parts"
    ).to_pandas()
    mlflow.set_tracking_uri(config.tracking_uri)
    loaded = mlflow.pyfunc.load_model("models:/small@champion")
    expected = registry_of(config).champion().decision.decide(frame)["probability"]
    assert loaded.predict(frame)["probability"].tolist() == expected.tolist()


def test_explain_prints_a_card_with_the_reasons_and_the_definition(project: SmallProject) -> None:
    top = pq.read_table(_partition(project)).to_pandas().nlargest(1, "probability").iloc[0]
    card = leadlight("explain", top["lead_id"], "-c", project.config)
    assert card.code == 0, card.error
    for reason in top["reasons_for"]:
        assert reason in card.out
    assert "A lead is an MQL if" in card.out
    told = json.loads(leadlight("explain", top["lead_id"], "-c", project.config, "--json").out)
    assert told["probability"] == top["probability"]


def test_explain_says_of_an_unknown_lead_which_one_is_near(project: SmallProject) -> None:
    message = leadlight("explain", "l00001", "-c", project.config).refused()
    assert "Did you mean" in message


def test_explain_says_of_a_customer_why_there_is_no_score(project: SmallProject) -> None:
    deals = project.read("deals.csv")
    customer = deals.loc[deals["stage"] == "won", "lead_id"].iloc[0]
    message = leadlight("explain", customer, "-c", project.config).refused()
    assert "customer" in message


def test_the_report_is_one_page_with_the_hottest_lead_on_it(
    project: SmallProject, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    ran = leadlight("report", "-c", project.config, "--out", page)
    assert ran.code == 0, ran.error
    text = page.read_text(encoding="utf-8")
    top = pq.read_table(_partition(project)).to_pandas().nlargest(1, "probability").iloc[0]
    assert top["lead_id"] in text
    assert "<script" not in text
    assert text.count("<svg") >= 4


def test_a_failed_training_leaves_the_champion_as_it_was(
    project: SmallProject, tmp_path: Path
) -> None:
    copy = SmallProject(tmp_path / "copy")
    shutil.copytree(project.directory, copy.directory)
    uri = f"sqlite:///{project.directory}/workspace/mlflow.db"
    copy.configure("label:", f"mlflow: {{tracking_uri: '{uri}'}}\nlabel:")
    before = registry_of(load_config(copy.config)).champion().number
    copy.configure("stage = 'won'", "stage = 'nothing'")
    leadlight("train", "-c", copy.config).refused()
    assert registry_of(load_config(copy.config)).champion().number == before
