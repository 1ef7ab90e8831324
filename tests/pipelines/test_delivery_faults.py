"""A delivery that meets a fault: one clear error, nothing lost, and the next run goes on."""

import ctypes
import json
import resource
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command import leadlight_process
from postgres_server import running_server
from scored_leads import Lead, ScoredProject
from sqlalchemy import create_engine, text

from leadlight.features.errors import WorkspaceError
from leadlight.pipelines.deliver import deliver
from leadlight.pipelines.delivery.results import SinkReport
from leadlight.pipelines.progress import Progress

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


@dataclass
class Receiver:
    """A receiver that honours keys: what came of each lead, and what it does before it answers."""

    url: str = ""
    effects: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    before_it_answers: Callable[[], None] = lambda: None


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
            if self.headers["Idempotency-Key"] not in receiver.keys:
                receiver.keys.add(self.headers["Idempotency-Key"])
                receiver.effects[told["lead_id"]] += 1
            receiver.before_it_answers()
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/"
    monkeypatch.setenv("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    yield receiver
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path, receiver: Receiver) -> ScoredProject:
    project = ScoredProject(tmp_path)
    project.configure(hook(receiver))
    return project


def hook(receiver: Receiver) -> str:
    return f"  sinks: [{{name: hook, kind: webhook, url: '{receiver.url}', secret: HOOK_SECRET}}]\n"


def told(project: ScoredProject) -> SinkReport:
    (report,) = deliver(project.config, Progress(quiet=True)).sinks
    return report


@pytest.mark.postgres
def test_a_ledger_that_is_gone_half_way_leaves_no_change_out_and_none_has_two_effects(
    project: ScoredProject, receiver: Receiver
) -> None:
    with running_server() as address:
        url = address.replace("postgresql://", "postgresql+psycopg://")
        config = project.configure(f"{hook(receiver)}ledger: {{url: '{url}'}}\n")
        assert config.ledger.url is not None
        project.score([Lead(f"L{number}") for number in range(60)])
        engine = create_engine(url)
        with engine.connect() as admin:
            close = "ALTER ROLE tester NOLOGIN"

            def close_the_door() -> None:
                receiver.before_it_answers = lambda: None
                admin.execute(text(close))
                admin.commit()

            receiver.before_it_answers = close_the_door
            with pytest.raises(WorkspaceError, match="cannot use the ledger") as gone:
                told(project)
            assert "only for this" not in str(gone.value)
            assert 0 < receiver.effects.total() < 60
            admin.execute(text("ALTER ROLE tester LOGIN"))
            admin.commit()
        engine.dispose()
        assert told(project).delivered == 60
        assert set(receiver.effects.values()) == {1}
        assert len(receiver.effects) == 60
        assert told(project).delivered == 0


def test_a_full_disk_is_one_clear_error_and_the_next_run_delivers(
    project: ScoredProject, receiver: Receiver
) -> None:
    project.score([Lead(f"L{number:04}") for number in range(600)])

    def no_room() -> None:
        # A file that cannot grow fails as on a full disk, without filling one.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    ran = leadlight_process("deliver", "-c", project.path, prepare=no_room)
    assert "the disk is full" in ran.refused()
    assert "run the same command again" in ran.refused()
    assert receiver.effects == {}
    assert told(project).delivered == 600
    assert set(receiver.effects.values()) == {1}


def test_a_full_disk_leaves_the_earlier_file_as_it_was(project: ScoredProject) -> None:
    project.configure("  sinks: [{name: file, kind: csv, path: out/leads.csv}]\n")
    project.score([Lead("a")])
    assert told(project).delivered == 1
    path = project.directory / "out" / "leads.csv"
    before = path.read_bytes()
    project.score([Lead(f"L{number:04}" * 40) for number in range(500)], night=1)

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))

    ran = leadlight_process("deliver", "-c", project.path, prepare=no_room)
    assert ran.code == 5
    assert "the disk is full" in ran.out
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["leads.csv"]
    assert told(project).delivered == 500


def obey_permissions() -> None:
    """Let even root be refused what permissions refuse."""
    libc = ctypes.CDLL(None)
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


@pytest.mark.parametrize("command", ["deliver", "score"])
def test_a_workspace_that_is_read_only_is_one_clear_error(
    project: ScoredProject, receiver: Receiver, command: str
) -> None:
    project.score([Lead("a")])
    workspace = project.config.workspace_directory
    for path in (workspace, *workspace.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    ran = leadlight_process(command, "-c", project.path, prepare=obey_permissions)
    for path in (workspace, *workspace.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert f"cannot write the workspace {workspace}: Permission denied" in ran.refused()
    assert receiver.effects == {}
    assert told(project).delivered == 1


def test_a_clock_that_runs_backwards_neither_repeats_a_change_nor_leaves_one_out(
    project: ScoredProject, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.score([Lead("a"), Lead("b")])
    assert told(project).delivered == 2

    class LongAgo(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "LongAgo":
            return cls(2001, 1, 1, tzinfo=UTC)

    for module in ("run_lock", "delivery.outbox", "delivery.patience"):
        monkeypatch.setattr(f"leadlight.pipelines.{module}.datetime", LongAgo)
    monkeypatch.setattr("time.time", lambda: LongAgo.now().timestamp())
    assert told(project).delivered == 0
    project.score([Lead("a", 0.5), Lead("b")], night=1)
    assert told(project).delivered == 1
    monkeypatch.undo()
    assert receiver.effects == {"a": 2, "b": 1}
