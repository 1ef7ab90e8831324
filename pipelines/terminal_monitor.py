"""What a person reads on a terminal of a run of the monitor."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .monitor import Monitored
from .report.formats import decimal, percent

_STYLE = {"fine": "bold green", "attention": "bold yellow", "act": "bold red"}
_DRIFTS_SHOWN = 5


def monitor_table(told: Monitored) -> RenderableType:
    """Show status, alarms with what they mean and what to do, and the features that moved most."""
    parts: list[RenderableType] = [
        Text.assemble(
            (told.status, _STYLE[told.status]),
            f"  {told.project}, scores as of {told.as_of:%Y-%m-%d %H:%M} UTC, decision version "
            f"{told.decision_version}; {told.looks:,} looks",
        )
    ]
    if told.alarms:
        table = Table(show_lines=True)
        for name in ("level", "what", "evidence", "meaning, and what to do"):
            table.add_column(name)
        for alarm in told.alarms:
            evidence = [alarm.evidence, *(f"So: {one}" for one in alarm.consequences[:3])]
            table.add_row(
                Text(alarm.level, _STYLE[alarm.level]),
                Text(alarm.title),
                Text("\n".join(evidence)),
                Text(f"{alarm.meaning}\n{alarm.to_do}"),
            )
        parts.append(table)
    figures = Table(title="Figures", title_justify="left")
    for name in ("figure", "now", "at training"):
        figures.add_column(name, justify="left" if name == "figure" else "right")
    now, then = told.estimated, told.promised
    figures.add_row("estimated AUC", decimal(now.auc), decimal(then.auc))
    figures.add_row("estimated precision of MQLs", percent(now.precision), percent(then.precision))
    figures.add_row("estimated conversion of all", percent(now.base_rate), percent(then.base_rate))
    if told.conversion is not None:
        figures.add_row("realised over promised wins", decimal(told.conversion.ratio, 2), "1.00")
    for one in told.drifts[:_DRIFTS_SHOWN]:
        figures.add_row(Text(f"PSI: {one.label}"), decimal(one.psi), decimal(one.usual))
    parts += [figures, *(Text(f"Note: {note}", "dim") for note in told.notes)]
    return Group(*parts)
