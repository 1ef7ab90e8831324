"""What a person reads of a replay on a terminal."""

import math

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leadlight.models.bootstrap import Estimate
from leadlight.models.replay_figures import INCUMBENT, ReplayStep, StepFigures

from .replay import Replay

_FIGURES = (
    ("log_loss", "log loss", 4),
    ("auc", "AUC", 3),
    ("ece", "calibration error", 3),
    ("lift_at_10", "lift of the best tenth", 2),
)


def replay_summary(replay: Replay) -> RenderableType:
    """Show each step, then each policy over all of them; in 80 columns."""
    parts: list[RenderableType] = [_step(step) for step in replay.replayed.steps]
    parts += [_overall(replay), *map(Text, replay.notes)]
    parts += [Text(f"Written: {path}") for path in replay.files]
    return Group(*parts)


def _step(step: ReplayStep) -> Table:
    gate = "challenger promoted" if step.promoted else "champion kept"
    table = Table(
        title=f"{step.name}: {step.rows:,} snapshots, {step.wins / step.rows:.1%} won; {gate}",
        title_justify="left",
        box=None,
    )
    table.add_column("", no_wrap=True)
    for name in ("MQLs", "promised", "realised", "foretold", "log loss", "AUC"):
        table.add_column(name, justify="right", no_wrap=True)
    for told, figures in step.figures.items():
        table.add_row(told, *_cells(figures))
    return table


def _cells(figures: StepFigures) -> tuple[str, ...]:
    return (
        f"{figures.mqls:,}",
        _share(figures.promised_precision),
        _share(figures.realised_precision),
        _share(figures.foretold_rate),
        _number(figures.log_loss, 4),
        _number(figures.auc, 3),
    )


def _overall(replay: Replay) -> Table:
    first = next(iter(replay.replayed.overall.values()))
    table = Table(
        title=f"All steps together: {first.rows:,} snapshots, {first.positives:,} won",
        title_justify="left",
    )
    table.add_column("policy")
    for _, label, _ in _FIGURES:
        table.add_column(label, justify="right")
    for told, evaluation in replay.replayed.overall.items():
        cells = []
        for name, _, digits in _FIGURES:
            it: Estimate = getattr(evaluation, name)
            cells.append(f"{it.value:.{digits}f} [{it.low:.{digits}f}, {it.high:.{digits}f}]")
        style = "dim" if told == INCUMBENT else None
        table.add_row(told, *cells, style=style)
    return table


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1%}"


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
