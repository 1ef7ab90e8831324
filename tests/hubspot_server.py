"""HubSpot for tests: its own OpenAPI files served by Prism, behind a proxy that makes faults.

Prism checks each request against the vendor's files and makes up the answers. The proxy counts what
was written, remembers which properties were made, and gives the answers that Prism never gives:
too many requests, broken servers, lost answers, half-failed batches.
"""

import hashlib
import json
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import urllib3

TOKEN = "pat-eu1-a-token-for-tests"  # noqa: S105
_ROOT = Path(__file__).resolve().parent
_WHEN = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Fault:
    """An answer to a write instead of Prism's.

    Attributes
    ----------
    status : int
        0: no answer, for so long that nobody waits for it.
    took_it : bool
        Whether the write had its effect before the answer was lost.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | str = ""
    took_it: bool = False


@dataclass
class HubSpot:
    """What HubSpot has, and how it is to behave."""

    url: str = ""
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    not_valid: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Ids that fail alone (207), with the error that is told."""
    poison: dict[str, str] = field(default_factory=dict)
    """Ids that make HubSpot refuse a whole batch (400), with its message."""

    def clear(self) -> None:
        url = self.url
        self.__init__()  # type: ignore[misc]
        self.url = url

    def sent(self, ending: str) -> list[Any]:
        """Return the bodies of the requests to a path with this ending."""
        return [body for _, path, body in self.requests if path.endswith(ending)]


@contextmanager
def running_hubspot(specs: Path) -> Iterator[HubSpot]:
    """Yield HubSpot as its OpenAPI files describe it."""
    if not specs.is_dir():
        pytest.skip(f"HubSpot's OpenAPI files are not at {specs}")
    prism = _installed_prism()
    hubspot = HubSpot()
    spec = json.loads((specs / "objects.v3.json").read_text(encoding="utf-8"))
    with (
        _mock(prism, specs / "objects.v3.json") as objects,
        _mock(prism, specs / "properties.v3.json") as properties,
    ):
        behind = {"/crm/v3/objects": objects, "/crm/v3/properties": properties}
        handler = type("Handler", (_Handler,), {"hubspot": hubspot, "behind": behind, "spec": spec})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        hubspot.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield hubspot
        finally:
            server.shutdown()
            server.server_close()


def _installed_prism() -> Path:
    """Return Prism's program, installed once for each lock into the folder of builds."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("no npm, which Prism comes from (Debian: apt-get install npm)")
    lock = (_ROOT / "prism" / "package-lock.json").read_bytes()
    folder = _ROOT.parent / "build" / f"prism-{hashlib.sha256(lock).hexdigest()[:12]}"
    program = folder / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    if not program.exists():
        shutil.copytree(_ROOT / "prism", folder, dirs_exist_ok=True)
        done = subprocess.run(
            [npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode:
            pytest.skip(f"npm cannot install Prism: {done.stderr[-300:]}")
    return program


@contextmanager
def _mock(prism: Path, spec: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["mock", "--port", str(port), "--errors", "--dynamic", "--seed", "1", str(spec)]
    process = subprocess.Popen(
        ["node", str(prism), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("Prism does not start")


class _Handler(BaseHTTPRequestHandler):
    hubspot: HubSpot
    behind: dict[str, str]
    spec: dict[str, Any]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._handle(None)

    def do_POST(self) -> None:
        self._handle(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _handle(self, body: Any) -> None:
        self.hubspot.requests.append((self.command, self.path, body))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"message": f"Authentication credentials not found: {TOKEN}"})
        elif self.path.startswith("/crm/v3/objects"):
            self._write(body)
        else:
            self._define(body)

    def _define(self, body: Any) -> None:
        """Properties and groups: as Prism says, but those that were made are there."""
        status, told = self._ask_prism(body)
        name = "groups" if self.path.endswith("/groups") else "properties"
        if self.command == "GET":
            kept = self.hubspot.properties.values()
            groups = [{"name": group} for group in self.hubspot.groups]
            told["results"] = groups if name == "groups" else list(kept)
        elif status < 300 and name == "groups":
            self.hubspot.groups.append(body["name"])
        elif status < 300:
            self.hubspot.properties |= {each["name"]: each for each in body["inputs"]}
        self._answer(status, told)

    def _write(self, body: Any) -> None:
        fault = self.hubspot.faults.pop(0) if self.hubspot.faults else None
        if fault and not fault.took_it:
            self._fail(fault)
            return
        ids = [each["id"] for each in body["inputs"]]
        poison = [self.hubspot.poison[each] for each in ids if each in self.hubspot.poison]
        if poison:
            self._answer(400, {"category": "VALIDATION_ERROR", "message": poison[0]})
            return
        bad = [each for each in body["inputs"] if each["id"] in self.hubspot.not_valid]
        good = [each for each in body["inputs"] if each["id"] not in self.hubspot.not_valid]
        status, told = self._ask_prism({"inputs": good}) if good else (200, {})
        if status < 300:
            for each in good:
                self.hubspot.contacts.setdefault(each["id"], {}).update(each["properties"])
                self.hubspot.writes[each["id"]] += 1
        if fault:
            self._fail(fault)
        elif bad and status < 300:
            self._answer(207, self._half_failed(good, bad))
        else:
            self._answer(status, told)

    def _half_failed(self, good: list[Any], bad: list[Any]) -> dict[str, Any]:
        results = [
            {
                "id": f"9{number}",
                "properties": {each.get("idProperty", "hs_object_id"): each["id"]},
                "createdAt": _WHEN,
                "updatedAt": _WHEN,
                "archived": False,
                "new": False,
            }
            for number, each in enumerate(good)
        ]
        errors = [
            {"status": "error", "links": {}, "errors": [], **self._error_of(each)} for each in bad
        ]
        told = {
            "status": "COMPLETE",
            "results": results,
            "numErrors": len(errors),
            "errors": errors,
            "startedAt": _WHEN,
            "completedAt": _WHEN,
        }
        name = "BatchResponseSimplePublicUpsertObjectWithErrors"
        schema = {"$ref": f"#/components/schemas/{name}", "components": self.spec["components"]}
        jsonschema.validate(told, schema)
        return told

    def _error_of(self, sent: Any) -> dict[str, Any]:
        told = dict(self.hubspot.not_valid[sent["id"]])
        named_by = told.pop("named by", "objectWriteTraceId")
        about = {"objectWriteTraceId": sent["objectWriteTraceId"], "ids": sent["id"]}
        told["context"] = {named_by: [about[named_by]]} if named_by in about else {}
        return told

    def _ask_prism(self, body: Any) -> tuple[int, dict[str, Any]]:
        prism = next(url for path, url in self.behind.items() if self.path.startswith(path))
        answer = urllib3.request(
            self.command,
            prism + self.path,
            body=None if body is None else json.dumps(body),
            headers={name: self.headers[name] for name in ("Authorization", "Content-Type")},
            retries=False,
        )
        told = json.loads(answer.data)
        if "stoplight.io" in str(told.get("type")):
            self.hubspot.violations.append(f"{self.path}: {answer.headers.get('sl-violations')}")
        return answer.status, told

    def _fail(self, fault: Fault) -> None:
        if fault.status:
            self._answer(fault.status, fault.body, fault.headers)
        else:
            threading.Event().wait(2)
            self.close_connection = True

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass
