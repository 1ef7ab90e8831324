"""The printed tables of bench-quality."""

from collections.abc import Sequence

from quality_results import CaseResult, mean_log_loss
from quality_runs import LEADLIGHT, NAMES
from quality_scores import Score
from rich.console import Console
from rich.table import Table

_COLUMNS = ("log loss", "AUC", "AP", "ECE", "beyond chance", "lift at 10 %", "fit, s", "CPU, s")


def print_case(found: CaseResult, console: Console) -> None:
    """Print each contestant's figures; ratios are over leadlight's log loss and seconds."""
    table = Table(title=f"{found.case.name}: {found.case.story}", title_justify="left")
    table.add_column("who")
    for column in (*_COLUMNS, "log loss : ours", "seconds : ours"):
        table.add_column(column, justify="right")
    ours = found.answers[LEADLIGHT]
    for name, score in found.scores.items():
        answer = found.answers[name]
        table.add_row(
            NAMES[name] + (" (kept)" if answer.kept else ""),
            *_figures(score),
            f"{answer.seconds:.1f}",
            f"{answer.cpu:.1f}",
            f"{score.log_loss / found.ours.log_loss:.3f}",
            f"{answer.seconds / ours.seconds:.2f}",
        )
    if found.truth:
        ratio = found.truth.log_loss / found.ours.log_loss
        table.add_row("(true probabilities)", *_figures(found.truth), "", "", f"{ratio:.3f}", "")
    console.print(table)
    gap = found.difference
    console.print(
        f"{found.verdict}: leadlight's log loss is {gap.value:+.4f} [{gap.low:+.4f}, "
        f"{gap.high:+.4f}] from that of {NAMES[found.best]}, the best peer\n"
    )


def print_means(found: Sequence[CaseResult], console: Console) -> None:
    """Print the mean log loss over the cases, best first."""
    table = Table(title=f"mean log loss over {len(found)} cases", title_justify="left")
    table.add_column("who")
    table.add_column("log loss", justify="right")
    table.add_column(": ours", justify="right")
    means = mean_log_loss(found)
    for name, mean in sorted(means.items(), key=lambda each: each[1]):
        table.add_row(NAMES[name], f"{mean:.4f}", f"{mean / means[LEADLIGHT]:.3f}")
    console.print(table)


def _figures(score: Score) -> tuple[str, ...]:
    return (
        f"{score.log_loss:.4f}",
        f"{score.auc:.4f}",
        f"{score.average_precision:.4f}",
        f"{score.ece:.4f}",
        f"{score.ece_excess:.4f}",
        f"{score.lift:.2f}",
    )
