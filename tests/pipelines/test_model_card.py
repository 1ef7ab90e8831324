"""The model card: what it holds, and that text from the data stays text in both forms."""

import re
from html.parser import HTMLParser

import pytest
import report_samples as samples
from markdown_it import MarkdownIt

from leadlight.pipelines.report.model_card import ModelCard, model_card
from leadlight.pipelines.report.model_card_text import card_html, card_markdown
from leadlight.pipelines.report.summary import summarize_training

ENVIRONMENT = {"python": "3.12.1", "numpy": "2.4.0"}


def card_of(story) -> ModelCard:
    return model_card(story, summarize_training(story, floors=samples.FLOORS), ENVIRONMENT)


class Text(HTMLParser):
    """Elements and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.parts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())


def _hostile_story():
    hostile = samples.hostile()
    parts = {key: hostile[key] for key in hostile if key not in {"floors", "scores"}}
    return samples.story() | parts | {"metadata": samples.story()["metadata"] | {
        "project": samples.HOSTILE[0]}}  # fmt: skip


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return card_of(samples.story())


def _as_html(markdown: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(markdown)


@pytest.mark.parametrize("write", [card_html, lambda card: _as_html(card_markdown(card))])
def test_both_forms_say_the_same(card, write):
    text = Text(write(card)).text
    for section in card.sections:
        assert section.heading in text
        for sentence in section.sentences:
            assert " ".join(sentence.split()) in text
        for row in section.table.rows if section.table else ():
            for cell in row:
                assert cell in text


def test_the_card_holds_figures_use_leaks_environment_and_hashes(card):
    sections = {section.heading: section for section in card.sections}
    assert any("Not meant for" in sentence for sentence in sections["Use"].sentences)
    assert ("AUC", "0.831", "0.817 to 0.845") in {row[:3] for row in sections["Figures"].table.rows}
    (leak,) = [row for row in sections["Leak audit"].table.rows if row[0] == "leads.lead_status"]
    assert leak[1:3] == ("suspect", "yes")
    assert leak[3].endswith("it changes the AUC by +0.047.")
    assert leak[4] == "features: {exclude: [lead_status]}"
    assert ("numpy", "2.4.0") in sections["Environment"].table.rows
    assert f"SHA-256 of the data: {64 * 'a'}" in sections["Environment"].sentences
    assert any(
        "floor" in s or "lowest 20%" in s for s in sections["What counts as an MQL"].sentences
    )


def test_the_html_card_needs_nothing_and_runs_nothing():
    page = Text(card_html(card_of(_hostile_story())))
    assert not page.tags & {"script", "img", "iframe", "link", "object", "a", "b"}
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"src", "href"})


@pytest.mark.parametrize("write", [card_html, lambda card: _as_html(card_markdown(card))])
def test_hostile_text_stays_text(write):
    page = Text(write(card_of(_hostile_story())))
    for text in samples.HOSTILE[:6]:
        assert text in page.text
    assert "script" not in page.tags
    assert not page.tags & {"img", "b"}


@pytest.mark.parametrize(
    "text",
    ["# no heading", "- no list", "1. no list", "a | b", "*no* _stress_", "`code`", "[a](http://b)",
     "![a](b)", "&lt;b&gt;", "<b>", "---", "+ no", "\\*", "~~no~~", "=== no"],
)  # fmt: skip
def test_markdown_of_the_data_is_shown_as_it_is(text):
    story = samples.story() | {"notes": [text]}
    page = Text(_as_html(card_markdown(card_of(story))))
    assert text in page.text
    assert not page.tags & {"em", "strong", "code", "a", "img", "b", "hr", "ol", "s"}


def test_an_old_story_has_a_card_without_the_sections_that_it_lacks():
    new = {"blend", "recency", "ceiling", "tried", "segments", "feedback", "leaks"}
    story = {key: value for key, value in samples.story().items() if key not in new}
    headings = [section.heading for section in card_of(story).sections]
    assert "Figures" in headings
    assert not {"Leak audit", "Decisions of sales", "Calibration by segment"} & set(headings)


def test_the_same_training_gives_the_same_bytes(card):
    assert card_html(card) == card_html(card_of(samples.story()))
    assert card_markdown(card) == card_markdown(card_of(samples.story()))
    assert not re.search(r"\bNone\b|\bnan\b", card_markdown(card))
