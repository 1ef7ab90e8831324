"""The page: sets a summary out as one self-contained HTML file.

No script, no network, nothing but text, inline style and inline SVG; a content security policy
says so to the browser as well. Everything that came from data is escaped by Jinja.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from .chart import chart_spec, render_svg
from .contents import (
    LiftSummary,
    MQLSummary,
    ReasonsSummary,
    ReliabilitySummary,
    ScoresSummary,
    Summary,
)
from .formats import count, decimal, percent, plain, points, times


def to_html(summary: Summary) -> str:
    """Write the report as one HTML page that needs nothing else.

    Parameters
    ----------
    summary : Summary
        From ``summarize``.

    Returns
    -------
    str
        Equal summaries give equal pages, byte for byte.
    """
    style = Markup(_text("report.css"))  # noqa: S704 - our own file
    template = _environment().get_template("report.html")
    return template.render(report=summary, charts=_charts(summary), style=style)


def _charts(summary: Summary) -> dict[str, Markup]:
    """Draw every chart that has data."""
    drawn: dict[str, str] = {}
    if summary["mql"] and summary["mql"]["curve"]:
        drawn["threshold"] = _threshold_chart(summary["mql"])
        if summary["mql"]["per_week"]["value"] is not None:
            drawn["volume"] = _volume_chart(summary["mql"])
    if summary["scores"] and summary["scores"]["distribution"]:
        drawn["distribution"] = _distribution_chart(summary["scores"])
    if summary["reasons"]:
        drawn["reasons"] = _reasons_chart(summary["reasons"])
    if summary["reliability"]:
        drawn["reliability"] = _reliability_chart(summary["reliability"])
    if summary["lift"]:
        drawn["gain"], drawn["lift"] = _lift_charts(summary["lift"])
    # render_svg lets through shapes and escaped text only.
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704


def _reliability_chart(section: ReliabilitySummary) -> str:
    bins = section["bins"]
    top = max(value or 0.0 for row in bins for key, value in row.items() if key != "rows")
    top = min(1.0, top * 1.05) or 1.0
    diagonal = [{"predicted": at, "observed": at} for at in (0.0, top)]
    spec = chart_spec("reliability", {"bins": bins, "diagonal": diagonal}, {"top": top})
    return render_svg(
        spec,
        f"Reliability curve of {len(bins)} groups of rows: promised probability across, share that "
        f"converted upwards, beside the diagonal where both agree. {section['sentence']}",
    )


def _lift_charts(section: LiftSummary) -> tuple[str, str]:
    curve = [point for point in section["curve"] if point["share"]]
    tenth = min(curve, key=lambda point: abs((point["share"] or 0.0) - 0.1))
    share = percent(tenth["share"])
    gain = chart_spec(
        "gain",
        {
            "curve": [{"share": 0.0, "gain": 0.0}, *curve],
            "diagonal": [{"share": at, "gain": at} for at in (0.0, 1.0)],
            "marked": [{**tenth, "label": f"best {share}: {percent(tenth['gain'])}"}],
        },
    )
    lift = chart_spec(
        "lift",
        {
            "curve": curve,
            "average": [{"share": at, "lift": 1.0} for at in (0.0, 1.0)],
            "marked": [{**tenth, "label": f"best {share}: {times(tenth['lift'])}"}],
        },
    )
    return (
        render_svg(gain, f"Gain curve. {section['sentence']}"),
        render_svg(
            lift,
            f"Lift curve: the best {share} of leads converts {times(tenth['lift'])} as often as "
            "the average, falling to 1 when all leads are worked.",
        ),
    )


def _threshold_chart(section: MQLSummary) -> str:
    curve = [
        {"share": point["share"], "value": value, "measure": measure}
        for point in section["curve"]
        for value, measure in (
            (point["precision"], "Precision: MQLs that convert"),
            (point["recall"], "Recall: conversions found"),
        )
        if value is not None and point["share"] is not None
    ]
    precision, recall = section["precision"]["value"], section["recall"]["value"]
    chosen = [
        {"share": section["share"], "value": value, "label": percent(value), "measure": measure}
        for value, measure in ((precision, "precision"), (recall, "recall"))
        if value is not None
    ]
    return render_svg(
        chart_spec("threshold", {"curve": curve, "chosen": chosen}),
        "Precision and recall for every share of leads that could be MQLs. At the chosen threshold "
        f"precision is {percent(precision)} and recall {percent(recall)}.",
    )


def _volume_chart(section: MQLSummary) -> str:
    curve = [
        {"share": point["share"], "weekly": point["mqls_per_week"]}
        for point in section["curve"]
        if point["mqls_per_week"] is not None
    ]
    weekly = section["per_week"]["value"]
    chosen = [{"share": section["share"], "weekly": weekly, "label": f"{count(weekly)} a week"}]
    return render_svg(
        chart_spec("volume", {"curve": curve, "chosen": chosen}),
        "New MQLs a week for every share of leads that could be MQLs; "
        f"{count(weekly)} at the chosen threshold.",
    )


def _reasons_chart(section: ReasonsSummary) -> str:
    rows = [
        {
            "rank": rank,
            "label": plain(reason["label"], 64),
            "family": reason["family"],
            "share": reason["share"],
            "amount": percent(reason["share"]),
        }
        for rank, reason in enumerate(section["shown"])
    ]
    strongest = ", ".join(str(row["label"]) for row in rows[:3])
    return render_svg(
        chart_spec("reasons", {"reasons": rows}),
        f"What moves the score, strongest first: {strongest}. {section['sentence']}",
    )


def _distribution_chart(section: ScoresSummary) -> str:
    ranges = section["distribution"]
    leads = [
        {"range": _range(row["low"], row["high"]), "status": status, "leads": size, "order": order}
        for row in ranges
        for order, (status, size) in enumerate((("MQL", row["mqls"]), ("not yet", row["others"])))
    ]
    totals = [
        {
            "range": _range(row["low"], row["high"]),
            "leads": row["mqls"] + row["others"],
            "amount": count(row["mqls"] + row["others"]),
        }
        for row in ranges
    ]
    return render_svg(
        chart_spec("distribution", {"leads": leads, "totals": totals}),
        f"Number of leads by probability, {count(section['mqls'])} MQLs among "
        f"{count(section['leads'])} leads: "
        + ", ".join(f"{row['range']}: {row['amount']}" for row in totals),
    )


def _range(low: float, high: float) -> str:
    if low == 0:
        return f"below {percent(high)}"
    return f"{percent(low).removesuffix('%')}–{percent(high)}"


def _figure(value: float | None, unit: str) -> str:
    """Write a metric in its unit."""
    if unit == "percent":
        return percent(value)
    if unit == "times":
        return times(value)
    return points(value) if unit == "points" else decimal(value)


def _interval(low: float | None, high: float | None, unit: str) -> str:
    if low is None or high is None:
        return "–"
    return f"{_figure(low, unit).removesuffix(' times')} to {_figure(high, unit)}"


def _every(curve: Sequence[Any], wanted: int) -> list[Any]:
    """Pick about ``wanted`` rows of a long curve, evenly, first and last among them."""
    if len(curve) <= wanted:
        return list(curve)
    step = (len(curve) - 1) / (wanted - 1)
    return [curve[round(i * step)] for i in range(wanted)]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "count": count,
        "decimal": decimal,
        "percent": percent,
        "times": times,
        "plain": plain,
        "figure": _figure,
        "every": _every,
    }
    environment.globals |= {"interval": _interval, "range_label": _range}
    return environment


@cache
def _text(name: str) -> str:
    return (files("leadlight.pipelines.report") / "templates" / name).read_text("utf-8")
