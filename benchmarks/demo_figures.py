"""Time and memory of each stage of the main job, beside a bare read and a bare fit."""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo_fit import fit_plain
from demo_scan import scan
from demo_stages import CONFIG, Command, run_generate, run_report, run_score, run_train
from footprint import Watched, watch_call, watch_command
from results import Result, against, at_most, write_results

from leadlight.features.catalog import Feature
from leadlight.pipelines.config import load_config
from leadlight.pipelines.workspace import Workspace

SEED = 0
DEFAULT_LEADS = 20_000  # of `leadlight demo`
MARK_SECONDS = 60

DOOR = "Reading and validating sources"
FEATURES = "Computing features"
TRAINING = "Training and evaluating"


@dataclass(frozen=True)
class Peer:
    """What a stage is held against."""

    name: str
    seconds: float
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 thousand leads, in a minute")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        results = [
            *main_job(place / "world", leads=3_000 if quick else 100_000),
            *whole_command(place / "demo", leads=2_000 if quick else DEFAULT_LEADS),
        ]
    write_results("demo", results, seed=SEED, quick=quick)


def main_job(directory: Path, leads: int) -> list[Result]:
    """Run the commands of the main job one after the other, each in a process of its own."""
    generated = watch_call(run_generate, directory, leads, SEED)
    trained = watch_call(run_train, directory)
    scored = watch_call(run_score, directory)
    reported = watch_call(run_report, directory)
    raw, tables, fit = peers(directory, trained.returned.features)
    counts = trained.returned.counts | scored.returned.counts
    return [
        *(Result(what, count, "") for what, count in counts.items()),
        *figures("generate", generated, {}),
        *figures("train", trained, {DOOR: raw, FEATURES: tables, TRAINING: fit}),
        door_and_features(trained, tables),
        *figures("score", scored, {DOOR: raw, FEATURES: tables}),
        *figures("report", reported, {}),
    ]


def peers(directory: Path, features: Sequence[Feature]) -> tuple[Peer, Peer, Peer]:
    """Measure the scan of the raw files, the scan of the canonical Parquet, and the plain fit."""
    config = load_config(directory / CONFIG)
    workspace = Workspace(config.workspace_directory)
    raw = [source.path for source in config.sources_list() if source.path]
    tables = [str(path) for path in sorted(workspace.tables.rglob("*.parquet"))]
    parts = workspace.features("training") / "parts"
    return (
        _peer("DuckDB scan of the raw files", watch_call(scan, raw)),
        _peer("DuckDB scan of the Parquet", watch_call(scan, tables)),
        _peer("plain HistGradientBoosting", watch_call(fit_plain, parts, features, SEED)),
    )


def whole_command(directory: Path, leads: int) -> list[Result]:
    """Run the main job as its first reader does: one command, start and imports included."""
    command = [sys.executable, "-m", "leadlight.pipelines", "demo", str(directory)]
    done = watch_command([*command, "--leads", str(leads)])
    name = f"leadlight demo, {leads:,} leads"
    return [
        at_most(name, done.seconds, "s", MARK_SECONDS)
        if leads == DEFAULT_LEADS
        else Result(name, done.seconds, "s"),
        Result(f"{name}: peak memory", done.peak(), "MB"),
    ]


def figures(name: str, command: Watched[Command], beside: Mapping[str, Peer]) -> list[Result]:
    """Return wall time and peak memory of each stage, then of the whole command."""
    found = []
    for stage in command.returned.stages:
        label = f"{name}: {stage.name[0].lower()}{stage.name[1:]}"
        memory = command.peak(stage.started, stage.ended)
        peer = beside.get(stage.name)
        if peer is None:
            found.append(Result(label, stage.seconds, "s"))
            found.append(Result(f"{label}, peak memory", memory, "MB"))
        else:
            found.append(against(label, stage.seconds, "s", peer.name, peer.seconds))
            found.append(against(f"{label}, peak memory", memory, "MB", peer.name, peer.megabytes))
    return [
        *found,
        Result(f"{name}: all stages and between", command.seconds, "s"),
        Result(f"{name}: processor time", command.returned.processor, "s"),
        Result(f"{name}: peak memory", command.peak(), "MB"),
    ]


def door_and_features(trained: Watched[Command], tables: Peer) -> Result:
    """Return the way from raw files to the training set beside one read of its Parquet."""
    seconds = sum(
        stage.seconds for stage in trained.returned.stages if stage.name in {DOOR, FEATURES}
    )
    return against("train: door and features", seconds, "s", tables.name, tables.seconds)


def _peer(name: str, work: Watched[float]) -> Peer:
    return Peer(name, work.returned, work.peak())
