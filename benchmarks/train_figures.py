"""Training at the sizes where it gets hard, as figures beside plain boosted trees."""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from footprint import Watched, watch_call
from results import Result, against, at_most, write_results
from train_runs import PlainFit, Spent, Trained, plain_auc, run_plain, run_training
from train_snapshots import Shape, write_snapshots

SEED = 0
MARK_RATIO = 5.0
MARK_MEGABYTES = 8_000
PLAIN_REPEATS = 3  # at each of two times, and for each number of threads
THREADS = (None, 1)  # None: as many as scikit-learn takes by itself


@dataclass(frozen=True)
class Sizes:
    """Of the timed training, of the large one, and of those that are hard in another way."""

    timed: Shape
    large: Shape
    hard: dict[str, Shape]


FULL = Sizes(
    timed=Shape(100_000, 100, wins=2_000),
    large=Shape(1_000_000, 100, wins=20_000),
    hard={
        "wide": Shape(5_000, 2_000, wins=500),
        "imbalance 0.4 %": Shape(100_000, 50, wins=400),
        "200 wins in all": Shape(10_000, 50, wins=200),
    },
)
SMALL = Sizes(
    timed=Shape(10_000, 100, wins=200),
    large=Shape(50_000, 100, wins=1_000),
    hard={
        "wide": Shape(2_000, 300, wins=200),
        "imbalance 0.4 %": Shape(50_000, 20, wins=200),
        "200 wins in all": Shape(5_000, 20, wins=200),
    },
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of training.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, in two minutes")
    quick = parser.parse_args().quick
    sizes = SMALL if quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        results = [
            *timed(sizes.timed, place),
            *large(sizes.large, place),
            *(figure for name, shape in sizes.hard.items() for figure in hard(name, shape, place)),
        ]
    write_results("train", results, seed=SEED, quick=quick)


def timed(shape: Shape, place: Path) -> list[Result]:
    """Train twice, the second time with the folds of the first, beside plain fits."""
    path, folds = _written(shape, place)
    # Before and after, so that a machine that slows down does so for both.
    before = [run for threads in THREADS for run in _plain(path, shape, threads)]
    first = watch_call(run_training, path, shape, folds, SEED)
    again = watch_call(run_training, path, shape, folds, SEED).returned
    _require_equal(first.returned, again)
    plain = before + [run for threads in THREADS for run in _plain(path, shape, threads)]
    name, ours = _named("train", shape), first.returned.spent
    figures = [
        _beside(name, ours, [run for run in plain if run.threads == threads], threads)
        for threads in THREADS
    ]
    return [
        *(figure for pair in figures for figure in pair),
        against(f"{name} again, folds kept", again.spent.seconds, "s", "first", ours.seconds),
        Result(f"{name}: peak memory", _peak(first), "MB"),
        _auc(name, first.returned, path, shape),
    ]


def large(shape: Shape, place: Path) -> list[Result]:
    """Train on many rows; memory is that of all processes, shared pages counted for each."""
    path, folds = _written(shape, place)
    trained = watch_call(run_training, path, shape, folds, SEED)
    name, spent = _named("train", shape), trained.returned.spent
    return [
        at_most(f"{name}: peak memory", _peak(trained), "MB", MARK_MEGABYTES),
        Result(name, spent.seconds, "s"),
        Result(f"{name}: processor time", spent.processor, "s"),
        _auc(name, trained.returned, path, shape),
    ]


def hard(what: str, shape: Shape, place: Path) -> list[Result]:
    """Train where rows, wins or both are few for what there is to learn."""
    path, folds = _written(shape, place)
    trained = watch_call(run_training, path, shape, folds, SEED)
    plain = [run.spent.seconds for run in _plain(path, shape, None)]
    name = _named(what, shape)
    return [
        against(
            name, trained.returned.spent.seconds, "s", _plain_name(None), statistics.median(plain)
        ),
        Result(f"{name}: peak memory", _peak(trained), "MB"),
        _auc(name, trained.returned, path, shape),
    ]


def _beside(
    name: str, ours: Spent, plain: Sequence[PlainFit], threads: int | None
) -> tuple[Result, Result]:
    """Return wall and processor time beside the medians of plain fits."""
    seconds = statistics.median(run.spent.seconds for run in plain)
    processor = statistics.median(run.spent.processor for run in plain)
    wall = against(name, ours.seconds, "s", _plain_name(threads), seconds)
    return (
        replace(
            wall,
            mark=f"at most {MARK_RATIO:g} times",
            met=ours.seconds <= MARK_RATIO * seconds,
        ),
        against(f"{name}: processor time", ours.processor, "s", _plain_name(threads), processor),
    )


def _auc(name: str, trained: Trained, path: Path, shape: Shape) -> Result:
    """Return the AUC on the last window; without a model, why there is none."""
    figure = f"{name}: {trained.failure or 'AUC on the last window'}"
    plain = watch_call(plain_auc, path, shape, SEED).returned
    return replace(
        against(figure, trained.auc, "", "plain HistGradientBoosting", plain),
        mark="trains",
        met=not trained.failure,
    )


def _written(shape: Shape, place: Path) -> tuple[Path, Path]:
    path = place / f"{shape.rows}x{shape.columns}-{shape.wins}.parquet"
    write_snapshots(shape, path, seed=SEED)
    return path, path.with_suffix(".folds")


def _plain(path: Path, shape: Shape, threads: int | None) -> Sequence[PlainFit]:
    return watch_call(run_plain, path, shape, threads, PLAIN_REPEATS, SEED).returned


def _plain_name(threads: int | None) -> str:
    return "plain HistGradientBoosting" + ("" if threads is None else f", {threads} thread")


def _named(what: str, shape: Shape) -> str:
    return f"{what}, {shape.rows:,} x {shape.columns:,}"


def _peak(trained: Watched[Trained]) -> float:
    return trained.peak(trained.returned.spent.started, trained.returned.spent.ended)


def _require_equal(first: Trained, again: Trained) -> None:
    if first.probabilities != again.probabilities:
        raise RuntimeError("training with kept folds gave another model than without")
