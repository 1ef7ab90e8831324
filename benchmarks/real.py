"""The README's table: four public data sets, one command each to train, score and report."""

import os
import tempfile
from pathlib import Path

from real_projects import EXAMPLES, ROOT, RealResult, run_example
from results import Result, write_results
from rich.console import Console


def main() -> None:
    data = Path(os.environ.get("LEADLIGHT_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        raise SystemExit(
            f"no data at {data}: set LEADLIGHT_DATA to the folder with the public data sets "
            "(each example says where its own is to be had)"
        )
    console = Console(width=200)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for name in EXAMPLES:
            done = run_example(name, data, Path(folder) / name)
            if not results:
                print(HEAD)
            print(row(done))
            results += figures(done)
    write_results("real", results, seed=0, console=console)


HEAD = (
    "| project | rows tested | base rate | AUC | plain HistGradientBoosting | log loss "
    "| calibration error (by chance) | lift at 10 % | train, s | score, s |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def row(done: RealResult) -> str:
    told = done.story["evaluation"]
    cells = [
        f"`{done.name}`",
        f"{told['rows']:,}",
        f"{told['base_rate']['value']:.1%}",
        span(told["auc"], 3),
        f"{done.peer_auc:.3f}",
        span(told["log_loss"], 4),
        f"{told['ece']['value']:.3f} ({told['ece_noise']['value']:.3f})",
        span(told["lift_at_10"], 1),
        f"{done.seconds['train']:.0f}",
        f"{done.seconds['score']:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def span(estimate: dict[str, float], digits: int) -> str:
    low, high = (f"{estimate[end]:.{digits}f}" for end in ("low", "high"))
    return f"{estimate['value']:.{digits}f} [{low}, {high}]"


def figures(done: RealResult) -> list[Result]:
    return [
        Result(
            figure=f"{done.name}: AUC on the last window",
            value=done.auc,
            unit="AUC",
            peer=f"plain HistGradientBoosting: {done.peer_auc:.4f}",
            ratio=done.auc / done.peer_auc,
            mark="at least the peer's - 0.02",
            met=done.auc >= done.peer_auc - 0.02,
        ),
        *(
            Result(f"{done.name}: {command}", seconds, "s", None, None, None, None)
            for command, seconds in done.seconds.items()
        ),
    ]


if __name__ == "__main__":
    main()
