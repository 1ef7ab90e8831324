"""Salesforce for tests: the Bulk API 2.0's ingest jobs as its developer guide describes them.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/ (Create a Job, Upload
Job Data, Upload Complete, Get Job Info, the three kinds of results, Prepare CSV Files), and the
OAuth 2.0 client credentials flow.
"""

import base64
import csv
import io
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CLIENT_ID = "3MVG9-a-client-for-tests"
CLIENT_SECRET = "its-secret-of-many-letters"  # noqa: S105
_JOBS = re.compile(r"/services/data/v\d+\.\d/jobs/ingest(?:/(?P<job>\w+)(?:/(?P<part>\w+))?)?/?$")
_ERRORS = {
    400: ("INVALIDJOBSTATE", "Invalid job state transition"),
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    404: ("NOT_FOUND", "The requested resource does not exist"),
}


@dataclass
class Job:
    """An ingest job."""

    told: dict[str, Any]
    rows: list[dict[str, str]] = field(default_factory=list)
    results: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    polls: int = 0


@dataclass
class Salesforce:
    """What Salesforce has, and how it is to behave."""

    url: str = ""
    fields: set[str] = field(default_factory=set)
    """Names of the object's fields."""
    records: dict[str, dict[str, str | None]] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)
    """What is said (``sf__Error``) of rows with these ids."""
    unprocessed: set[str] = field(default_factory=set)
    """Ids of rows that a job does not come to, as it fails before."""
    faults: dict[str, list[Callable[[BaseHTTPRequestHandler], bool]]] = field(default_factory=dict)
    """By request ("PATCH job"): each is called once, and says whether it answered."""
    polls_needed: int = 1

    def run(self, job: Job) -> None:
        """Process a job's rows; results are told in another order than the rows were sent."""
        key = job.told["externalIdFieldName"]
        unknown = set(job.rows[0]) - self.fields - {key}
        if unknown:
            job.told["errorMessage"] = f"InvalidBatch : Field name not found : {min(unknown)}"
            job.told["state"] = "Failed"
            return
        job.results = {"successfulresults": [], "failedresults": [], "unprocessedrecords": []}
        for row in reversed(job.rows):
            if row[key] in self.unprocessed:
                job.results["unprocessedrecords"].append(row)
            elif row[key] in self.errors:
                failed = {"sf__Id": "", "sf__Error": self.errors[row[key]], **row}
                job.results["failedresults"].append(failed)
            else:
                is_new = row[key] not in self.records
                self.records.setdefault(row[key], {}).update(_as_stored(row, key))
                self.writes[row[key]] += 1
                created = {"sf__Id": "00Q" + row[key], "sf__Created": str(is_new).lower(), **row}
                job.results["successfulresults"].append(created)
        job.told["numberRecordsFailed"] = len(job.results["failedresults"])
        job.told["state"] = "Failed" if job.results["unprocessedrecords"] else "JobComplete"
        if job.told["state"] == "Failed":
            job.told["errorMessage"] = "InternalServerError : Unexpected"


def _as_stored(row: dict[str, str], key: str) -> dict[str, str | None]:
    """Empty cells leave a field as it was; ``#N/A`` empties it."""
    cells = {name: value for name, value in row.items() if value and name != key}
    return {name: None if value == "#N/A" else value for name, value in cells.items()}


@contextmanager
def running_salesforce(*fields: str) -> Iterator[Salesforce]:
    """Yield a Salesforce whose object has these fields."""
    salesforce = Salesforce(fields=set(fields))
    handler = type("Handler", (_Handler,), {"salesforce": salesforce})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    salesforce.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield salesforce
    finally:
        server.shutdown()
        server.server_close()


def answering(
    status: int, headers: dict[str, str] | None = None
) -> Callable[[BaseHTTPRequestHandler], bool]:
    """Return a fault: this status instead of what was asked for."""

    def fault(handler: BaseHTTPRequestHandler) -> bool:
        assert isinstance(handler, _Handler)
        handler.refuse(status, headers)
        return True

    return fault


