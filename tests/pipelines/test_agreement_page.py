"""The agreement on one page: a command writes it, both teams read it, data cannot break it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from command import leadlight
from small_project import make_small_project

from leadlight.models.agreement import Standing, review
from leadlight.models.bootstrap import Estimate
from leadlight.pipelines.agreement import AgreementFacts
from leadlight.pipelines.definitions import Definition
from leadlight.pipelines.report.agreement import agreement_page
from leadlight.pipelines.report.model_card_text import card_html

HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    project = make_small_project(tmp_path_factory.mktemp("agreement"))
    won = project.read("deals.csv")
    judged = pd.DataFrame(
        {
            "lead_id": won["lead_id"],
            "decided_at": won["opened_at"],
            "accepted": ["no" if index % 10 else "yes" for index in range(len(won))],
            "reason": ["No budget" if index % 10 else "" for index in range(len(won))],
        }
    )
    project.write("feedback.csv", judged)
    project.configure("  outcomes:", "  feedback: {path: feedback.csv}\n  outcomes:")
    project.configure("share: 0.2}", "share: 0.2, owner: Revenue team}")
    early = leadlight("report", "--definition", "-c", project.config)
    assert "Train first" in early.refused()
    assert leadlight("train", "-c", project.config).code == 0
    for as_of in ("2025-02-01", "2025-03-15", "2025-06-24"):
        assert leadlight("score", "--as-of", as_of, "-c", project.config).code == 0
    ran = leadlight("report", "--definition", "-c", project.config)
    assert ran.code == 0, ran.error
    path = Path(ran.out.strip())
    assert path.name == "definition.html"
    return path.read_text(encoding="utf-8")


def test_the_page_says_what_holds_who_answers_and_when_it_is_looked_at_again(page: str) -> None:
    for told in (
        "A lead is an MQL if its probability to be won within 60 days is at least",
        "Answers for it: Revenue team.",
        "To be reviewed on",
        "A review is due: acceptance.",
        "Reasons of rejections in the last 180 days: No budget (",
        "Moves are known since 2025-02-01",
        "Of the MQLs whose horizon is over",
    ):
        assert told in page
    assert page.count("2025-02") > 1


def test_the_page_needs_nothing_and_runs_nothing(page: str) -> None:
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_hostile_words_are_text() -> None:
    definition = Definition(
        number=1,
        decision_version=1,
        policy={},
        floors={},
        threshold=0.5,
        words=HOSTILE,
        author=HOSTILE,
        reason=HOSTILE,
        owner=HOSTILE,
        decided_at=datetime(2026, 1, 1, tzinfo=UTC),
        review_on=date(2026, 6, 1),
        base_rate=None,
        mqls_per_week=None,
        precision=None,
    )
    nothing = Estimate(float("nan"), float("nan"), float("nan"))
    standing = Standing(
        date(2026, 2, 1), date(2026, 6, 1), None, nothing, nothing, 0.5, None, None, nothing
    )
    facts = AgreementFacts([definition], [], standing, review(standing), [(HOSTILE, 3)], None)
    html = card_html(agreement_page(facts, HOSTILE), "agreement")
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 5
