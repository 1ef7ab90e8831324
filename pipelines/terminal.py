"""What a person reads on a terminal: tables and cards, built here and printed by the CLI alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leadlight.features.validation import DoorReport, RuleCount
from leadlight.models.policies import UNCALIBRATED

from .report.formats import plain
from .report.leaks import leaks_summary
from .report.model_choice import ceiling_sentence, recency_sentence
from .terminal_threshold import grid_table

_LEAKS_SHOWN = 10
_GRADE_STYLE = {"A": "bold green", "B": "green", "C": "yellow", "D": "dim"}


def door_table(report: DoorReport) -> RenderableType:
    """Show rows read and kept for each table, and the bad ones by rule."""
    kept = Table(title="Tables", title_justify="left")
    for name in ("table", "read", "kept"):
        kept.add_column(name, justify="left" if name == "table" else "right")
    for table, rows in report.rows_read.items():
        kept.add_row(table, f"{rows:,}", f"{report.rows_kept[table]:,}")
    broken = [count for count in report.counts if count.rows]
    clean = Text(
        f"{len(report.counts) - len(broken)} of {len(report.counts)} checks found nothing."
    )
    return Group(kept, rule_table(broken), clean) if broken else Group(kept, clean)


def rule_table(counts: Sequence[RuleCount]) -> Table:
    """Show bad rows by rule, with each rule's limit and one example."""
    table = Table(title="Bad rows, in quarantine", title_justify="left")
    for name in ("table", "rule", "rows", "share", "limit", "", "example"):
        table.add_column(name, justify="right" if name in {"rows", "share", "limit"} else "left")
    for count in counts:
        limit = "warns" if count.limit is None else f"{count.limit:.2%}"
        table.add_row(
            count.table,
            count.rule,
            f"{count.rows:,}",
            f"{count.share:.2%}",
            limit,
            Text("ok", "green") if count.passed else Text("STOP", "bold red"),
            Text(count.example, overflow="fold"),
        )
    return table


def hottest_table(leads: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show the hottest leads with their reasons for and against, in words."""
    table = Table(title="The hottest leads", title_justify="left", show_lines=True)
    table.add_column("lead", no_wrap=True)
    table.add_column("converts", justify="right")
    table.add_column("grade", justify="center")
    table.add_column("state", justify="center")
    table.add_column("why", ratio=1)
    for lead in leads:
        table.add_row(
            Text(plain(lead["lead_id"], 80)),
            f"{lead['probability']:.1%}",
            Text(str(lead["grade"]), _GRADE_STYLE[str(lead["grade"])]),
            _stands(lead),
            _reasons(lead),
        )
    return table


def _stands(lead: Mapping[str, Any]) -> str:
    """Say in which state a lead is; of a flat table, what its score says."""
    return str(lead.get("state") or ("mql" if lead["mql"] else "lead"))


def _reasons(lead: Mapping[str, Any]) -> Text:
    text = Text()
    for mark, style, reasons in (
        ("+", "green", lead["reasons_for"]),
        ("-", "red", lead["reasons_against"]),
    ):
        for reason in reasons:
            if text:
                text.append("\n")
            text.append(f"{mark} ", style)
            text.append(plain(reason))
    return text


def training_summary(story: Mapping[str, Any], number: int) -> RenderableType:
    """Say how good the new champion is, what it is made of, and what its threshold means.

    Parameters
    ----------
    story : mapping
        Plain data of the training.
    number : int
        Of the decision version.
    """
    told, uncalibrated = story["evaluation"], story["metadata"].get(UNCALIBRATED)
    window = "all mature snapshots" if uncalibrated else "a later window"
    table = Table(
        title=f"Decision version {number}, on {window} it had not seen", title_justify="left"
    )
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, label, form in _FIGURES:
        estimate = told[name]
        if estimate["value"] is not None:
            table.add_row(label, form.format(estimate["value"]), _interval(estimate, form))
    return Group(
        *_leak_lines(story),
        *_rules_lines(uncalibrated, story),
        table,
        Text(f"{told['rows']:,} snapshots, {told['positives']:,} of them won"),
        *_candidate_lines(story),
        _threshold_line(story["threshold"]),
        *([grid_table(story["grid"])] if story["grid"] else []),
        *(Text(f"Note: {note}", "dim") for note in story["notes"]),
    )


def _rules_lines(uncalibrated: str | None, story: Mapping[str, Any]) -> list[RenderableType]:
    """Tell a rules-only start for what it is before any figure, and lay its card open."""
    if uncalibrated is None:
        return []
    table = Table(title="Points card, not calibrated", title_justify="left")
    table.add_column("signal")
    table.add_column("points", justify="right")
    for rule in story["rules"]:
        table.add_row(Text(plain(rule["words"])), f"{rule['signal']['points']:+d}")
    return [Text(uncalibrated, "bold yellow"), table]


def _leak_lines(story: Mapping[str, Any]) -> list[Text]:
    """Tell of the leak audit before any figure, loudly where a column knows the outcome."""
    audit = leaks_summary(story["leaks"])
    if audit is None or not (audit["certain"] or audit["suspect"]):
        return []
    loud = "bold red" if audit["certain"] else "yellow"
    lines = [
        Text.assemble(("Leak audit: ", loud if at == 0 else ""), sentence)
        for at, sentence in enumerate(audit["sentences"])
    ]
    found = [*audit["certain"], *audit["suspect"]]
    lines += [
        Text(f"  {leak['where']} {leak['reason']} ({leak['evidence']}). {leak['config']}".rstrip())
        for leak in found[:_LEAKS_SHOWN]
    ]
    if len(found) > _LEAKS_SHOWN:
        lines.append(Text(f"  {len(found) - _LEAKS_SHOWN} more: leadlight report"))
    return lines


def _candidate_lines(story: Mapping[str, Any]) -> list[Text]:
    weights = {member["name"]: member["weight"] for member in story["blend"]}
    lines = []
    for each in story["candidates"]:
        line = f"{each['name']}: log loss {each['log_loss']['value']:.4f} on rows it had not seen"
        if each["name"] in weights:
            line += f", weight {weights[each['name']]:.2f} in the model"
        lines.append(Text(line))
    more = (
        recency_sentence(story["recency"]),
        ceiling_sentence(story["ceiling"]),
    )
    return lines + [Text(sentence) for sentence in more if sentence]


def _threshold_line(choice: Mapping[str, Any]) -> Text:
    weekly, precision = choice["expected_mqls_per_week"], choice["precision"]["value"]
    return Text(
        f"MQL from a probability of {choice['threshold']:.1%}: {choice['share']:.1%} of leads"
        + (f", about {weekly:.0f} new ones a week" if weekly is not None else "")
        + (f"; {precision:.0%} of them convert" if precision is not None else "")
    )


_FIGURES = (
    ("base_rate", "base rate", "{:.2%}"),
    ("auc", "AUC", "{:.3f}"),
    ("average_precision", "average precision", "{:.3f}"),
    ("log_loss", "log loss", "{:.4f}"),
    ("brier", "Brier score", "{:.4f}"),
    ("ece", "calibration error", "{:.4f}"),
    ("ece_noise", "  of it by chance alone", "{:.4f}"),
    ("calibration_slope", "calibration slope", "{:.2f}"),
    ("calibration_intercept", "calibration intercept", "{:.2f}"),
    ("lift_at_10", "lift of the best tenth", "{:.1f}"),
)


def _interval(estimate: Mapping[str, Any], form: str) -> str:
    if estimate["low"] is None or estimate["high"] is None:
        return ""
    return f"{form.format(estimate['low'])} to {form.format(estimate['high'])}"
