"""The leak audit by the commands: check says it, training does without what is certain."""

import json
from pathlib import Path

import pytest
from command import leadlight
from small_project import SmallProject, make_small_project

from leadlight.pipelines.config import load_config
from leadlight.pipelines.registry import registry_of

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project whose leads have a column that is filled in when the deal is won."""
    project = make_small_project(tmp_path_factory.mktemp("leaky") / "project")
    deals = project.read("deals.csv")
    winners = set(deals.loc[deals["stage"] == "won", "lead_id"])
    leads = project.read("leads.csv")
    leads["contract"] = ["signed" if lead in winners else "" for lead in leads["lead_id"]]
    leads["colour"] = ["red" if int(lead[1:]) % 3 else "blue" for lead in leads["lead_id"]]
    project.write("leads.csv", leads)
    return project


def _with(project: SmallProject, name: str, more: str) -> Path:
    """A further configuration of the same project, with more said of its features."""
    text = project.config.read_text(encoding="utf-8")
    path = project.directory / f"{name}.yaml"
    features = f"features: {{lookback_days: [7, 30], {more}}}"
    path.write_text(text.replace("features: {lookback_days: [7, 30]}", features), encoding="utf-8")
    return path


def test_check_says_the_leak_its_evidence_its_gain_and_the_line_that_keeps_it(
    leaky: SmallProject,
) -> None:
    said = leadlight("check", "-c", leaky.config)
    assert said.code == 0, said.error
    line = next(each for each in said.out.splitlines() if "leads.contract" in each)
    assert line.startswith("LEAK: leads.contract: ")
    assert "of leads with a deal" in line
    assert "features: {include: [leads.contract]}" in line
    assert "it changes AUC by +" in line
    assert "leads.colour" not in said.out


def test_check_gives_a_machine_the_same(leaky: SmallProject) -> None:
    said = leadlight("check", "-c", leaky.config, "--json")
    (leak,) = json.loads(said.out)["leaks"]
    assert leak.keys() == {
        "table", "column", "verdict", "reason", "evidence", "auc_gain", "excluded", "config",
    }  # fmt: skip
    assert (leak["table"], leak["column"], leak["verdict"]) == ("leads", "contract", "certain")
    assert leak["excluded"] is True
    assert leak["auc_gain"] > 0.05


def test_check_without_any_closed_deal_has_nothing_to_audit(tmp_path: Path) -> None:
    project = make_small_project(tmp_path / "open", leads=60)
    project.write("deals.csv", project.read("deals.csv").assign(closed_at="", stage="open"))
    said = leadlight("check", "-c", project.config, "--json")
    assert said.code == 0, said.error
    assert json.loads(said.out)["leaks"] == []


def test_training_leaves_out_what_is_certain_and_says_so(leaky: SmallProject) -> None:
    trained = leadlight("train", "-c", leaky.config, "--json")
    assert trained.code == 0, trained.error
    story = json.loads(trained.out)
    assert [(leak["column"], leak["excluded"]) for leak in story["leaks"]] == [("contract", True)]
    profile = registry_of(load_config(leaky.config)).champion().decision.definition.profile
    assert "contract" not in {column.column for column in profile}
    assert "colour" in {column.column for column in profile}


def test_what_is_included_is_kept_although_it_is_certain(leaky: SmallProject) -> None:
    said = leadlight("check", "-c", _with(leaky, "kept", "include: [contract]"), "--json")
    (leak,) = json.loads(said.out)["leaks"]
    assert leak["verdict"] == "certain"
    assert leak["excluded"] is False
    assert leak["config"] == "features: {exclude: [leads.contract]}"


def test_a_declaration_of_an_unknown_column_is_refused_with_the_nearest(
    leaky: SmallProject,
) -> None:
    message = leadlight("check", "-c", _with(leaky, "typo", "known_when: {color: after}")).refused()
    assert "features.known_when: nothing in the data is called 'color'" in message
    assert "Did you mean 'colour'?" in message


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            "known_when: {colour: later}",
            "'later' is not known. Did you mean 'after'? Known: before, after",
        ),
        ("include: [colour], known_when: {colour: after}", "declared `after` in `known_when`"),
        ("exclude: [colour], known_when: {colour: before}", "declared `before` in `known_when`"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(
    leaky: SmallProject, more: str, words: str
) -> None:
    assert words in leadlight("check", "-c", _with(leaky, "wrong", more)).refused()
