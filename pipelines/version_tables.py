"""What a person reads of decision versions on a terminal."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from .promotion import ChampionDecision
from .registry import CHAMPION, VersionEntry

_DECISIONS_SHOWN = 20


def version_table(entries: Sequence[VersionEntry]) -> RenderableType:
    """Show the decision versions, the newest first: which is champion, who made each and why."""
    table = Table(title="Decision versions", title_justify="left")
    for name in ("version", "alias", "made", "by", "why"):
        table.add_column(name, justify="right" if name == "version" else "left")
    for each in entries:
        table.add_row(
            str(each.number),
            Text(", ".join(each.aliases), "bold green" if CHAMPION in each.aliases else ""),
            f"{each.made_at:%Y-%m-%d %H:%M}",
            Text(each.mandate.by),
            Text(each.mandate.reason),
        )
    return table


def decision_table(decisions: Sequence[ChampionDecision]) -> RenderableType:
    """Show what was decided about the champion, the newest first."""
    table = Table(title="Decisions about the champion", title_justify="left")
    for name in ("when", "what", "champion before", "version", "by", "why"):
        table.add_column(name)
    for each in decisions[:_DECISIONS_SHOWN]:
        table.add_row(
            f"{each.decided_at:%Y-%m-%d %H:%M}",
            each.action,
            "" if each.from_version is None else str(each.from_version),
            "" if each.to_version is None else str(each.to_version),
            Text(each.mandate.by),
            Text(each.mandate.reason),
        )
    return table
