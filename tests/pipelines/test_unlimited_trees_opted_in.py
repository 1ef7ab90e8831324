"""Who opts into unlimited trees gets them where they foretell better, and is told of reasons."""

import json
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_project import SmallProject
from typer.testing import CliRunner, Result

from leadlight.models.decision import DecisionVersion
from leadlight.pipelines.cli import app
from leadlight.pipelines.config import load_config
from leadlight.pipelines.registry import registry_of
from leadlight.pipelines.report.model_card import model_card
from leadlight.pipelines.report.model_card_text import card_markdown
from leadlight.pipelines.report.summary import summarize_training
from leadlight.pipelines.scores import newest_partition, read_scores
from leadlight.pipelines.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")

OPT_IN = "model: {unlimited_trees: true}\n"
CONFIG = """\
project: together
sources: {leads: {path: leads.csv, won: "converted = '1'"}}
mql: {policy: top_share, share: 0.2}
"""
SIGNALS = ("calls", "forms", "visits", "seats", "opens", "talks")


def _run(project: SmallProject, command: str, *more: str) -> Result:
    # In this process: the libraries are imported once.
    return CliRunner().invoke(
        app, [command, *more, "-c", str(project.config)], env={"COLUMNS": "300"}
    )


def _said(result: Result) -> str:
    return " ".join(result.output.replace("│", " ").split())


def _make(directory: Path, rows: int = 4000) -> SmallProject:
    """Write leads of whom each three signals together tell what no two of them do."""
    generator = np.random.default_rng(4)
    signals = generator.integers(0, 2, (rows, len(SIGNALS)))
    sides = 2.0 * signals - 1.0
    odds = 0.8 * sides[:, 0] - 0.5
    for at, some in enumerate(combinations(range(len(SIGNALS)), 3)):
        odds += (0.6 if at % 3 else -0.6) * sides[:, some].prod(axis=1)
    won = generator.random(rows) < 1.0 / (1.0 + np.exp(-odds))
    table = pd.DataFrame(signals.astype(str), columns=list(SIGNALS))
    table.insert(0, "lead_id", [f"L{at}" for at in range(rows)])
    table["converted"] = won.astype(int).astype(str)
    directory.mkdir(parents=True)
    project = SmallProject(directory)
    project.write("leads.csv", table)
    project.config.write_text(CONFIG + OPT_IN, encoding="utf-8")
    return project


@dataclass(frozen=True)
class _Opted:
    project: SmallProject
    trained: Result
    scored: Result
    decision: DecisionVersion
    card: dict[str, Any]


@pytest.fixture(scope="module")
def opted(tmp_path_factory: pytest.TempPathFactory) -> _Opted:
    project = _make(tmp_path_factory.mktemp("trees") / "project")
    trained = _run(project, "train")
    assert trained.exit_code == 0, trained.output
    scored = _run(project, "score")
    assert scored.exit_code == 0, scored.output
    card = json.loads(_run(project, "explain", "L7", "--json").stdout)
    decision = registry_of(load_config(project.config)).champion().decision
    return _Opted(project, trained, scored, decision, card)


def test_unlimited_trees_take_part_where_they_foretell_better(opted: _Opted) -> None:
    story = registry_of(load_config(opted.project.config)).champion().training
    weights = {each["name"]: each["weight"] for each in story["blend"]}
    losses = {each["name"]: each["log_loss"] for each in story["candidates"]}
    assert weights["unlimited_trees"] > 0.0
    assert losses["unlimited_trees"]["high"] < losses["boosted_pairs"]["value"]
    assert story["ceiling"] is None  # they are no comparison any more
    assert opted.decision.compiled.trees is not None


def test_a_card_adds_up_and_says_that_its_reasons_are_fair_shares(opted: _Opted) -> None:
    card = opted.card
    assert card["reasons_are"] == "shapley_values"
    assert len([each for each in card["reasons"] if each["points"]]) > 3
    told = sum(each["points"] for each in card["reasons"])
    assert card["average_points"] + told == card["points"]
    assert "a Shapley value, a fair share" in _said(_run(opted.project, "explain", "L7"))
    page = opted.project.directory / "card.html"
    for language, words in (("de", "ein Shapley-Wert"), ("es", "un valor de Shapley")):
        opted.project.configure(OPT_IN, OPT_IN + f"language: {language}\n")
        assert _run(opted.project, "explain", "L7", "--html", str(page)).exit_code == 0
        assert words in page.read_text(encoding="utf-8")
        opted.project.configure(f"language: {language}\n", "")


def test_the_same_value_counts_more_for_one_lead_than_for_another(opted: _Opted) -> None:
    other = json.loads(_run(opted.project, "explain", "L8", "--json").stdout)
    mine, theirs = (
        {each["sentence"]: each["log_odds"] for each in card["reasons"]}
        for card in (opted.card, other)
    )
    same = mine.keys() & theirs.keys()
    assert same
    assert all(abs(mine[each] - theirs[each]) > 1e-6 for each in same)


def test_the_nightly_scores_have_the_cards_probability(opted: _Opted) -> None:
    partition = newest_partition(Workspace(load_config(opted.project.config).workspace_directory))
    scores = read_scores(partition).to_pandas().set_index("lead_id")
    assert scores.loc["L7", "probability"] == opted.card["probability"]
    assert scores["reasons_for"].str.len().max() == 3


def test_report_and_model_card_say_what_reasons_are(opted: _Opted) -> None:
    page = Path(_run(opted.project, "report").stdout.strip()).read_text(encoding="utf-8")
    assert page.count("The points of a reason are a Shapley value, a fair share") == 2
    assert "trees that join any number of signals" in page
    assert "whose reasons cannot be told exactly" not in page
    champion = registry_of(load_config(opted.project.config)).champion()
    card = card_markdown(model_card(champion.training, summarize_training(champion.training), {}))
    assert "The points of a reason are a Shapley value, a fair share" in card
    assert "each reason is exact" not in card


@pytest.mark.parametrize("export", ["--sql", "--json"])
def test_what_cannot_carry_them_says_so_and_what_to_do(opted: _Opted, export: str) -> None:
    refused = _run(opted.project, "export", export)
    assert refused.exit_code not in {0, None}
    said = " ".join(str(refused.exception).split()) + _said(refused)
    assert f"export {export}: this model holds unlimited trees" in said
    assert "model: {unlimited_trees: false}" in said
    assert not refused.stdout


def test_the_points_card_is_distilled_from_them_too(opted: _Opted) -> None:
    card = opted.project.directory / "card.csv"
    ran = _run(opted.project, "export", "--card", str(card))
    assert ran.exit_code == 0, ran.output
    assert "An MQL from this sum of points" in card.read_text(encoding="utf-8")


def test_without_the_opt_in_they_are_a_ceiling_and_reasons_are_exact_parts(opted: _Opted) -> None:
    opted.project.configure(OPT_IN, "")
    ran = _run(opted.project, "train")
    assert ran.exit_code == 0, ran.output
    champion = registry_of(load_config(opted.project.config)).champion()
    assert champion.decision.compiled.trees is None
    assert champion.decision.reasons_are == "exact_parts"
    assert champion.training["ceiling"]["log_loss"]["value"] < champion.training["ceiling"]["blend"]
    assert _run(opted.project, "export", "--json").exit_code == 0
    opted.project.configure("mql:", f"{OPT_IN}mql:")
