"""`leadlight threshold`: what-if without retraining, definitions as versions, and refusals."""

import json
import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from command import leadlight
from small_project import SmallProject, make_small_project

from leadlight.features.errors import ConfigError, ModelNotFoundError, SchemaMismatchError
from leadlight.models.policies import CapacityPolicy, Floors, RecallPolicy, TopSharePolicy
from leadlight.models.threshold import choose_threshold
from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.definitions import agreed_definition, definitions
from leadlight.pipelines.held_out import champion_window
from leadlight.pipelines.registry import registry_of
from leadlight.pipelines.threshold import save_definition, what_if

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    project = make_small_project(tmp_path_factory.mktemp("threshold") / "project", leads=800)
    project.configure("share: 0.2}", "share: 0.2, minimum: {fit: 0.1}, owner: Growth team}")
    trained = leadlight("train", "-c", project.config)
    assert trained.code == 0, trained.error
    return project


@pytest.fixture
def project(trained_once: SmallProject, tmp_path: Path) -> SmallProject:
    """The trained project in its own place: it may be spoilt."""
    copy = SmallProject(tmp_path / "project")
    shutil.copytree(trained_once.directory, copy.directory)
    # MLflow's store names its artefacts by absolute paths.
    with sqlite3.connect(copy.directory / "workspace" / "mlflow.db") as store:
        old, new = str(trained_once.directory), str(copy.directory)
        for table, column in (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("logged_models", "artifact_location"),
            ("model_versions", "storage_location"),
        ):
            store.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (old, new))
    return copy


@pytest.fixture
def config(project: SmallProject) -> Config:
    return load_config(project.config)


def test_the_held_out_window_is_kept_with_ids_and_no_names(project: SmallProject) -> None:
    (path,) = (project.directory / "workspace" / "mlartifacts").rglob("held_out.parquet")
    frame = pq.read_table(path).to_pandas()
    assert list(frame.columns) == [
        "lead_id",
        "account_id",
        "as_of",
        "label",
        "probability",
        "fit_percentile",
        "engagement_percentile",
    ]
    assert len(frame) > 100


def test_the_window_found_without_mlflow_is_the_one_that_mlflow_finds(config: Config) -> None:
    window = champion_window(config)
    champion = registry_of(config).champion()
    assert window.version == champion.number
    assert window.threshold == champion.decision.threshold
    assert window.floors == champion.decision.floors
    with registry_of(config).champion_directory() as (_, directory):
        kept = pq.read_table(directory / "held_out.parquet").to_pandas()
    pd.testing.assert_frame_equal(window.frame, kept)


def test_the_policy_in_force_answers_as_training_did(config: Config) -> None:
    told = what_if(config)
    window = champion_window(config)
    again = choose_threshold(
        TopSharePolicy(0.2),
        window.frame,
        window.floors,
        seed=config.seed,
        horizon_days=60,
        sampled_share=window.sampled_share,
    )
    assert told.choice == told.in_force == again
    assert told.first is not None
    assert told.last is not None
    assert told.first < told.last
    assert sum(cell.mqls for cell in told.grid) == round(again.share * told.snapshots)


def test_the_command_answers_as_a_table_with_chart_and_grid_and_as_json(
    project: SmallProject,
) -> None:
    asked = ("threshold", "-c", project.config, "--policy", "recall", "--recall", "0.7")
    shown = leadlight(*asked)
    assert shown.code == 0, shown.error
    for part in ("new MQLs a week", "lift over the average", "Gives up:", "│ chosen:", "fit"):
        assert part in shown.out
    plain = json.loads(leadlight(*asked, "--json").out)
    assert plain["threshold"]["policy"] == {"policy": "recall", "recall": 0.7}
    assert plain["threshold"]["recall"]["value"] >= 0.7
    assert plain["in_force"]["policy"]["policy"] == "top_share"
    assert len(plain["grid"]) == 16


def test_the_impossible_is_told_with_figures_and_changes_nothing(project: SmallProject) -> None:
    before = project.published()
    ran = leadlight(
        "threshold", "-c", project.config, "--policy", "precision", "--precision", "0.999",
        "--save", "--author", "Ana", "--reason", "certainty", "--json",
    )  # fmt: skip
    assert "cannot be promised" in ran.refused()
    assert 0 < json.loads(ran.out)["best"]["precision"] < 0.999
    assert project.published() == before
    assert len(definitions(load_config(project.config))) == 1


