"""A real browser that hears whatever a page says, asks or loads."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium, headless; the test is skipped where it is not installed."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with driver.sync_playwright() as playing:
        browser = playing.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened_quietly(browser: Any, file: Path, width: int, scheme: str = "light") -> Iterator[Any]:
    """Open a page that must load itself only, run nothing and fit its window."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    noises: list[str] = []
    page.on("console", lambda message: noises.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: noises.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (noises.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: noises.append(f"request: {request.url}"))
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    assert noises == [f"request: {file.as_uri()}"]
    assert page.locator("script, img, iframe").count() == 0
    scrolled = page.evaluate("document.documentElement.scrollWidth")
    assert scrolled <= width, "the page scrolls sideways"
    yield page
    context.close()
