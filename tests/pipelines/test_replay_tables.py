"""What a person reads of a replay: every figure, in a terminal of 80 columns."""

from pathlib import Path

import numpy as np
from rich.console import Console

from leadlight.models.evaluation import evaluate
from leadlight.models.replay_figures import GATED, Foretold, Replayed, ReplayStep, step_figures
from leadlight.pipelines.replay import Replay
from leadlight.pipelines.replay_tables import replay_summary


def test_figures_are_whole_in_eighty_columns() -> None:
    won = np.arange(200) % 4 == 0
    probability = np.where(won, 0.4, 0.2)
    figures = step_figures(
        Foretold(probability, probability > 0.3, 0.873), won, np.arange(200), np.ones(200)
    )
    step = ReplayStep("2025-01-01", 900, 200, 50, False, "Too early.", {GATED: figures})
    overall = {GATED: evaluate(probability, won, np.arange(200), seed=0)}
    console = Console(width=80, color_system=None)
    with console.capture() as shown:
        console.print(replay_summary(Replay(Replayed((step,), overall), (), (Path("a.csv"),))))
    said = shown.get()
    assert "2025-01-01: 200 snapshots, 25.0% won; champion kept" in said
    (line,) = [each for each in said.splitlines() if "87.3%" in each]
    assert line.split()[-6:] == [
        "50",
        "87.3%",
        "100.0%",
        f"{figures.foretold_rate:.1%}",
        f"{figures.log_loss:.4f}",
        "1.000",
    ]
    assert "…" not in said
