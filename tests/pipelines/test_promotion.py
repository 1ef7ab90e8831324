"""Promotion: the champion moves whole, with who and why, and back again to the same bytes."""

import hashlib
import json
import warnings
from pathlib import Path

import pytest
from command import leadlight
from small_project import SmallProject

from leadlight.features.errors import LeadlightError, ModelNotFoundError, WorkspaceError
from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.held_out import champion_window
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.promotion import champion_history, keep, promote, roll_back, versions
from leadlight.pipelines.registry import CHALLENGER, CHAMPION, Mandate, Registry, registry_of
from leadlight.pipelines.score import score
from leadlight.pipelines.tracking import RunRecord

with warnings.catch_warnings():
    # MLflow 3.17 warns of its own type hints and of its own use of SQLAlchemy.
    warnings.simplefilter("ignore")
    from mlflow import MlflowClient

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")

ADA = Mandate("Ada", "sales asked for it")


@pytest.fixture(scope="module")
def trained_once(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    """A trained project with a second version, whose threshold is another; it is not used."""
    project = trained_small_project.copied(tmp_path_factory.mktemp("promotion") / "project")
    register_again(load_config(project.config), Mandate("Bo", "a second one"))
    return project


def register_again(config: Config, mandate: Mandate) -> int:
    """Register the champion's model once more; the champion stays."""
    registry = registry_of(config)
    first, window = registry.champion(), champion_window(config)
    record = RunRecord("retrain", params={}, metrics={})
    return registry.register(first.decision, first.training, window.frame, record, mandate)


@pytest.fixture
def project(trained_once: SmallProject, tmp_path: Path) -> SmallProject:
    """The project in a place of its own: artefacts lie where they were, databases are copies."""
    return trained_once.copied(tmp_path / "project")


@pytest.fixture
def config(project: SmallProject) -> Config:
    return load_config(project.config)


def _score_bytes(project: SmallProject) -> dict[str, str]:
    scored = score(load_config(project.config), Progress(quiet=True))
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in scored.partition.glob("*.parquet")
    }


def test_scoring_follows_the_champion_at_once_and_a_rollback_gives_the_same_bytes(
    project: SmallProject,
) -> None:
    before = _score_bytes(project)
    ran = leadlight("promote", "2", "--by", "Ada", "--reason", "a try", "-c", project.config)
    assert ran.code == 0, ran.error
    assert "Decision version 2 is the champion in place of version 1." in ran.out
    assert _score_bytes(project) != before
    ran = leadlight("rollback", "--by", "Ada", "--reason", "no good", "-c", project.config)
    assert ran.code == 0, ran.error
    assert _score_bytes(project) == before


def test_who_and_why_are_kept_in_the_ledger_and_on_the_version_in_mlflow(config: Config) -> None:
    promote(config, 2, ADA)
    newest, first = champion_history(config)
    assert (newest.action, newest.from_version, newest.to_version) == ("promote", 1, 2)
    assert newest.mandate == ADA
    assert (first.action, first.from_version, first.to_version) == ("train", None, 1)
    client = MlflowClient(config.tracking_uri)
    champion = client.get_model_version_by_alias("small", "champion")
    assert int(champion.version) == 2
    assert champion.tags["leadlight.promoted_by"] == "Ada"
    assert champion.tags["leadlight.promoted_because"] == "sales asked for it"
    assert champion.tags["leadlight.promoted_at"].endswith("+00:00")
    made = {each.number: each.mandate for each in versions(config)}
    assert made[1].reason == "leadlight train"
    assert made[2] == Mandate("Bo", "a second one")


def test_without_a_number_the_challenger_is_promoted_and_is_challenger_no_more(
    config: Config,
) -> None:
    with pytest.raises(ModelNotFoundError, match="no challenger"):
        promote(config, None, ADA)
    registry_of(config).give(CHALLENGER, 2)
    assert promote(config, None, ADA).to_version == 2
    assert registry_of(config).holder(CHALLENGER) is None


def test_rolled_back_twice_it_goes_two_champions_back(config: Config) -> None:
    third = register_again(config, ADA)
    promote(config, 2, ADA)
    promote(config, third, ADA)
    keep(config, 2, Mandate("leadlight retrain", "no better"))
    assert roll_back(config, ADA).to_version == 2
    assert roll_back(config, ADA).to_version == 1
    with pytest.raises(ModelNotFoundError, match="no champion before decision version 1"):
        roll_back(config, ADA)


def test_what_cannot_become_champion_is_refused_and_changes_nothing(
    project: SmallProject, config: Config
) -> None:
    with pytest.raises(LeadlightError, match="version 1 is the champion already"):
        promote(config, 1, ADA)
    with pytest.raises(ModelNotFoundError, match="no decision version 9"):
        promote(config, 9, ADA)
    ran = leadlight("promote", "2", "--reason", " ", "-c", project.config)
    assert "--reason is empty" in ran.refused()
    assert registry_of(config).holder(CHAMPION) == 1
    assert len(champion_history(config)) == 1


def test_a_crash_before_the_alias_moved_leaves_the_old_champion_and_no_decision(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Registry, "give", _crash)
        with pytest.raises(WorkspaceError):
            promote(config, 2, ADA)
    assert [each.number for each in versions(config) if CHAMPION in each.aliases] == [1]
    assert [each.action for each in champion_history(config)] == ["train"]
    assert promote(config, 2, ADA).from_version == 1


def test_a_crash_after_the_alias_moved_is_told_as_the_promotion_that_it_was(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("leadlight.pipelines.promotion._finish", _crash)
        with pytest.raises(WorkspaceError):
            promote(config, 2, ADA)
    assert [each.number for each in versions(config) if CHAMPION in each.aliases] == [2]
    newest = champion_history(config)[0]
    assert (newest.action, newest.to_version, newest.mandate) == ("promote", 2, ADA)
    assert roll_back(config, ADA).to_version == 1


def _crash(*_: object) -> None:
    raise WorkspaceError("the machine lost its power")


def test_a_machine_reads_versions_and_decisions_as_json(project: SmallProject) -> None:
    ran = leadlight("versions", "-c", project.config, "--json")
    told = json.loads(ran.out)
    assert [(each["version"], each["aliases"]) for each in told["versions"]] == [
        (2, []),
        (1, ["champion"]),
    ]
    assert told["decisions"][0]["action"] == "train"