class _Handler(BaseHTTPRequestHandler):
    salesforce: Salesforce
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_PATCH(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = _JOBS.match(self.path)
        part = (found["part"] or "job") if found else self.path.rsplit("/", 1)[-1]
        name = f"{self.command} {part}"
        self.salesforce.requests.append(name)
        faults = self.salesforce.faults.get(name)
        if faults and faults.pop(0)(self):
            return
        if self.path == "/services/oauth2/token":
            self._log_in(body)
        elif self.headers["Authorization"].removeprefix("Bearer ") not in self.salesforce.tokens:
            self.refuse(401)
        elif found is None:
            self.refuse(404)
        elif found["job"] is None:
            self._create(json.loads(body))
        elif found["job"] not in self.salesforce.jobs:
            self.refuse(404)
        else:
            self._of_job(self.salesforce.jobs[found["job"]], found["part"], body)

    def _log_in(self, body: bytes) -> None:
        known = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {known}":
            said = {"error": "invalid_client", "error_description": "invalid client credentials"}
            self.answer(401, json.dumps(said))
            return
        assert body == b"grant_type=client_credentials"
        token = f"00D!a-token-for-tests-{len(self.salesforce.tokens)}"
        self.salesforce.tokens.add(token)
        told = {"access_token": token, "token_type": "Bearer", "instance_url": self.salesforce.url}
        self.answer(200, json.dumps(told))

    def _create(self, wanted: dict[str, Any]) -> None:
        assert wanted["operation"] == "upsert"
        assert wanted["contentType"] == "CSV"
        assert wanted["externalIdFieldName"]
        job_id = f"750000{len(self.salesforce.jobs)}"
        told = {"id": job_id, "state": "Open", "apiVersion": 59.0, **wanted}
        told["contentUrl"] = f"services/data/v59.0/jobs/ingest/{job_id}/batches"
        self.salesforce.jobs[job_id] = Job(told)
        self.answer(200, json.dumps(told))

    def _of_job(self, job: Job, part: str | None, body: bytes) -> None:
        is_open = job.told["state"] == "Open"
        if part is None and self.command == "GET":
            self._poll(job)
        elif part is None and self.command == "PATCH":
            wanted = json.loads(body)["state"]
            if wanted == "UploadComplete" and not (is_open and job.rows):
                self.refuse(400)
                return
            job.told["state"] = wanted
            self.answer(200, json.dumps(job.told))
        elif part == "batches" and self.command == "PUT" and is_open and not job.rows:
            assert self.headers["Content-Type"].startswith("text/csv")
            assert len(body) < 100_000_000
            assert b"\r" not in body
            job.rows = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
            self.answer(201, "")
        elif part and self.command == "GET":
            self._results(job, part)
        else:
            self.refuse(400)

    def _poll(self, job: Job) -> None:
        if job.told["state"] in {"UploadComplete", "InProgress"}:
            job.told["state"] = "InProgress"
            job.polls += 1
            if job.polls >= self.salesforce.polls_needed:
                self.salesforce.run(job)
        self.answer(200, json.dumps(job.told))

    def _results(self, job: Job, part: str) -> None:
        rows = job.results.get(part.lower(), [])
        text = io.StringIO()
        extra = {
            "failedresults": ["sf__Id", "sf__Error"],
            "successfulresults": ["sf__Id", "sf__Created"],
        }
        names = [*extra.get(part.lower(), []), *(job.rows[0] if job.rows else [])]
        writer = csv.DictWriter(text, names, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.answer(200, text.getvalue(), {"Content-Type": "text/csv"})

    def refuse(self, status: int, headers: dict[str, str] | None = None) -> None:
        code, message = _ERRORS.get(status, ("SERVER_UNAVAILABLE", "Try again later"))
        self.answer(status, json.dumps([{"errorCode": code, "message": message}]), headers)

    def answer(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass
