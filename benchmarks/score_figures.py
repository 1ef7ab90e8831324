"""The nightly job on a million leads, beside a bare read of the same Parquet."""

import argparse
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from demo_scan import scan
from demo_stages import CONFIG, Command, Stage, run_generate, run_night, run_train
from footprint import Watched, watch_call
from results import Result, against, at_most, write_results

from leadlight.pipelines.config import load_config
from leadlight.pipelines.workspace import Workspace

SEED = 0
MARK_MEGABYTES = 2_000  # memory_limit's default
FEATURES = "Computing features"
TAUGHT_BY = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 thousand leads")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        results = nights(Path(folder), leads=20_000 if quick else 1_000_000)
    write_results("score", results, seed=SEED, quick=quick)


def nights(place: Path, leads: int) -> list[Result]:
    """Score one world on two nights that follow each other, by a model that a small one taught."""
    small, large = place / "small", place / "large"
    watch_call(run_generate, small, TAUGHT_BY, SEED)
    watch_call(run_train, small)
    watch_call(run_generate, large, leads, SEED + 1)
    _share_the_model(small, large)
    config = load_config(large / CONFIG)
    last = config.observation.observed_until
    assert last is not None  # noqa: S101 - the demo's configuration says it
    first = watch_call(run_night, large, last - timedelta(days=1))
    second = watch_call(run_night, large, last)
    tables = Workspace(config.workspace_directory).tables
    floor = watch_call(scan, [str(path) for path in sorted(tables.rglob("*.parquet"))]).returned
    return [
        *(Result(what, count, "") for what, count in first.returned.counts.items()),
        *_night("first night", first, floor),
        *_night("night after", second, floor),
    ]


def _share_the_model(taught: Path, other: Path) -> None:
    store = load_config(taught / CONFIG).tracking_uri
    config = other / CONFIG
    text = config.read_text(encoding="utf-8")
    config.write_text(f"{text}\nmlflow: {{tracking_uri: '{store}'}}\n", encoding="utf-8")


def _night(name: str, night: Watched[Command], floor: float) -> list[Result]:
    stages = night.returned.stages
    features = _seconds(stages, FEATURES)
    at = [stage.name for stage in stages].index(FEATURES)
    after = sum(stage.seconds for stage in stages[at + 1 :])
    peer = "DuckDB scan of the same Parquet"
    return [
        against(name, night.seconds, "s", peer, floor),
        *(
            against(f"{name}: {stage.name[0].lower()}{stage.name[1:]}", stage.seconds, "s",
                    "the whole night", night.seconds)
            for stage in stages
        ),
        at_most(f"{name}: stages after the features, over the features", after / features, "", 1.0),
        at_most(f"{name}: peak memory of all processes", night.peak(), "MB", MARK_MEGABYTES),
        Result(f"{name}: processor time", night.returned.processor, "s"),
    ]  # fmt: skip


def _seconds(stages: Sequence[Stage], name: str) -> float:
    return sum(stage.seconds for stage in stages if stage.name == name)