def test_a_saved_definition_is_a_version_with_author_reason_and_review(config: Config) -> None:
    today = datetime.now(UTC).date()
    number, saved = save_definition(
        config, CapacityPolicy(2.0), Floors(0.3, 0.2), author="Ana", reason="two people left"
    )
    assert number == 2
    first, second = definitions(config)
    assert second == saved
    assert first.author == "leadlight.yaml"
    assert (second.number, second.decision_version, second.author) == (2, 2, "Ana")
    assert second.reason == "two people left"
    assert second.owner == "Growth team"
    assert second.review_on == today + timedelta(days=180)
    champion = registry_of(config).champion()
    earlier = registry_of(config).version(1)
    assert champion.number == 2
    assert champion.decision.threshold.policy == {"policy": "capacity", "leads_per_week": 2.0}
    assert champion.decision.floors == Floors(0.3, 0.2)
    assert champion.decision.compiled.to_payload()[0] == earlier.decision.compiled.to_payload()[0]
    assert champion.training["evaluation"] == earlier.training["evaluation"]
    assert champion.training["threshold"] == champion.decision.threshold.to_dict()
    assert champion_window(config).version == 2


def test_a_saved_definition_holds_for_training_until_the_configuration_changes(
    project: SmallProject, config: Config
) -> None:
    assert agreed_definition(config).policy == TopSharePolicy(0.2)
    save_definition(config, RecallPolicy(0.5), Floors(), author="Ana", reason="reach")
    held = agreed_definition(config)
    assert held.policy == RecallPolicy(0.5)
    assert "Ana" in held.notes[0]
    project.configure("owner: Growth team", "owner: Sales")
    assert agreed_definition(load_config(project.config)).policy == RecallPolicy(0.5)
    project.configure("share: 0.2", "share: 0.1")
    changed = agreed_definition(load_config(project.config))
    assert changed.policy == TopSharePolicy(0.1)
    assert changed.notes == ()


@pytest.mark.parametrize(
    ("author", "reason", "review_on", "said"),
    [
        ("", "why not", None, "author"),
        ("leadlight.yaml", "why not", None, "author"),
        ("Ana", " ", None, "reason"),
        ("Ana", "why not", date(2020, 1, 1), "not ahead"),
    ],
)
def test_a_definition_without_author_reason_or_future_is_refused(
    config: Config, author: str, reason: str, review_on: date | None, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        save_definition(
            config, TopSharePolicy(0.1), Floors(), author=author, reason=reason, review_on=review_on
        )
    assert len(definitions(config)) == 1


def test_a_definition_of_a_newer_leadlight_is_refused(
    project: SmallProject, config: Config
) -> None:
    with sqlite3.connect(project.directory / "workspace" / "ledger.db") as ledger:
        ledger.execute("UPDATE definitions SET format_version = 99")
    with pytest.raises(SchemaMismatchError, match=r"(?s)format 99.*Upgrade"):
        agreed_definition(config)


def test_a_version_without_its_held_out_window_says_to_train_again(
    project: SmallProject, config: Config
) -> None:
    (path,) = (project.directory / "workspace" / "mlartifacts").rglob("held_out.parquet")
    path.write_bytes(b"not parquet")
    with pytest.raises(ModelNotFoundError, match="cannot be read"):
        what_if(config)
    path.unlink()
    with pytest.raises(ModelNotFoundError, match="Train again"):
        what_if(config)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--policy", "recal", "--recall", "0.5"], "Did you mean 'recall'"),
        (["--recall", "0.5"], "--recall belongs to a policy"),
        (["--policy", "capacity", "--leads-per-week", "0"], "above 0"),
        (["--policy", "top_share", "--share", "0.1", "--fit", "1.5"], "minimum.fit"),
        (["--policy", "recall", "--recall", "0.5", "--review-on", "soon"], "is not a day"),
        (["--save", "--author", "Ana", "--reason", "x"], "--save needs a policy"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_message(
    project: SmallProject, options: list[str], said: str
) -> None:
    assert said in leadlight("threshold", "-c", project.config, *options).refused()


def test_floors_that_leave_nobody_are_refused(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"mql\.minimum"):
        what_if(config, TopSharePolicy(0.1), fit=0.9999, engagement=0.9999)
