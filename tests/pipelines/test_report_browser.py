"""The report in a real browser: nothing loads, nothing runs, everything is seen."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import report_samples as samples

from leadlight.pipelines.report.page import to_html
from leadlight.pipelines.report.summary import summarize

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECTIONS = (
    "verdict", "mql", "leads", "reasons", "honesty", "lift", "sales", "leaks", "model", "data",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module", params=["everything", "hostile", "flat"])
def page_file(request, tmp_path_factory) -> Path:
    arguments = getattr(samples, request.param)()
    path = tmp_path_factory.mktemp("report") / f"{request.param}.html"
    path.write_text(to_html(summarize(**arguments)), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_quiet_and_wholly_visible(browser, page_file, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    noises: list[str] = []
    page.on("console", lambda message: noises.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: noises.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (noises.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: noises.append(f"request: {request.url}"))
    page.goto(page_file.as_uri())
    page.wait_for_load_state("networkidle")
    assert noises == [f"request: {page_file.as_uri()}"]
    for section in SECTIONS:
        assert page.locator(f"#{section} h2").is_visible()
    for chart in page.locator("svg.chart").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["width"] > 250
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    scrolled = page.evaluate("document.documentElement.scrollWidth")
    assert scrolled <= width, "the page scrolls sideways"
    context.close()


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
