"""The card of a lead: its points, what changed, what would lift it; hostile text stays text."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from command import leadlight
from quiet_browser import chromium, opened_quietly
from report_samples import HOSTILE
from rich.console import Console
from small_project import SmallProject

from leadlight.features.catalog import feature_catalog
from leadlight.features.wording import LANGUAGES, Language, Wording, label, sentence
from leadlight.pipelines.card.kernel import LeadKernel
from leadlight.pipelines.card.lead_card import Card
from leadlight.pipelines.card.lifts import DAYS, acts_of, planned_events
from leadlight.pipelines.card.page import card_html
from leadlight.pipelines.card.standing import Reason
from leadlight.pipelines.card.terminal import lead_card
from leadlight.pipelines.config import load_config
from leadlight.pipelines.explain import explain
from leadlight.pipelines.live import LiveScores, News
from leadlight.pipelines.registry import registry_of
from leadlight.pipelines.scores import newest_partition, read_scores
from leadlight.pipelines.workspace import Workspace

EARLIER, LATER = "2025-05-20", "2025-06-10"


@pytest.fixture(scope="module")
def project(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    project = trained_small_project.copied(tmp_path_factory.mktemp("explain") / "project")
    for as_of in (EARLIER, LATER):
        assert leadlight("score", "-c", project.config, "--as-of", as_of).code == 0
    return project


@pytest.fixture(scope="module")
def scores(project: SmallProject) -> pd.DataFrame:
    partition = newest_partition(Workspace(load_config(project.config).workspace_directory))
    return read_scores(partition).to_pandas().sort_values("probability", ascending=False)


@pytest.fixture(scope="module")
def cards(project: SmallProject, scores: pd.DataFrame) -> tuple[Card, ...]:
    config = load_config(project.config)
    below = scores[~scores["mql"] & (scores["fit_percentile"] >= 0.3)]["lead_id"]
    return tuple(explain(config, lead) for lead in (scores["lead_id"].iloc[0], *below[:2]))


def test_points_and_reasons_add_up_to_what_was_scored(cards: tuple[Card, ...]) -> None:
    for card in cards:
        standing = card.standing
        assert standing is not None
        told = sum(each.part.points for each in standing.reasons)
        assert standing.average + told == standing.points
        assert (standing.points >= standing.least) == (
            card.score["probability"] >= card.thresholds[1]
        )


def test_what_changed_adds_up_between_the_two_runs(cards: tuple[Card, ...]) -> None:
    for card in cards:
        change = card.change
        if change is None:
            continue
        parts = change.events + change.ageing + change.profile + change.model
        assert parts == pytest.approx(change.after - change.before, abs=1e-6)
        assert change.model == pytest.approx(0, abs=1e-6)
        assert change.threshold == pytest.approx(0, abs=1e-6)
    assert any(card.change for card in cards)


def test_a_way_to_an_mql_is_true_for_the_serving_path_too(
    project: SmallProject, cards: tuple[Card, ...]
) -> None:
    config = load_config(project.config)
    decision = registry_of(config).champion().decision
    lifted = [card for card in cards if card.what_lifts]
    assert lifted
    with LiveScores(config) as live:
        for card in lifted:
            assert card.what_lifts is not None
            lead, as_of = card.score["lead_id"], card.score["as_of"]
            with LeadKernel(config, lead) as kernel:
                acts = acts_of(kernel, decision, as_of)
                for way in (*card.what_lifts.ways, card.what_lifts.closest):
                    taken = [acts[kind] for kind, times in way.plan for _ in range(times)]
                    planned = planned_events(kernel, decision, taken, acts, as_of).to_pylist()
                    for event in planned:
                        event["occurred_at"] = event["occurred_at"].isoformat()
                    said = live.score(
                        News({"lead_id": lead}, events=planned), as_of + timedelta(days=DAYS)
                    )
                    assert said["probability"] == pytest.approx(way.probability, abs=1e-9)
                    assert said["mql"] == way.mql


def test_copies_of_a_lead_have_the_features_of_the_lead(
    project: SmallProject, cards: tuple[Card, ...]
) -> None:
    config = load_config(project.config)
    decision = registry_of(config).champion().decision
    as_of = cards[0].score["as_of"]
    with LeadKernel(config, cards[0].score["lead_id"]) as kernel:
        alone = kernel.frame(decision, kernel.tables, as_of)
        nothing = kernel.tables["events"].slice(0, 0)
        copies = kernel.frames(decision, [nothing] * 3, as_of)
    for name in decision.compiled.features:
        for at in range(3):
            pd.testing.assert_series_equal(
                alone[name], copies[name].iloc[at : at + 1], check_index=False
            )


def test_no_raw_name_reaches_a_marketer(project: SmallProject) -> None:
    champion = registry_of(load_config(project.config)).champion()
    for language in LANGUAGES:
        wording = Wording(language, (("seats", "Paid seats"),))
        for feature in feature_catalog(champion.decision.definition):
            value = "a value" if feature.kind == "category" else 1.0
            for told in (label(feature, wording), sentence(feature, value, wording)):
                assert feature.name not in told or "_" not in feature.name
                assert "_" not in told
                if feature.subject == "seats":
                    assert told.startswith("Paid seats")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_speaks_each_language(
    project: SmallProject, cards: tuple[Card, ...], language: Language
) -> None:
    config = load_config(project.config).model_copy(update={"language": language})
    card = explain(config, cards[0].score["lead_id"])
    wording = Wording(language)
    assert card.lifts == (wording.say("card.is_mql"),)
    page = card_html(card)
    assert f'<html lang="{language}">' in page
    assert wording.say("card.timeline") in page


def hostile(card: Card) -> Card:
    """Put hostile text wherever a card shows what came from data."""
    standing = card.standing
    assert standing is not None
    reasons = tuple(
        Reason(each.part, HOSTILE[at % len(HOSTILE)]) for at, each in enumerate(standing.reasons)
    )
    days = ((card.days or ((datetime(2025, 1, 1, tzinfo=UTC).date(), ()),))[0][0], ())
    return replace(
        card,
        score={**card.score, "lead_id": HOSTILE[0]},
        standing=replace(standing, reasons=reasons),
        days=((days[0], tuple((text, 1) for text in HOSTILE)),),
        history=[
            {"as_of": card.score["as_of"], "from_state": "lead", "to_state": "mql", "why": text}
            for text in HOSTILE
        ],
        changed=HOSTILE,
        lifts=HOSTILE,
        sure=HOSTILE,
        definition=HOSTILE[1],
    )


def test_hostile_text_is_text_on_a_terminal(cards: tuple[Card, ...]) -> None:
    console = Console(width=120, force_terminal=True, color_system=None, record=True)
    evil = replace(hostile(cards[0]), definition="\x1b[2J\x1b]0;owned\x07 [red]not red[/red]")
    with console.capture() as shown:
        console.print(lead_card(evil))
    text = shown.get()
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]not red[/red]" in text


@pytest.fixture(scope="module")
def page_files(cards: tuple[Card, ...], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("cards")
    files = []
    for name, card in (("card", cards[1]), ("hostile", hostile(cards[0]))):
        file = folder / f"{name}.html"
        file.write_text(card_html(card), encoding="utf-8")
        files.append(file)
    return files


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_quiet_and_wholly_visible(page_files: list[Path], width: int) -> None:
    with chromium() as browser:
        for file in page_files:
            with opened_quietly(browser, file, width) as page:
                charts = page.locator("svg.chart").all()
                assert len(charts) == 2
                assert all(
                    (chart.bounding_box() or {"width": 0})["width"] > 250 for chart in charts
                )
                if file.stem == "hostile":
                    assert "</script><script>alert(1)</script>" in page.locator("h1").inner_text()
