"""One lead scored over HTTP, as a caller waits for it."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from results import Result, against, at_most, write_results

from leadlight.pipelines.config import load_config
from leadlight.pipelines.demo.world import WorldSpec, generate_world
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.score import score
from leadlight.pipelines.train import train
from leadlight.pipelines.workspace import Workspace

SEED, PORT, WARM = 0, 8517, 20
_STARTS_WITHIN = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 leads, 100 of them asked for")
    quick = parser.parse_args().quick
    leads, asked = (2_000, 100) if quick else (20_000, 1_000)
    with tempfile.TemporaryDirectory() as place:
        made = generate_world(WorldSpec(leads=leads, seed=SEED), Path(place) / "demo")
        config = load_config(made.config)
        train(config, Progress(quiet=True))
        score(config, Progress(quiet=True))
        known = pq.read_table(Workspace(config.workspace_directory).tables / "leads.parquet")
        ids = np.random.default_rng(SEED).permutation(known["lead_id"].to_pylist())
        ids = ids[: asked + WARM].tolist()
        end = config.observation.observed_until
        assert end is not None  # noqa: S101 - the demo's configuration says it
        with serving(made.config) as client:
            floor = 1e3 * seconds(lambda _: client.get("/health"), ids)
            took = 1e3 * seconds(lambda lead: client.post("/score", json=demo_request(lead, end)),
                                 ids)  # fmt: skip
    results = [
        at_most("a known lead who asked for a demo, median", float(np.median(took)), "ms", 50.0),
        Result("95 of 100 answered within", float(np.quantile(took, 0.95)), "ms"),
        against("of it HTTP alone", float(np.median(floor)), "ms",
                "the whole answer", float(np.median(took))),
    ]  # fmt: skip
    write_results("serve", results, seed=SEED, quick=quick)


def demo_request(lead_id: str, as_of: datetime) -> dict[str, object]:
    """Return what a form sends a minute after somebody asked for a demo."""
    asked = as_of - timedelta(minutes=1)
    event = {"event_type": "demo_request", "occurred_at": asked.isoformat()}
    return {"lead": {"lead_id": lead_id}, "events": [event], "as_of": as_of.isoformat()}


def seconds(ask: Callable[[str], httpx.Response], whom: Sequence[str]) -> NDArray[np.float64]:
    """Ask for one after another; the first ones warm up."""
    took = []
    for each in whom:
        began = time.perf_counter()
        answer = ask(each)
        took.append(time.perf_counter() - began)
        answer.raise_for_status()
    return np.array(took[WARM:])


@contextmanager
def serving(config: Path) -> Iterator[httpx.Client]:
    """Let ``leadlight serve`` listen in a process of its own until the end of the block."""
    command = [sys.executable, "-m", "leadlight.pipelines", "serve"]
    process = subprocess.Popen([*command, "--config", str(config), "--port", str(PORT)])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{PORT}") as client:
            _wait_for(client)
            yield client
    finally:
        process.terminate()
        process.wait()


def _wait_for(client: httpx.Client) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while True:
        try:
            client.get("/health").raise_for_status()
        except httpx.ConnectError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


if __name__ == "__main__":
    main()
