"""What a person reads of a delivery on a terminal: built here, printed by the CLI alone."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .delivery.results import SinkReport

_SHOWN = 20


def difference_table(report: SinkReport) -> RenderableType:
    """Show what a sink would be told, the changes of most worth first."""
    title = f"{report.sink} ({report.kind}): {len(report.changes):,} changes"
    if not report.changes:
        return Text(title)
    table = Table(title=title, title_justify="left")
    table.add_column("lead", no_wrap=True)
    for name in ("score", "grade", "state"):
        table.add_column(name, justify="right" if name == "score" else "left")
    for change in report.changes[:_SHOWN]:
        table.add_row(
            Text(str(change["lead_id"])),
            *(_before_and_now(change, name) for name in ("score", "grade", "state")),
        )
    left = len(report.changes) - _SHOWN
    return Group(table, Text(f"... and {left:,} more")) if left > 0 else table


def dead_letters(report: SinkReport) -> RenderableType:
    """Show the leads that a sink refused, in its own words."""
    title = f"{report.sink} refused {len(report.refused):,} leads"
    table = Table(title=title, title_justify="left")
    table.add_column("lead", no_wrap=True)
    table.add_column("what it said", overflow="fold")
    for lead, said in list(report.refused.items())[:_SHOWN]:
        table.add_row(Text(lead), Text(said))
    left = len(report.refused) - _SHOWN
    return Group(table, Text(f"... and {left:,} more")) if left > 0 else table


def _before_and_now(change: Mapping[str, Any], name: str) -> Text:
    before, now = change[f"{name}_before"], change[name]
    if before is None:
        return Text(f"new: {now}")
    if before == now:
        return Text(str(now), "dim")
    return Text(f"{before} -> {now}", "bold" if name == "state" else "")
