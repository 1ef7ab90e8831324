"""Salesforce as a sink, against a server of the Bulk API 2.0's public documentation."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from salesforce_server import CLIENT_ID, CLIENT_SECRET, Salesforce, answering, running_salesforce
from scored_leads import Lead, ScoredProject

from leadlight.features.errors import ConfigError
from leadlight.pipelines.deliver import deliver
from leadlight.pipelines.delivery.results import SinkReport, Wanted
from leadlight.pipelines.progress import Progress

FIELDS = "{score: Points__c, reasons_against: Against__c}"


@pytest.fixture
def salesforce(monkeypatch: pytest.MonkeyPatch) -> Iterator[Salesforce]:
    monkeypatch.setenv("SF_ID", CLIENT_ID)
    monkeypatch.setenv("SF_SECRET", CLIENT_SECRET)
    with running_salesforce("Points__c", "Against__c") as server:
        yield server


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited each time; nobody really waits."""
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


@pytest.fixture
def project(tmp_path: Path, salesforce: Salesforce) -> ScoredProject:
    return project_of(tmp_path, salesforce, fields=FIELDS, external_id="Key__c")


def project_of(folder: Path, salesforce: Salesforce, **settings: Any) -> ScoredProject:
    options = {"url": f"'{salesforce.url}'", "client_id": "SF_ID", "client_secret": "SF_SECRET"}
    written = ", ".join(f"{name}: {value}" for name, value in {**options, **settings}.items())
    project = ScoredProject(folder)
    project.configure(f"  sinks: [{{name: crm, kind: salesforce, {written}}}]\n")
    return project


def told(project: ScoredProject) -> SinkReport:
    wanted = Wanted(confirm=True)
    (report,) = deliver(project.config, Progress(quiet=True), wanted=wanted).sinks
    return report


def test_changed_leads_are_one_job_and_records_hold_what_is_known_of_them(
    project: ScoredProject, salesforce: Salesforce
) -> None:
    salesforce.polls_needed = 3
    project.score([Lead("a", 0.25), Lead("b, or 'b\"'", 0.5)])
    assert told(project).delivered == 2
    assert salesforce.records == {
        "a": {"Points__c": "25", "Against__c": None},
        "b, or 'b\"'": {"Points__c": "50", "Against__c": None},
    }
    project.score([Lead("a", 0.75), Lead("b, or 'b\"'", 0.5)], night=1)
    assert told(project).delivered == 1
    assert salesforce.records["a"]["Points__c"] == "75"
    (first, second) = salesforce.jobs.values()
    assert first.told["object"] == "Lead"
    assert first.told["externalIdFieldName"] == "Key__c"
    assert [row["Key__c"] for row in second.rows] == ["a"]


def test_by_default_records_are_found_by_their_id_and_fields_have_our_names(
    tmp_path: Path, salesforce: Salesforce
) -> None:
    project = project_of(tmp_path, salesforce, object="Contact")
    project.score([Lead("003a")])
    problem = told(project).problem
    assert "InvalidBatch : Field name not found : Leadlight_As_Of__c" in problem
    assert "Leadlight_Probability__c" in problem
    job = salesforce.jobs["7500000"]
    assert (job.told["object"], job.told["externalIdFieldName"]) == ("Contact", "Id")
    assert job.rows[0]["Leadlight_As_Of__c"] == "2026-01-01T00:00:00Z"
    salesforce.fields = set(job.rows[0])
    assert told(project).delivered == 1


