"""What a training leaves in MLflow: choices, figures, files, candidates, a model of data."""

import json
import pickletools
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import report_samples as samples
from command import leadlight
from small_project import SmallProject, make_small_project

from leadlight.models.policies import Floors
from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.registry import registry_of
from leadlight.pipelines.training_record import training_record

with warnings.catch_warnings():
    # MLflow 3.17 warns of its own type hints and of its own use of SQLAlchemy.
    warnings.simplefilter("ignore")
    import mlflow
    from mlflow import MlflowClient
    from mlflow.entities import Run

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")

SECRETS = {"HOOK_SECRET": "whsec_c2lnbmluZy1rZXktb2YtdGhlLWhvb2s=", "CRM_TOKEN": "pat-eu1-of-crm"}
SINKS = """
delivery:
  sinks:
    - {name: hook, kind: webhook, url: 'https://example.com', secret: HOOK_SECRET}
    - {name: crm, kind: hubspot, token: CRM_TOKEN}
"""

LOAD_AND_PREDICT = """
import json, sys
import mlflow, pyarrow.parquet as pq
uri, parts = sys.argv[1:]
mlflow.set_tracking_uri(uri)
model = mlflow.pyfunc.load_model("models:/small@champion")
told = model.predict(pq.read_table(parts).to_pandas())
loaded = [name for name in sys.modules if name.startswith("leadlight.")]
print(json.dumps({"probability": told["probability"].tolist(), "modules": loaded}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project that was trained and scored once; tests only read it."""
    project = make_small_project(tmp_path_factory.mktemp("record") / "project")
    project.configure("label:", f"{SINKS.strip()}\nreasons: {{compared_with: source}}\nlabel:")
    with pytest.MonkeyPatch.context() as environment:
        for name, secret in SECRETS.items():
            environment.setenv(name, secret)
        for command in ("train", "score"):
            ran = leadlight(command, "-c", project.config)
            assert ran.code == 0, ran.error
    return project


@pytest.fixture(scope="module")
def config(project: SmallProject) -> Config:
    return load_config(project.config)


@pytest.fixture(scope="module")
def client(config: Config) -> MlflowClient:
    return MlflowClient(config.tracking_uri)


@pytest.fixture(scope="module")
def run(client: MlflowClient) -> Run:
    version = client.get_model_version_by_alias("small", "champion")
    assert version.run_id is not None
    return client.get_run(version.run_id)


def _artefact(project: SmallProject, name: str) -> str:
    (path,) = (project.directory / "workspace" / "mlartifacts").rglob(name)
    return path.read_text(encoding="utf-8")


def test_secrets_of_sinks_are_in_no_file_that_training_and_scoring_leave(
    project: SmallProject,
) -> None:
    files = [path for path in project.directory.rglob("*") if path.is_file()]
    assert {"mlflow.db", "leadlight.yaml", "training.json"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        assert not [name for name, secret in SECRETS.items() if secret.encode() in content], path


def test_each_candidate_has_a_run_of_its_own_inside_that_of_the_training(
    project: SmallProject, client: MlflowClient, run: Run
) -> None:
    story = json.loads(_artefact(project, "training.json"))
    runs = client.search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    )
    nested = {each.info.run_name: each for each in runs}
    assert set(nested) == {candidate["name"] for candidate in story["candidates"]}
    for candidate in story["candidates"]:
        told = nested[candidate["name"]].data
        assert told.params == {key: str(value) for key, value in candidate["settings"].items()}
        for end, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
            assert told.metrics[f"log_loss{suffix}"] == candidate["log_loss"][end]
        assert told.metrics["fit_seconds"] > 0
        assert told.tags["leadlight.chosen"] == str(candidate["chosen"]).lower()


def test_every_figure_of_the_evaluation_is_a_metric_with_its_interval(
    project: SmallProject, run: Run
) -> None:
    story = json.loads(_artefact(project, "training.json"))
    for prefix, evaluation in (("", story["evaluation"]), ("unseen_", story["unseen"] or {})):
        for name, estimate in evaluation.items():
            if isinstance(estimate, dict):
                for end, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
                    assert run.data.metrics[f"{prefix}{name}{suffix}"] == estimate[end]
    assert run.data.metrics["mql_precision_low"] == story["threshold"]["precision"]["low"]
    assert run.data.tags["leadlight.outcome"] == "registered"


def test_the_run_names_its_environment_and_nothing_of_the_machine(project: SmallProject) -> None:
    told = json.loads(_artefact(project, "environment.json"))
    assert told["python"].startswith("3.")
    assert {"leadlight", "numpy", "scikit-learn", "duckdb", "mlflow"} <= set(told)
    (path,) = (project.directory / "workspace" / "mlartifacts").glob("*/artifacts/requirements.txt")
    requirements = path.read_text(encoding="utf-8")
    assert f"numpy=={told['numpy']}" in requirements.splitlines()
    assert not [value for value in told.values() if "/" in value]


