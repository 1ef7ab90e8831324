"""The agreement on one page: a command writes it, both teams read it, data cannot break it."""

from pathlib import Path

import pandas as pd
import pytest
from command import leadlight
from small_project import make_small_project

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
