"""Secrets: whatever fails, and whatever a receiver says, no secret is in any text or file."""

import base64
import io
import logging
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from command import leadlight
from scored_leads import Lead, ScoredProject

from leadlight.pipelines.deliver import deliver
from leadlight.pipelines.delivery.results import Wanted
from leadlight.pipelines.progress import Progress

KEY = b"signing-key-of-the-webhook"
SECRETS = {
    "DB_URL": "postgresql+psycopg://crm:pass-word-of-crm@127.0.0.1:1/crm",
    "HOOK_SECRET": "whsec_" + base64.b64encode(KEY).decode(),
    "HUBSPOT_TOKEN": "pat-eu1-a-token-of-hubspot",
    "SF_ID": "3MVG9-an-id-of-salesforce",
    "SF_SECRET": "a-secret-of-salesforce",
}
BASIC = base64.b64encode(f"{SECRETS['SF_ID']}:{SECRETS['SF_SECRET']}".encode()).decode()
NEVER_TOLD = [
    "pass-word-of-crm",
    *(SECRETS[name] for name in ("HOOK_SECRET", "HUBSPOT_TOKEN", "SF_ID", "SF_SECRET")),
    SECRETS["HOOK_SECRET"].removeprefix("whsec_"),
    KEY.decode(),
    BASIC,
    "00D!a-session-of-salesforce",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScoredProject]:
    """A project whose receivers refuse all, and say back whatever they were sent."""

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.endswith("token"):
                here = f"http://127.0.0.1:{self.server.server_address[1]}"
                text = (
                    f'{{"access_token": "00D!a-session-of-salesforce", "instance_url": "{here}"}}'
                )
                self.answer(200, text)
            else:
                self.answer(422, f"{self.headers} {body.decode()}")

        def do_GET(self) -> None:
            self.answer(400, str(self.headers))

        def answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    project = ScoredProject(tmp_path)
    project.configure(
        "  sinks:\n"
        "    - {name: db, kind: sql, url: DB_URL, table: scores, attempts: 1}\n"
        f"    - {{name: hook, kind: webhook, url: '{url}', secret: HOOK_SECRET}}\n"
        f"    - {{name: hubspot, kind: hubspot, url: '{url}', token: HUBSPOT_TOKEN}}\n"
        f"    - {{name: sf, kind: salesforce, url: '{url}', client_id: SF_ID, "
        "client_secret: SF_SECRET}\n"
    )
    project.score([Lead("a"), Lead("b")])
    yield project
    server.shutdown()
    server.server_close()


def assert_nothing_told(where: str, text: str | bytes) -> None:
    content = text.encode() if isinstance(text, str) else text
    told = [secret for secret in NEVER_TOLD if secret.encode() in content]
    assert told == [], f"{where} tells secrets"


def test_a_failing_delivery_tells_no_secret_to_terminal_ledger_configuration_or_any_file(
    project: ScoredProject,
) -> None:
    for options in ((), ("--json",)):
        ran = leadlight("deliver", "-c", project.path, *options)
        assert_nothing_told("the terminal", ran.out + ran.error)
        if not options:
            assert ran.code == 5
            assert ran.out.count(" was left: ") == 3
            assert "422" in ran.out
    dumped = project.config
    assert_nothing_told("the configuration", repr(dumped) + dumped.model_dump_json())
    for path in project.directory.rglob("*"):
        if path.is_file():
            assert_nothing_told(str(path), path.read_bytes())


@pytest.mark.parametrize("sink", ["db", "hook", "hubspot", "sf"])
def test_a_defect_tells_no_secret_in_its_traceback_and_logs(
    project: ScoredProject, monkeypatch: pytest.MonkeyPatch, sink: str
) -> None:
    def defect(*what: object, **how: object) -> None:
        raise RuntimeError("a defect")

    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    root.addHandler(handler)
    monkeypatch.setattr(root, "level", logging.DEBUG)
    monkeypatch.setattr("leadlight.pipelines.delivery.database.DatabaseSink._ready_table", defect)
    monkeypatch.setattr("urllib3.connectionpool.HTTPConnectionPool._make_request", defect)
    try:
        with pytest.raises(RuntimeError, match="a defect") as raised:
            deliver(project.config, Progress(quiet=True), sinks=[sink], wanted=Wanted())
    finally:
        root.removeHandler(handler)
    assert_nothing_told("the traceback", "".join(traceback.format_exception(raised.value)))
    assert_nothing_told("the log", log.getvalue())
