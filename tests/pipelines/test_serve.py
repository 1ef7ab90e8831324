"""The scoring service: the nightly job's answer for one lead, and nothing for strangers."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from command import leadlight
from fastapi.testclient import TestClient
from small_project import SmallProject, make_small_project

from leadlight.features.errors import ConfigError
from leadlight.pipelines.config import load_config
from leadlight.pipelines.live import LiveScores
from leadlight.pipelines.serve import application, token_for

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105


@pytest.fixture(scope="module")
def project(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    project = trained_small_project.copied(tmp_path_factory.mktemp("serve") / "project")
    assert leadlight("score", "-c", project.config).code == 0
    return project


@pytest.fixture(scope="module")
def scores(project: SmallProject) -> Iterator[LiveScores]:
    with LiveScores(load_config(project.config)) as scores:
        yield scores


@pytest.fixture(scope="module")
def service(scores: LiveScores) -> Iterator[TestClient]:
    with TestClient(application(scores, None)) as client:
        yield client


def nightly(project: SmallProject) -> list[dict[str, Any]]:
    (partition,) = (project.directory / "workspace" / "scores").glob("as_of=*")
    return pq.read_table(partition).to_pylist()


def ask(service: TestClient, as_of: datetime, lead: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = service.post("/score", json={"lead": lead, "as_of": as_of.isoformat(), **more})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def test_a_lead_gets_what_the_nightly_job_gave_it(
    service: TestClient, project: SmallProject
) -> None:
    for row in nightly(project)[:25]:
        said = ask(service, row["as_of"], {"lead_id": row["lead_id"]})
        for name in row.keys() & said.keys() - {"as_of"}:
            assert said[name] == row[name], name


def test_a_hand_raise_of_a_minute_ago_is_seen_and_one_to_come_is_not(
    service: TestClient, project: SmallProject
) -> None:
    row = nightly(project)[0]
    before = row["as_of"] - timedelta(minutes=1)
    request = {"event_type": "demo_request", "occurred_at": before.isoformat()}
    said = ask(service, row["as_of"], {"lead_id": row["lead_id"]}, events=[request])
    assert said["hand_raise"] is True
    assert said["events_not_seen"] == 0
    request["occurred_at"] = row["as_of"].isoformat()
    said = ask(service, row["as_of"], {"lead_id": row["lead_id"]}, events=[request])
    assert said["hand_raise"] is False
    assert said["events_not_seen"] == 1
    assert said["probability"] == row["probability"]


def test_visits_that_were_sent_count_like_those_of_the_night(
    service: TestClient, project: SmallProject
) -> None:
    row = min(nightly(project), key=lambda each: each["probability"])
    visits = [
        {
            "event_type": "page_view",
            "occurred_at": (row["as_of"] - timedelta(hours=hour)).isoformat(),
            "detail": "/pricing",
        }
        for hour in range(1, 30)
    ]
    said = ask(service, row["as_of"], {"lead_id": row["lead_id"]}, events=visits)
    assert said["probability"] > row["probability"]


def test_a_lead_that_is_new_needs_only_what_is_sent_of_it(service: TestClient) -> None:
    now = datetime(2025, 6, 1, tzinfo=UTC)
    lead = {"lead_id": "new", "created_at": "2025-05-31T12:00:00+02:00", "job_title": "Director"}
    said = ask(service, now, lead)
    assert said["known"] is False
    assert 0 < said["probability"] < 1


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"lead": {}}, "lead: 'lead_id' is missing"),
        ({"lead": {"lead_id": "stranger"}}, "lead 'stranger' is not known"),
        ({"lead": {"lead_id": "L00001", "job_titel": "x"}}, "Did you mean 'job_title'?"),
        (
            {"lead": {"lead_id": "L00001"}, "events": [{"event_type": "page_view"}]},
            "events, row 1: 'occurred_at' is missing",
        ),
        (
            {
                "lead": {"lead_id": "L00001"},
                "events": [{"event_type": "page_view", "occurred_at": "2025-05-01T10:00:00"}],
            },
            "a time without a zone",
        ),
        (
            {"lead": {"lead_id": "L00001"}, "account": {"account_id": "A1", "employees": "many"}},
            "accounts, row 1: 'employees' is 'many', and should be double",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(
    service: TestClient, sent: dict[str, Any], message: str
) -> None:
    answer = service.post("/score", json=sent)
    assert answer.status_code == 422
    assert message in answer.json()["error"]


def test_a_new_champion_and_new_tables_are_taken_up_without_a_restart(
    project: SmallProject, scores: LiveScores
) -> None:
    assert scores.refresh() is False
    door = project.directory / "workspace" / "door.json"
    later = door.stat().st_mtime + 1
    os.utime(door, (later, later))
    assert scores.refresh() is True
    assert scores.refresh() is False


def test_nobody_is_answered_without_the_token(scores: LiveScores) -> None:
    guarded = TestClient(application(scores, TOKEN))
    body = {"lead": {"lead_id": "L00001"}}
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": ""}):
        answer = guarded.post("/score", json=body, headers=header)
        assert answer.status_code == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    answer = guarded.post("/score", json=body, headers=right)
    assert answer.status_code == 200
    assert answer.json()["reasons_are"] == "exact_parts"
    assert guarded.get("/health").status_code == 401


def test_a_body_that_no_lead_needs_is_turned_away(service: TestClient) -> None:
    answer = service.post("/score", content=b" " * 5_000_000)
    assert answer.status_code == 413


def test_an_exposed_service_needs_a_token_that_cannot_be_guessed() -> None:
    assert token_for("127.0.0.1", {}) is None
    assert token_for("::1", {}) is None
    assert token_for("0.0.0.0", {"LEADLIGHT_TOKEN": TOKEN}) == TOKEN  # noqa: S104
    for host, environ in (("0.0.0.0", {}), ("127.0.0.1", {"LEADLIGHT_TOKEN": "short"})):  # noqa: S104
        with pytest.raises(ConfigError, match="LEADLIGHT_TOKEN") as refused:
            token_for(host, environ)
        assert "short" not in str(refused.value)


def test_serving_before_training_says_to_train(tmp_path: Path) -> None:
    project = make_small_project(tmp_path / "project", leads=500)
    assert "leadlight train" in leadlight("serve", "-c", project.config).refused()


def test_the_service_describes_itself(service: TestClient) -> None:
    described = service.get("/openapi.json").json()
    assert "/score" in described["paths"]
    assert service.get("/docs").status_code == 404