def test_the_card_is_there_in_both_forms(project: SmallProject) -> None:
    for name in ("model_card.md", "model_card.html"):
        assert "Model card: small" in _artefact(project, name)


def test_leak_audit_blend_and_ceiling_of_a_story_are_recorded(config: Config) -> None:
    record = training_record(config, samples.story(), Floors(0.2, 0.2), "Kept out: *too* few.")
    assert record.tags["leadlight.decision"] == "Kept out: *too* few."
    note = record.tags["mlflow.note.content"]
    assert r"Kept out: \*too\* few." in note
    assert "won\\_reason" in note
    assert "plots/reliability.svg" in note
    assert json.loads(record.files["leaks.json"]) == list(samples.LEAKS)
    assert "won\\_reason" in record.files["model_card.md"]
    assert record.metrics["leaks_certain"] == 2
    assert record.metrics["leaks_suspect"] == 1
    assert record.metrics["blend_log_loss"] == samples.CEILING["blend"]
    assert record.metrics["ceiling_log_loss_low"] == samples.CEILING["log_loss"]["low"]
    assert record.params["candidate"] == "logistic, boosted_additive"
    assert [run.metrics["weight"] for run in record.nested] == [0.34, 0.71, 0.0]
    assert "plots/segments.svg" in record.files
    assert {record.params[name] for name in samples.HASHES} == {64 * digit for digit in "abc"}


def test_the_signature_names_every_feature_and_the_example_is_nobody(
    project: SmallProject, config: Config
) -> None:
    mlflow.set_tracking_uri(config.tracking_uri)
    model = mlflow.pyfunc.load_model("models:/small@champion")
    features = [feature.name for feature in registry_of(config).champion().decision.features]
    inputs = model.metadata.get_input_schema()
    assert inputs.input_names() == ["lead_id", "as_of", *features]
    assert {"probability", "mql", "reasons_for"} <= set(
        model.metadata.get_output_schema().input_names()
    )
    example = model.input_example
    assert model.predict(example)["probability"].between(0, 1).all()
    assert example["lead_id"].tolist() == ["example-1", "example-2"]
    neutral = {0.0, "example"}
    assert set(example.loc[0, features]) <= neutral
    assert example.loc[1, features].isna().all()


def test_a_clean_process_loads_the_champion_and_gives_the_same_probabilities(
    project: SmallProject, config: Config, tmp_path: Path
) -> None:
    parts = project.directory / "workspace" / "features" / "scoring" / "parts"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD_AND_PREDICT, config.tracking_uri, parts],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    told = json.loads(done.stdout)
    expected = registry_of(config).champion().decision.decide(pq.read_table(parts).to_pandas())
    assert len(expected) > 500
    assert np.abs(expected["probability"].to_numpy() - told["probability"]).max() <= 1e-12
    training = {"leadlight.pipelines.train", "leadlight.models.training", "leadlight.pipelines.cli"}
    assert not training & set(told["modules"])


def test_no_artefact_holds_a_pickle(project: SmallProject) -> None:
    blobs = {}
    for path in (project.directory / "workspace" / "mlartifacts").rglob("*"):
        if not path.is_file():
            continue
        blobs[path.name] = path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                blobs |= {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
    assert {"decision.json", "tables.npz", "MLmodel"} <= set(blobs)
    assert [name for name in blobs if name.startswith("tables.npz/")]
    assert [name for name, blob in blobs.items() if _is_pickle(name, blob)] == []
    assert b"python_model" not in blobs["MLmodel"]


def _is_pickle(name: str, blob: bytes) -> bool:
    if name.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle", ".dill")):
        return True
    if blob.startswith(b"\x80"):  # the opcode PROTO
        return True
    if name.endswith(".npy"):  # an array of objects is a pickle behind its header
        return b"'descr': '|O'" in blob[:200]
    try:
        list(pickletools.genops(blob))
    except Exception:
        return False
    return True


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_would_be_found(protocol: int) -> None:
    import pickle  # noqa: PLC0415

    assert _is_pickle("model", pickle.dumps({"weights": [1.0]}, protocol=protocol))


def test_reasons_compare_with_the_average_lead_that_the_project_chose(config: Config) -> None:
    averages = registry_of(config).champion().decision.reference.segments
    assert averages is not None
    assert averages.feature == "source"
    assert set(averages.values) == {"ads", "organic", "referral"}
