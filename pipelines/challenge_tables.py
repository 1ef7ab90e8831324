"""What a person reads of a retraining on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leadlight.models.bootstrap import Estimate
from leadlight.models.challenge import Comparison, MqlChange, RankMove

from .retrain import Retrained

_FIGURES = (
    ("log_loss", "log loss", 4),
    ("auc", "AUC", 3),
    ("lift_at_10", "lift of the best tenth", 2),
    ("ece", "calibration error", 3),
    ("calibration_slope", "calibration slope", 2),
)


def retraining_summary(retrained: Retrained) -> RenderableType:
    """Show the comparison, who would move, and what was decided."""
    parts: list[RenderableType] = []
    if retrained.comparison is not None:
        parts.append(_comparison_table(retrained.comparison))
    if retrained.change is not None:
        parts += [Text(retrained.change.sentence()), *_moves(retrained.change)]
    style = "bold green" if retrained.outcome == "promoted" else "bold"
    parts.append(
        Text.assemble(
            (f"{retrained.outcome}: ", style),
            f"decision version {retrained.champion} is the champion. {retrained.reason}",
        )
    )
    return Group(*parts)


def _comparison_table(comparison: Comparison) -> Table:
    told = comparison.challenger
    table = Table(
        title=f"On the same later window: {told.rows:,} snapshots, {told.positives:,} won",
        title_justify="left",
    )
    table.add_column("figure")
    for name in ("champion", "challenger", "difference", "95 % interval"):
        table.add_column(name, justify="right")
    for name, label, digits in _FIGURES:
        before: Estimate = getattr(comparison.champion, name)
        after: Estimate = getattr(told, name)
        gap = comparison.differences[name]
        table.add_row(
            label,
            f"{before.value:.{digits}f}",
            f"{after.value:.{digits}f}",
            f"{gap.value:+.{digits}f}",
            f"{gap.low:+.{digits}f} to {gap.high:+.{digits}f}",
        )
    return table


def _moves(change: MqlChange) -> list[RenderableType]:
    if not change.moves:
        return []
    table = Table(title="The largest moves, each with the first reason", title_justify="left")
    for name in ("lead", "place", "MQL", "champion says", "challenger says"):
        table.add_column(name, ratio=1 if name.endswith("says") else None)
    for move in change.moves:
        table.add_row(
            Text(move.lead_id),
            f"{move.before:.0%} to {move.after:.0%}",
            _mql(move),
            Text("\n".join(move.reasons_before[:1])),
            Text("\n".join(move.reasons_after[:1])),
        )
    return [table]


def _mql(move: RankMove) -> str:
    words = {True: "yes", False: "no"}
    before, after = words[move.mql_before], words[move.mql_after]
    return before if before == after else f"{before} to {after}"
