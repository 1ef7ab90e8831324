"""HubSpot as a sink, against a mock that checks each request by the vendor's own OpenAPI files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubspot_server import TOKEN, Fault, HubSpot, running_hubspot
from scored_leads import Lead, ScoredProject

from leadlight.pipelines.deliver import deliver
from leadlight.pipelines.delivery.results import SinkReport, Wanted
from leadlight.pipelines.progress import Progress

pytestmark = pytest.mark.real_data
BAD_TITLE = {"category": "VALIDATION_ERROR", "message": "Property values were not valid"}


@pytest.fixture(scope="module")
def server(real_data: Path) -> Iterator[HubSpot]:
    with running_hubspot(real_data.parent / "specs" / "hubspot") as hubspot:
        yield hubspot


@pytest.fixture
def hubspot(server: HubSpot, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubSpot]:
    """An empty HubSpot; the vendor's files must allow whatever it is asked."""
    server.clear()
    monkeypatch.setenv("HUBSPOT_TOKEN", TOKEN)
    yield server
    assert server.violations == []


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited each time; nobody really waits."""
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


def project_of(folder: Path, hubspot: HubSpot, **settings: Any) -> ScoredProject:
    options = {"token": "HUBSPOT_TOKEN", "url": f"'{hubspot.url}'", "per_second": 100_000}
    written = ", ".join(f"{name}: {value}" for name, value in {**options, **settings}.items())
    project = ScoredProject(folder)
    project.configure(f"  sinks: [{{name: crm, kind: hubspot, {written}}}]\n")
    return project


def told(project: ScoredProject, **wanted: Any) -> SinkReport:
    wanted.setdefault("confirm", True)
    (report,) = deliver(project.config, Progress(quiet=True), wanted=Wanted(**wanted)).sinks
    return report


def test_properties_are_made_once_and_contacts_hold_what_is_known_of_them(
    tmp_path: Path, hubspot: HubSpot
) -> None:
    project = project_of(tmp_path, hubspot)
    reasons = ("Seniority: director", "Visited the pricing page")
    project.score([Lead("101", 0.25, mql=True, reasons=reasons)])
    assert told(project).delivered == 1
    assert hubspot.contacts["101"] == {
        "leadlight_probability": "0.25",
        "leadlight_score": "25",
        "leadlight_grade": "A",
        "leadlight_state": "mql",
        "leadlight_mql": "true",
        "leadlight_percentile": "0.25",
        "leadlight_fit_percentile": "0.5",
        "leadlight_engagement_percentile": "0.5",
        "leadlight_reasons_for": "Seniority: director; Visited the pricing page",
        "leadlight_reasons_against": "",
        "leadlight_as_of": "2026-01-01T00:00:00Z",
        "leadlight_decision_version": "1",
        "leadlight_explored": "false",
    }
    assert hubspot.properties.keys() == hubspot.contacts["101"].keys()
    assert hubspot.properties["leadlight_as_of"]["type"] == "datetime"
    assert hubspot.groups == ["leadlight"]
    project.score([Lead("101", 0.5, mql=True)], night=1)
    assert told(project).delivered == 1
    assert len(hubspot.sent("/properties/contacts/batch/create")) == 1
    assert hubspot.writes == {"101": 2}


def test_a_thousand_changes_are_ten_requests_of_a_hundred(tmp_path: Path, hubspot: HubSpot) -> None:
    project = project_of(tmp_path, hubspot, fields="{score: points}")
    project.score([Lead(f"{i}") for i in range(1_000)])
    assert told(project).delivered == 1_000
    assert [len(body["inputs"]) for body in hubspot.sent("/batch/update")] == [100] * 10
    assert set(hubspot.writes.values()) == {1}
    assert told(project).delivered == 0
    assert len(hubspot.sent("/batch/update")) == 10


def test_contacts_are_found_by_e_mail_which_is_kept_nowhere(
    tmp_path: Path, hubspot: HubSpot
) -> None:
    project = project_of(tmp_path, hubspot, match="email", fields="{score: points}")
    hubspot.not_valid["bad@acme.example"] = {**BAD_TITLE, "message": "bad@acme.example is no one"}
    project.score(
        [
            Lead("a", 0.3, email=" Ann@Acme.example"),
            Lead("b", 0.2, email="bad@acme.example"),
            Lead("c", 0.1),
            Lead("d", email="both@acme.example"),
            Lead("e", email="Both@acme.example"),
        ]
    )
    report = told(project)
    assert hubspot.contacts == {"ann@acme.example": {"points": "30"}}
    assert hubspot.sent("/batch/upsert")[0]["inputs"][0]["idProperty"] == "email"
    assert report.refused["b"] == "VALIDATION_ERROR: (an address) is no one"
    assert report.refused["c"] == "the lead has no e-mail address"
    assert "2 leads have this e-mail address" in report.refused["d"]
    assert report.refused.keys() == {"b", "c", "d", "e"}
    kept = [path for path in (tmp_path / "workspace").rglob("*") if path.is_file()]
    assert [p.name for p in kept if b"acme.example" in p.read_bytes().lower()] == ["leads.parquet"]


def test_contacts_are_found_by_a_unique_property_that_holds_the_leads_id(
    tmp_path: Path, hubspot: HubSpot
) -> None:
    project = project_of(tmp_path, hubspot, match="lead_id", fields="{score: points}")
    project.score([Lead("L-1")])
    assert told(project).delivered == 1
    (sent,) = hubspot.sent("/batch/upsert")[0]["inputs"]
    assert (sent["id"], sent["idProperty"]) == ("L-1", "leadlight_lead_id")
    assert hubspot.properties["leadlight_lead_id"]["hasUniqueValue"] is True
    hubspot.properties["leadlight_lead_id"]["hasUniqueValue"] = False
    project.score([Lead("L-1", 0.6)], night=1)
    assert "not unique" in told(project).problem


@pytest.mark.parametrize(
    ("fault", "least_wait"),
    [
        (Fault(429, {"Retry-After": "7"}, {"message": "limit", "policyName": "SECONDLY"}), 7),
        (Fault(503, {"Retry-After": "3"}, "<html>gateway</html>"), 3),
        (Fault(500, body={"category": "INTERNAL_ERROR", "message": "sorry"}), 0),
        (Fault(0), 0),
    ],
)
def test_a_hubspot_that_is_busy_or_broken_is_asked_again_after_what_it_asks(
    tmp_path: Path, hubspot: HubSpot, waits: list[float], fault: Fault, least_wait: float
) -> None:
    project = project_of(tmp_path, hubspot, fields="{score: points}", timeout_seconds=1)
    project.score([Lead("1"), Lead("2")])
    hubspot.faults = [fault]
    assert told(project).delivered == 2
    assert hubspot.writes == {"1": 1, "2": 1}
    assert max(waits) >= least_wait


def test_an_answer_that_was_lost_leaves_each_contact_as_it_should_be(
    tmp_path: Path, hubspot: HubSpot, waits: list[float]
) -> None:
    project = project_of(tmp_path, hubspot, fields="{score: points}", timeout_seconds=1)
    project.score([Lead("1", 0.4)])
    hubspot.faults = [Fault(0, took_it=True), Fault(502, took_it=True)]
    assert told(project).delivered == 1
    assert hubspot.contacts == {"1": {"points": "40"}}
    traces = {body["inputs"][0]["objectWriteTraceId"] for body in hubspot.sent("/batch/update")}
    assert len(traces) == 1


def test_a_days_limit_that_is_spent_leaves_the_rest_for_the_next_night(
    tmp_path: Path, hubspot: HubSpot, waits: list[float]
) -> None:
    project = project_of(tmp_path, hubspot, fields="{score: points}")
    project.score([Lead("1")])
    hubspot.faults = [Fault(429, body={"message": "daily limit reached", "policyName": "DAILY"})]
    report = told(project)
    assert "daily limit reached" in report.problem
    assert (report.waiting, waits) == (1, [])
    assert told(project).delivered == 1


@pytest.mark.parametrize("named_by", ["objectWriteTraceId", "ids", "nothing"])
def test_of_a_half_failed_batch_some_are_dead_letters_and_some_are_sent_again(
    tmp_path: Path, hubspot: HubSpot, waits: list[float], named_by: str
) -> None:
    project = project_of(tmp_path, hubspot, fields="{score: points}", attempts=2)
    project.score([Lead("1", 0.5), Lead("2", 0.4), Lead("3", 0.3)])
    hubspot.not_valid = {"2": {**BAD_TITLE, "named by": named_by}}
    report = told(project)
    assert report.refused == {"2": "VALIDATION_ERROR: Property values were not valid"}
    assert (report.delivered, report.newly_refused, report.waiting) == (2, 1, 0)
    busy = {"category": "RATE_LIMITS", "message": "later", "named by": named_by}
    hubspot.not_valid = {"3": busy}
    project.score([Lead("1", 0.5), Lead("3", 0.9)], night=1)
    report = told(project)
    assert report.problem == "RATE_LIMITS: later"
    assert report.waiting == 1
    hubspot.not_valid = {}
    assert told(project).delivered == 1
    assert hubspot.contacts["3"] == {"points": "90"}


def test_a_batch_that_is_refused_as_a_whole_is_halved_until_the_culprit_is_alone(
    tmp_path: Path, hubspot: HubSpot
) -> None:
    project = project_of(tmp_path, hubspot, fields="{score: points}")
    project.score([Lead(f"{i}") for i in range(100)])
    hubspot.poison = {"37": "Could not get some CONTACT objects"}
    report = told(project)
    assert report.delivered == 99
    assert report.refused == {"37": "HTTP 400 VALIDATION_ERROR: Could not get some CONTACT objects"}
    assert set(hubspot.writes.values()) == {1}
    assert len(hubspot.sent("/batch/update")) <= 15


def test_requests_keep_to_the_rate_of_the_sink(
    tmp_path: Path, hubspot: HubSpot, waits: list[float]
) -> None:
    project = project_of(tmp_path, hubspot, fields="{score: points}", per_second=0.5)
    project.score([Lead(f"{i}") for i in range(250)])
    assert told(project).delivered == 250
    asked = len(hubspot.requests)
    assert len(waits) == asked - 1
    assert sum(waits[1:]) > 2 * (asked - 3)


@pytest.mark.parametrize(
    ("present", "trouble"),
    [
        ({"type": "date"}, "of type date there"),
        ({"type": "number", "calculated": True}, "read-only"),
        ({"type": "number", "modificationMetadata": {"readOnlyValue": True}}, "read-only"),
    ],
)
def test_a_property_that_cannot_hold_a_field_is_told_before_anything_is_written(
    tmp_path: Path, hubspot: HubSpot, present: dict[str, Any], trouble: str
) -> None:
    project = project_of(tmp_path, hubspot, fields="{score: points}")
    project.score([Lead("1")])
    hubspot.properties["points"] = {"name": "points", **present}
    report = told(project)
    assert trouble in report.problem
    assert (report.waiting, hubspot.contacts) == (1, {})


def test_a_token_that_is_not_taken_leaves_the_sink_and_is_told_nowhere(
    tmp_path: Path, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(tmp_path, hubspot)
    project.score([Lead("1")])
    monkeypatch.setenv("HUBSPOT_TOKEN", "pat-eu1-of-someone-else")
    report = told(project)
    assert "HubSpot does not take our requests: HTTP 401" in report.problem
    assert report.waiting == 1
    assert len(hubspot.requests) == 1
    assert "someone-else" not in report.problem


def test_leads_without_addresses_cannot_be_found_by_e_mail(
    tmp_path: Path, hubspot: HubSpot
) -> None:
    project = project_of(tmp_path, hubspot, match="email")
    project.score([Lead("1")])
    project.table("leads", lead_id=["1"])
    assert "leads have no column 'email'" in told(project).problem
