"""The smaller pages in a real browser: hostile text of the data is shown, and runs nothing."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import report_samples as samples
from quiet_browser import chromium, opened_quietly

from leadlight.models.agreement import Standing, review
from leadlight.models.alarms import Alarm
from leadlight.models.bootstrap import Estimate
from leadlight.models.estimated_performance import EstimatedPerformance
from leadlight.models.feature_drift import FeatureDrift
from leadlight.pipelines.agreement import AgreementFacts
from leadlight.pipelines.definitions import Definition
from leadlight.pipelines.monitor import Monitored, StreamState
from leadlight.pipelines.report.agreement import agreement_page
from leadlight.pipelines.report.model_card import model_card
from leadlight.pipelines.report.model_card_text import card_html
from leadlight.pipelines.report.page import render
from leadlight.pipelines.report.summary import summarize_training

NOTHING = Estimate(float("nan"), float("nan"), float("nan"))


def agreement_html() -> str:
    definitions = [
        Definition(
            number=number,
            decision_version=number,
            policy={},
            floors={},
            threshold=0.5,
            words=text,
            author=text,
            reason=text,
            owner=text,
            decided_at=datetime(2026, 1, number, tzinfo=UTC),
            review_on=date(2026, 6, 1),
            base_rate=None,
            mqls_per_week=None,
            precision=None,
        )
        for number, text in enumerate(samples.HOSTILE, start=1)
    ]
    standing = Standing(
        date(2026, 2, 1), date(2026, 6, 1), None, NOTHING, NOTHING, 0.5, None, None, NOTHING
    )
    rejections = [(text, 3) for text in samples.HOSTILE]
    facts = AgreementFacts(definitions, [], standing, review(standing), rejections, None)
    return card_html(agreement_page(facts, samples.HOSTILE[0]), "agreement")


def monitor_html() -> str:
    performance = EstimatedPerformance(100, 10, 0.1, 0.3, 0.5, 0.8)
    texts = samples.HOSTILE
    told = Monitored(
        project=texts[0],
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
        decision_version=1,
        alarms=tuple(
            Alarm("feature drift", t, "act", t, "Leads moved.", "Look.", (t,)) for t in texts
        ),
        looks=9,
        drifts=tuple(FeatureDrift(t, t, 0.3, 0.1, 0.01, t, 0.2, 0.4, t) for t in texts),
        streams=tuple(StreamState(t, date(2026, 1, 1), 1, 7, 7.0) for t in texts),
        estimated=performance,
        promised=performance,
        conversion=None,
        notes=texts,
    )
    return render("monitor.html", told=told)


def model_card_html() -> str:
    hostile = samples.hostile()
    parts = {key: hostile[key] for key in hostile if key not in {"floors", "scores", "metadata"}}
    story = samples.story() | parts
    story["metadata"] = story["metadata"] | {"project": samples.HOSTILE[0]}
    return card_html(model_card(story, summarize_training(story), {"python": samples.HOSTILE[1]}))


PAGES = {"agreement": agreement_html, "monitor": monitor_html, "model card": model_card_html}


@pytest.mark.browser
def test_hostile_text_is_shown_as_text_and_runs_nothing(tmp_path: Path) -> None:
    with chromium() as browser:
        for name, written in PAGES.items():
            file = tmp_path / f"{name}.html"
            file.write_text(written(), encoding="utf-8")
            for width in (1280, 360):
                with opened_quietly(browser, file, width) as page:
                    shown = " ".join(page.locator("body").inner_text().split())
                    for text in samples.HOSTILE[:6]:
                        assert text in shown, name
