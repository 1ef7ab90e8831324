"""Rules only: with a handful of wins a project starts all the same, and says what it is."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from small_project import SmallProject, make_small_project
from typer.testing import CliRunner, Result

from leadlight.features.errors import ModelNotFoundError
from leadlight.pipelines.cli import app
from leadlight.pipelines.config import load_config
from leadlight.pipelines.live import LiveScores, News
from leadlight.pipelines.promotion import champion_history
from leadlight.pipelines.registry import CHAMPION, registry_of

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")

EARLY = "observed_until: 2024-05-20, won: "
SHARE, PROMISE = "{policy: top_share, share: 0.2}", "{policy: precision, precision: 0.3}"


def _run(project: SmallProject, command: str, *more: str) -> Result:
    # In this process: the libraries are imported once.
    return CliRunner().invoke(
        app, [command, *more, "-c", str(project.config)], env={"COLUMNS": "200"}
    )


def _said(result: Result) -> str:
    return " ".join(result.output.split())


@dataclass(frozen=True)
class _Started:
    """A project of eleven wins, and what each command said of it."""

    project: SmallProject
    promised: Result
    trained: Result
    scored: Result
    scores: pd.DataFrame
    card: str
    delivered: Result
    too_early: Result


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> _Started:
    project = make_small_project(tmp_path_factory.mktemp("rules") / "project")
    project.configure("won: ", EARLY)
    project.configure(SHARE, PROMISE)
    promised = _run(project, "train")
    with pytest.raises(ModelNotFoundError):
        registry_of(load_config(project.config)).champion()
    project.configure(PROMISE, SHARE)
    trained = _run(project, "train")
    scored = _run(project, "score")
    assert scored.exit_code == 0, scored.output
    (partition,) = (project.directory / "workspace" / "scores").iterdir()
    scores = pd.concat(pq.read_table(part).to_pandas() for part in partition.glob("*.parquet"))
    path = project.directory / "card.md"
    assert _run(project, "export", "--card", str(path)).exit_code == 0
    card = path.read_text(encoding="utf-8")
    sinks = "delivery: {sinks: [{name: sheet, kind: csv, path: scores.csv}]}"
    project.configure("project: small\n", f"project: small\n{sinks}\n")
    delivered = _run(project, "deliver")
    project.configure("2024-05-20", "2024-05-21")
    too_early = _run(project, "retrain")
    return _Started(project, promised, trained, scored, scores, card, delivered, too_early)


@pytest.fixture(scope="module")
def grown(started: _Started) -> Result:
    """The same project when its wins were known, retrained."""
    started.project.configure("observed_until: 2024-05-21, ", "")
    return _run(started.project, "retrain")


def test_with_too_few_wins_train_starts_with_rules_and_says_that_they_are_not_calibrated(
    started: _Started,
) -> None:
    assert started.trained.exit_code == 0, started.trained.output
    said = _said(started.trained)
    assert "Rules only, not calibrated: only 11 wins among 254 mature snapshots" in said
    assert "Visits to the pricing page so far: at least 1 │ +1" in said
    assert "log loss" not in said, "no figure of a probability that promises nothing"


def test_a_promise_is_refused_and_nothing_is_registered(started: _Started) -> None:
    assert started.promised.exit_code == 1
    said = _said(started.promised)
    assert "the MQL policy is precision, and a rules-only start cannot promise it" in said
    assert "policy: top_share" in said
    version = registry_of(load_config(started.project.config)).version(1)
    assert version.decision.threshold.policy["policy"] == "top_share"


def test_what_if_is_refused_the_same_promise(started: _Started) -> None:
    asked = _run(started.project, "threshold", "--policy", "precision", "--precision", "0.3")
    assert asked.exit_code == 1
    assert "cannot promise it" in _said(asked)
    asked = _run(started.project, "threshold", "--policy", "top_share", "--share", "0.1")
    assert asked.exit_code == 0


def test_an_engaged_lead_comes_before_a_silent_one(started: _Started) -> None:
    events, scores = started.project.read("events.csv"), started.scores
    pricing = events[events["detail"] == "/pricing"].groupby("lead_id")["occurred_at"]
    seen = pricing.agg(["max", "size"])
    lately = seen[(seen["size"] >= 3) & (seen["max"] >= "2025-05-10")]
    keen = scores[scores["lead_id"].isin(lately.index)]
    silent = scores[~scores["lead_id"].isin(events["lead_id"])]
    assert len(keen) > 5
    assert len(silent) > 5
    assert keen["probability"].min() > silent["probability"].max()
    assert keen["mql"].mean() > 5 * scores["mql"].mean()
    assert not silent["mql"].any()
    assert 0.03 < scores["mql"].mean() < 0.2


def test_whoever_reads_of_the_scores_is_told(started: _Started) -> None:
    project = started.project
    assert "Rules only, not calibrated" in _said(started.scored)
    lead = started.scores["lead_id"].iloc[0]
    card = json.loads(_run(project, "explain", lead, "--json").stdout)
    assert "not calibrated" in card["definition"]
    assert "not calibrated" in card["sure"][0]
    assert card["certainty"] is None
    assert (
        sum(each["points"] for each in card["reasons"]) == card["points"] - card["average_points"]
    )
    page = Path(_run(project, "report").stdout.strip()).read_text(encoding="utf-8")
    assert "Rules only, not calibrated" in page
    assert "Nothing is promised: the rules are not calibrated." in page
    assert "not calibrated" in _said(_run(project, "versions"))
    with LiveScores(load_config(project.config)) as live:
        answer = live.score(News({"lead_id": lead}), datetime(2025, 6, 24, tzinfo=UTC))
    assert "not calibrated" in answer["uncalibrated"]
    assert "-- Rules only, not calibrated" in _run(project, "export", "--sql").stdout
    assert "not calibrated" in json.loads(_run(project, "export", "--json").stdout)["uncalibrated"]


def test_the_scores_are_delivered_with_a_word_of_what_they_are(started: _Started) -> None:
    assert started.delivered.exit_code == 0, started.delivered.output
    said = _said(started.delivered)
    assert f"sheet: {len(started.scores)} changes delivered" in said
    assert "Of these scores: Rules only, not calibrated" in said
    sent = started.project.read("scores.csv")
    assert set(sent["lead_id"]) == set(started.scores["lead_id"])


def test_its_points_card_is_the_rules_themselves(started: _Started) -> None:
    assert "| Visits to the pricing page so far: at least 1 | +1 |" in started.card
    assert "The two agree on 100.0% of leads" in started.card
    assert "not calibrated" in started.card


def test_while_it_is_too_early_a_retraining_keeps_the_rules(started: _Started) -> None:
    assert started.too_early.exit_code == 4, started.too_early.output
    assert "It is too early, and the rules stay: only 11 wins" in _said(started.too_early)


def test_the_first_model_that_passes_the_gate_replaces_them_and_the_reason_is_kept(
    grown: Result, started: _Started
) -> None:
    assert grown.exit_code == 0, grown.output
    config = load_config(started.project.config)
    registry = registry_of(config)
    assert registry.holder(CHAMPION) == 2
    assert registry.champion().decision.uncalibrated is None
    promoted, kept, trained = champion_history(config)
    assert (promoted.action, promoted.from_version) == ("promote", 1)
    assert "log loss is" in promoted.mandate.reason
    assert "replaces the rules-only start 1" in promoted.mandate.reason
    assert (kept.action, trained.action) == ("keep", "train")
    assert trained.mandate.reason.startswith("leadlight train. Rules only, not calibrated")


def test_rules_never_replace_a_trained_model(grown: Result, started: _Started) -> None:
    assert grown.exit_code == 0
    started.project.configure("won: ", EARLY)
    refused = _run(started.project, "train")
    assert refused.exit_code == 1
    assert "only 11 wins" in _said(refused)
    assert registry_of(load_config(started.project.config)).holder(CHAMPION) == 2
