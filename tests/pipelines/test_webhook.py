"""A signed webhook, against a real receiver that checks signatures and knows what it has seen."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from scored_leads import Lead, ScoredProject

from leadlight.pipelines.deliver import deliver
from leadlight.pipelines.delivery.results import Delivered
from leadlight.pipelines.progress import Progress

KEY = b"a key of twenty-four byt"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass
class Receiver:
    """What came in, and which answers are still to be given instead of 204."""

    url: str = ""
    effects: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: int = 0
    forged: int = 0
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests += 1
            status, headers = told.answers.pop(0) if told.answers else (204, {})
            signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}."
            digest = hmac.new(KEY, signed.encode() + body, hashlib.sha256).digest()
            if self.headers["webhook-signature"] != "v1," + base64.b64encode(digest).decode():
                told.forged += 1
                status = 401
            if status < 300 or headers.pop("took it", None):
                told.effects[self.headers["Idempotency-Key"]] = json.loads(body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            text = b"no such stage" if status == 422 else b""
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> ScoredProject:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    project = ScoredProject(tmp_path)
    project.configure(
        f"  sinks: [{{name: hook, kind: webhook, url: '{receiver.url}', secret: HOOK_SECRET,"
        " attempts: 3}]\n"
    )
    project.score([Lead("a", mql=True), Lead("b")])
    return project


def delivery(project: ScoredProject) -> Delivered:
    return deliver(project.config, Progress(quiet=True))


def test_each_change_is_one_signed_request_and_nothing_is_sent_twice(
    project: ScoredProject, receiver: Receiver
) -> None:
    assert delivery(project).sinks[0].delivered == 2
    assert receiver.forged == 0
    sent = sorted(each["data"]["lead_id"] for each in receiver.effects.values())
    assert sent == ["a", "b"]
    assert delivery(project).sinks[0].delivered == 0
    assert receiver.requests == 2


def test_a_receiver_that_asks_to_wait_is_asked_again(
    project: ScoredProject, receiver: Receiver
) -> None:
    receiver.answers = [(429, {"Retry-After": "0"}), (503, {"Retry-After": "0"})]
    assert delivery(project).sinks[0].delivered == 2
    assert receiver.requests == 4


def test_an_answer_that_was_lost_has_one_effect_by_its_key(
    project: ScoredProject, receiver: Receiver
) -> None:
    receiver.answers = [(500, {"took it": "yes", "Retry-After": "0"})]
    assert delivery(project).sinks[0].delivered == 2
    assert receiver.requests == 3
    assert len(receiver.effects) == 2


def test_a_change_that_is_refused_is_a_dead_letter_in_the_receivers_words(
    project: ScoredProject, receiver: Receiver
) -> None:
    receiver.answers = [(422, {})]
    (report,) = delivery(project).sinks
    assert report.delivered == 1
    assert report.refused.keys() == {"a"}
    assert "no such stage" in report.refused["a"]


def test_a_receiver_that_does_not_know_us_is_left_and_no_secret_is_told(
    project: ScoredProject, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "whsec_" + base64.b64encode(b"another key").decode()
    monkeypatch.setenv("HOOK_SECRET", wrong)
    (report,) = delivery(project).sinks
    assert report.waiting == 2
    assert "does not take our requests" in report.problem
    assert receiver.effects == {}
    ledger = (project.directory / "workspace" / "ledger.db").read_bytes()
    assert wrong not in report.problem
    assert wrong.encode() not in ledger
