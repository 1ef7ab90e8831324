"""A delivery that is killed at any point: the next one goes on, and each change has one effect."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from postgres_server import running_server
from scored_leads import Lead, ScoredProject
from sqlalchemy import Engine, create_engine, text

LEADS = 120
KILLS = 20
Effects = Counter[tuple[str, int]]

# Imports once and forks for each delivery: twenty starts of Python would be most of the test.
NURSERY = """
import os, sys
import leadlight.pipelines.deliver, leadlight.pipelines.terminal_delivery, psycopg
from leadlight.pipelines.cli import main
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv = ["leadlight", "deliver", "--json", "--config", line.strip()]
        try:
            main()
        except SystemExit as end:
            os._exit(end.code if isinstance(end.code, int) else 1)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""

# A row of the log for each row that really changed; an upsert that changes nothing leaves none.
LOG = """
CREATE TABLE scores (lead_id VARCHAR(255) PRIMARY KEY, points INTEGER);
CREATE TABLE effects (lead_id VARCHAR(255), points INTEGER);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO effects VALUES (NEW.lead_id, NEW.points); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON scores FOR EACH ROW EXECUTE FUNCTION note();
"""


@contextmanager
def running_receiver() -> Iterator[tuple[str, Effects]]:
    """Yield the address of a receiver that honours keys, and the effects that changes had there."""
    effects: Effects = Counter()
    seen: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
            if self.headers["Idempotency-Key"] not in seen:
                seen.add(self.headers["Idempotency-Key"])
                effects[told["id"], told["points"]] += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", effects
    finally:
        server.shutdown()
        server.server_close()


class Nursery:
    """Deliveries in processes of their own."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )

    def deliver(self, killed_after: float | None = None) -> int:
        """Deliver, and kill it after so many seconds; return how it ended, as ``waitpid`` does."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{self.config}\n")
        stdin.flush()
        child = int(stdout.readline())
        if killed_after is not None:
            time.sleep(killed_after)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return int(stdout.readline())

    def close(self) -> None:
        self.process.communicate(timeout=30)


def effects_in(engine: Engine) -> Effects:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT lead_id, points FROM effects"))
        return Counter((row[0], row[1]) for row in rows)


def score_night(project: ScoredProject, night: int) -> Effects:
    """Give each lead one point more than the night before; return the effects it should have."""
    leads = [Lead(f"L{number:03}", 0.01 * (night + 1)) for number in range(LEADS)]
    project.score(leads, night)
    return Counter((lead.lead_id, night + 1) for lead in leads)


@pytest.mark.postgres
def test_a_delivery_that_is_killed_at_twenty_random_points_has_each_effect_once_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_points = random.Random(7)  # noqa: S311
    with running_server() as address, running_receiver() as (url, told):
        database = address.replace("postgresql://", "postgresql+psycopg://")
        monkeypatch.setenv("DB_URL", database)
        monkeypatch.setenv("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        engine = create_engine(database)
        with engine.begin() as connection:
            connection.execute(text(LOG))
        project = ScoredProject(tmp_path)
        fields = "fields: {lead_id: %s, score: points}"
        project.configure(
            f"  sinks:\n    - {{name: hook, kind: webhook, url: '{url}', secret: HOOK_SECRET, "
            f"{fields % 'id'}}}\n    - {{name: db, kind: sql, url: DB_URL, table: scores, "
            f"{fields % 'lead_id'}}}\n"
        )
        nursery = Nursery(project.path)
        wanted, kills, half_way = score_night(project, 0), 0, 0
        assert nursery.deliver() == 0
        began = time.monotonic()
        wanted += score_night(project, 1)
        assert nursery.deliver() == 0
        takes = time.monotonic() - began
        for night in range(2, 100):
            ended = int(signal.SIGKILL)
            wanted += score_night(project, night)
            while ended and kills < KILLS:
                ended = nursery.deliver(killed_after=random_points.uniform(0, takes))
                assert ended in {0, signal.SIGKILL}
                kills += ended != 0
                half_way += told.total() % LEADS > 0
            assert nursery.deliver() == 0
            assert told == wanted
            assert effects_in(engine) == wanted
            if kills == KILLS:
                break
        assert half_way > 0, "none was killed while it was sending"
        nursery.close()
        engine.dispose()
