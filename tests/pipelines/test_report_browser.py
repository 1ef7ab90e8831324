"""The report in a real browser: nothing loads, nothing runs, everything is seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import report_samples as samples
from quiet_browser import chromium, opened_quietly

from leadlight.pipelines.report.page import to_html
from leadlight.pipelines.report.summary import summarize

pytestmark = pytest.mark.browser

SECTIONS = (
    "verdict", "mql", "leads", "reasons", "honesty", "lift", "sales", "leaks", "model", "data",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module", params=["everything", "hostile", "flat"])
def page_file(request, tmp_path_factory) -> Path:
    arguments = getattr(samples, request.param)()
    path = tmp_path_factory.mktemp("report") / f"{request.param}.html"
    path.write_text(to_html(summarize(**arguments)), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_quiet_and_wholly_visible(browser, page_file, scheme, width):
    with opened_quietly(browser, page_file, width, scheme) as page:
        for section in SECTIONS:
            assert page.locator(f"#{section} h2").is_visible()
        for chart in page.locator("svg.chart").all():
            box = chart.bounding_box()
            assert box is not None
            assert box["width"] > 250
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


def test_charts_follow_the_dark_scheme(browser, page_file):
    fills = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(page_file.as_uri())
        fills.append(
            page.evaluate("getComputedStyle(document.querySelector('svg.chart text')).fill")
        )
        context.close()
    assert fills == ["rgb(88, 97, 116)", "rgb(167, 176, 192)"]


def test_the_page_prints(browser, page_file):
    page = browser.new_page(viewport={"width": 690, "height": 980})
    page.goto(page_file.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 690, "wider than A4"
    assert not page.locator("nav.contents").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()