def test_of_a_half_failed_job_some_are_dead_letters_and_some_are_sent_again(
    project: ScoredProject, salesforce: Salesforce
) -> None:
    project.score([Lead("good"), Lead("bad"), Lead("locked"), Lead("not reached")])
    salesforce.errors = {
        "bad": "FIELD_CUSTOM_VALIDATION_EXCEPTION:ann@acme.example is no customer:--",
        "locked": "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--",
    }
    salesforce.unprocessed = {"not reached"}
    report = told(project)
    assert report.refused == {
        "bad": "FIELD_CUSTOM_VALIDATION_EXCEPTION:(an address) is no customer:--"
    }
    assert (report.delivered, report.waiting) == (1, 2)
    assert len(salesforce.jobs) == 5
    assert {row["Key__c"] for row in salesforce.jobs["7500001"].rows} == {"locked", "not reached"}
    salesforce.errors, salesforce.unprocessed = {}, set()
    assert told(project).delivered == 2
    assert salesforce.writes == {"good": 1, "locked": 1, "not reached": 1}


def no_answer(handler: BaseHTTPRequestHandler) -> bool:
    threading.Event().wait(1.5)
    handler.close_connection = True
    return True


@pytest.mark.parametrize(
    "name", ["POST token", "POST job", "PUT batches", "GET job", "PATCH job", "GET failedResults"]
)
@pytest.mark.parametrize("fault", ["busy", "silent"])
def test_wherever_salesforce_is_busy_or_silent_each_record_is_written_once(
    tmp_path: Path, salesforce: Salesforce, waits: list[float], name: str, fault: str
) -> None:
    project = project_of(
        tmp_path, salesforce, fields=FIELDS, external_id="Key__c", timeout_seconds=1
    )
    project.score([Lead("a"), Lead("b")])
    made = answering(503, {"Retry-After": "7"}) if fault == "busy" else no_answer
    salesforce.faults = {name: [made]}
    assert told(project).delivered == 2
    assert salesforce.writes == {"a": 1, "b": 1}
    assert fault == "silent" or max(waits) >= 7


def test_a_job_that_does_not_end_is_ended_and_its_leads_wait_for_the_next_night(
    project: ScoredProject, salesforce: Salesforce, waits: list[float]
) -> None:
    salesforce.polls_needed = 10_000
    project.score([Lead("a")])
    report = told(project)
    assert "the job did not end" in report.problem
    assert (report.waiting, salesforce.records) == (1, {})
    assert [job.told["state"] for job in salesforce.jobs.values()] == ["Aborted"]
    assert 600 < sum(waits) < 1_200
    salesforce.polls_needed = 1
    assert told(project).delivered == 1


def test_a_session_that_expires_half_way_is_opened_again(
    project: ScoredProject, salesforce: Salesforce
) -> None:
    def expire(handler: BaseHTTPRequestHandler) -> bool:
        salesforce.tokens.clear()
        return False

    project.score([Lead("a")])
    salesforce.faults = {"PATCH job": [expire]}
    assert told(project).delivered == 1
    assert salesforce.requests.count("POST token") == 2
    assert len(salesforce.jobs) == 1


def test_a_days_limit_that_is_spent_leaves_the_rest_for_the_next_night(
    project: ScoredProject, salesforce: Salesforce, waits: list[float]
) -> None:
    project.score([Lead("a")])
    salesforce.faults = {"POST job": [answering(403)]}
    report = told(project)
    assert "REQUEST_LIMIT_EXCEEDED" in report.problem
    assert (report.waiting, waits) == (1, [])
    assert told(project).delivered == 1


def test_a_client_that_is_not_taken_leaves_the_sink_and_is_told_nowhere(
    project: ScoredProject, salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SF_SECRET", "another-secret-of-many-letters")
    project.score([Lead("a")])
    report = told(project)
    assert "HTTP 401 invalid_client invalid client credentials" in report.problem
    assert report.waiting == 1
    assert salesforce.requests == ["POST token"]
    assert "another-secret" not in report.problem


def test_a_secret_is_never_sent_in_the_clear(tmp_path: Path, salesforce: Salesforce) -> None:
    salesforce.url = "http://acme.my.salesforce.com"
    with pytest.raises(ConfigError, match="https"):
        project_of(tmp_path, salesforce)
