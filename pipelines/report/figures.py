"""The charts of a report: which records of a summary go into which specification, and alt texts."""

from .chart import chart_spec, render_svg
from .contents import (
    LiftSummary,
    MQLSummary,
    ReasonsSummary,
    ReliabilitySummary,
    ScoresSummary,
    Summary,
)
from .formats import count, percent, plain, times
from .segments import SegmentsSummary
from .shape_chart import shape_chart

SEGMENTS_DRAWN = 16


def draw_charts(summary: Summary) -> dict[str, str]:
    """Draw every chart that a summary has data for.

    Parameters
    ----------
    summary : Summary

    Returns
    -------
    dict of str to str
        Name of the chart -> SVG; a chart without data is not there.
    """
    drawn: dict[str, str] = {}
    mql, scores = summary["mql"], summary["scores"]
    if mql and mql["curve"]:
        drawn["threshold"] = _threshold_chart(mql)
        if mql["per_week"]["value"] is not None:
            drawn["volume"] = _volume_chart(mql)
    if scores and scores["distribution"]:
        drawn["distribution"] = _distribution_chart(scores)
    if summary["reasons"]:
        drawn["reasons"] = _reasons_chart(summary["reasons"])
    for place, shape in enumerate(summary["shapes"], start=1):
        drawn[f"shape_{place}"] = shape_chart(shape)
    if summary["reliability"]:
        drawn["reliability"] = _reliability_chart(summary["reliability"])
    if summary["segments"]:
        drawn["segments"] = _segments_chart(summary["segments"])
    if summary["lift"]:
        drawn["gain"], drawn["lift"] = _lift_charts(summary["lift"])
    return drawn


def range_label(low: float, high: float) -> str:
    """Write a range of probabilities: "5–10%"."""
    if low == 0:
        return f"below {percent(high)}"
    return f"{percent(low).removesuffix('%')}–{percent(high)}"


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


def _segments_chart(section: SegmentsSummary) -> str:
    shown = section["rows"][:SEGMENTS_DRAWN]
    rows = [
        {
            "rank": rank,
            # The value first: it is what a cut must spare.
            "label": plain(f"{row['value']} ({row['label']})", 44),
            "predicted": row["predicted"],
            "observed": row["observed"],
            "low": row["observed"] if row["low"] is None else row["low"],
            "high": row["observed"] if row["high"] is None else row["high"],
            "missed": row["missed"],
        }
        for rank, row in enumerate(shown)
    ]
    return render_svg(
        chart_spec("segments", {"segments": rows}),
        f"Promised and actual share of {len(rows)} segments. {section['sentence']}",
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
        {
            "range": range_label(row["low"], row["high"]),
            "status": status,
            "leads": size,
            "order": order,
        }
        for row in ranges
        for order, (status, size) in enumerate((("MQL", row["mqls"]), ("not yet", row["others"])))
    ]
    totals = [
        {
            "range": range_label(row["low"], row["high"]),
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
