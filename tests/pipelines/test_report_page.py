"""The page: self-contained, escaped, accessible, and the same bytes each time.

``tests/golden/report.html`` is the page of ``report_samples.everything()`` with the insides of the
charts left out (``test_report_charts`` looks at those). After a wanted change write it anew with
``LEADLIGHT_UPDATE_GOLDEN=1 python -m pytest tests/pipelines/test_report_page.py`` and read the
difference.
"""

import os
import re
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
import report_samples as samples

from leadlight.pipelines.report.chart import PALETTE
from leadlight.pipelines.report.page import to_html
from leadlight.pipelines.report.summary import summarize

GOLDEN = Path(__file__).parents[1] / "golden" / "report.html"
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Elements of a page in order, with the text of each."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def full() -> str:
    return to_html(summarize(**samples.everything()))


@pytest.fixture(scope="module")
def hostile() -> str:
    return to_html(summarize(**samples.hostile()))


def test_the_page_is_the_one_that_was_agreed(full):
    hulls = re.sub(r"(<svg [^>]*role=\"img\"[^>]*>).*?</svg>", r"\1</svg>", full, flags=re.DOTALL)
    if os.environ.get("LEADLIGHT_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(hulls, encoding="utf-8")
    assert hulls == GOLDEN.read_text(encoding="utf-8"), (
        "The page changed. If that is wanted, run with LEADLIGHT_UPDATE_GOLDEN=1."
    )


def test_the_same_summary_gives_the_same_bytes(full):
    assert to_html(summarize(**samples.everything())) == full


def test_the_page_needs_no_network_and_runs_nothing(full, hostile):
    for html in (full, hostile):
        page = Page(html)
        assert not page.all("script", "iframe", "object", "embed", "link", "img", "image", "base")
        policies = [m["content"] for m in page.all("meta") if "http-equiv" in m]
        assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
        for tag, attributes in page.elements:
            for name, value in attributes.items():
                assert not name.startswith("on"), (tag, name)
                assert name not in {"src", "srcset", "xlink:href", "action", "data"}
                if name == "href":
                    assert value.startswith("#")
                if name != "xmlns" and not name.startswith(("title", "aria")):
                    assert "//" not in (value or "")
        style = html.split("<style>")[1].split("</style>")[0]
        assert not re.search(r"url\(|@import|@font-face|expression", style)


def test_hostile_text_is_shown_as_text(hostile):
    page = Page(hostile)
    for text in samples.HOSTILE[:6]:
        assert text in page.text
    assert "null bell lone end" in page.text
    assert "{{ 7*7 }}" in page.text


def test_hostile_text_adds_no_element(hostile, full):
    names = {tag for tag, _ in Page(hostile).elements}
    assert names == {tag for tag, _ in Page(full).elements}


def test_foreign_text_is_isolated_from_its_surroundings(hostile):
    for override in re.finditer("\u202e", hostile):
        before = hostile[: override.start()]
        in_attribute = before.rfind('="') > before.rfind(">")
        in_text = before.rfind("<text") > before.rfind("</text>")
        isolated = before.rfind("<bdi") > before.rfind("</bdi>")
        assert in_attribute or in_text or isolated


def test_ten_thousand_characters_are_cut_and_the_title_holds_more(hostile):
    page = Page(hostile)
    assert "long " * 100 not in page.text
    titles = [attributes["title"] for attributes in page.all("bdi") if "title" in attributes]
    assert any(title.startswith("long long") for title in titles)
    assert max(map(len, titles)) <= 500
    assert len(hostile) < 200_000


def test_headings_descend_without_a_gap(full):
    levels = [int(tag[1]) for tag, _ in Page(full).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_heads_have_scopes(full):
    page = Page(full)
    assert len(page.all("table")) == len(page.all("caption")) > 8
    assert all(head.get("scope") in {"col", "row"} for head in page.all("th"))


def test_every_picture_is_described_or_decoration(full):
    pictures = Page(full).all("svg")
    assert len(pictures) == 11
    for picture in pictures:
        assert picture.get("aria-hidden") == "true" or (
            picture.get("role") == "img" and picture.get("aria-label")
        )


def test_ids_are_unique_and_every_inner_link_leads_somewhere(full):
    page = Page(full)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"][1:] for attributes in page.all("a")} <= set(ids)
    assert page.all("html")[0]["lang"] == "en"


def test_a_flat_table_before_scoring_says_what_is_missing_and_shows_no_empty_chart():
    html = to_html(summarize(**samples.flat()))
    page = Page(html)
    assert "No leads have been scored with this version yet" in page.text
    assert "unknown a week: the data has no dates" in page.text
    assert "Scores as of" not in page.text
    assert "Horizon" not in page.text
    assert html.count('role="img"') == 4


def test_the_barest_report_still_says_what_each_part_lacks():
    bare = samples.evaluation() | {"reliability": [], "lift_curve": []}
    summary = summarize(metadata=samples.METADATA, evaluation=bare)
    page = Page(to_html(summary))
    for sentence in summary["absent"].values():
        assert sentence in page.text
    assert 'role="img"' not in to_html(summary)


def test_what_each_value_adds_is_told_in_points_with_the_leads_that_have_it(full):
    text = Page(full).text
    assert "2 to 4 11.8 9.4 14.2 24% 19% 28% 1,100" in text
    assert "Seniority unknown −4.9 −4.9 −4.9 3.7% 3% 4.4% 5,100" in text


def test_an_older_version_says_that_its_shapes_were_not_kept():
    older = samples.everything() | {"shapes": ()}
    text = Page(to_html(summarize(**older))).text
    assert "What single values add was not kept with this version." in text


def test_a_version_of_unknown_figures_shows_dashes():
    evaluation = samples.evaluation()
    nothing = {"value": None, "low": None, "high": None}
    for key, value in evaluation.items():
        if isinstance(value, dict):
            evaluation[key] = nothing
    choice = samples.threshold() | {"precision": nothing, "recall": nothing, "lift": None}
    arguments = samples.everything() | {"evaluation": evaluation, "threshold": choice}
    text = Page(to_html(summarize(**arguments))).text
    assert "None" not in text
    assert "nan" not in text.lower().split()


def _variables(block: str) -> dict[str, str]:
    return dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]{6})", block))


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_have_enough_contrast_in_light_and_dark():
    css = (files("leadlight.pipelines.report") / "templates" / "report.css").read_text("utf-8")
    light, dark = (_variables(block.split("}")[0]) for block in css.split(":root {")[1:3])
    assert set(light) == set(dark)
    for scheme in (light, dark):
        for ground in ("--paper", "--wash"):
            for text in ("--ink", "--muted", "--link", "--good-text", "--bad-text"):
                assert _contrast(scheme[text], scheme[ground]) >= 4.5, (text, ground)
        for shape in ("--fit", "--engagement", "--score", "--good", "--bad", "--quiet"):
            assert _contrast(scheme[shape], scheme["--paper"]) >= 3, shape
        assert _contrast(scheme["--paper"], scheme["--score"]) >= 4.5
    assert {name: colour for colour, name in PALETTE.items()}.items() <= light.items()
