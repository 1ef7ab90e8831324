"""The chart of a signal's shape: points by value, each with its range, and who converted."""

from .chart import chart_spec, render_svg
from .formats import count, decimal, percent, plain
from .shapes import ShapeSummary, StepSummary


def shape_chart(shape: ShapeSummary) -> str:
    """Draw what each value of a signal adds to the score.

    Parameters
    ----------
    shape : ShapeSummary

    Returns
    -------
    str
        SVG.
    """
    steps = [
        {
            "rank": rank,
            "label": plain(step["value"], 28),
            "came": _came(step),
            "points": step["points"],
            "low": step["low_points"],
            "high": step["high_points"],
            "family": shape["family"],
        }
        for rank, step in enumerate(shape["steps"])
    ]
    told = "; ".join(
        f"{plain(step['value'], 60)}: {decimal(step['points'], 1)}" for step in shape["steps"]
    )
    return render_svg(
        chart_spec("shape", {"steps": steps}),
        f"{plain(shape['label'], 120)}: points beyond the average lead by value. {told}",
    )


def _came(step: StepSummary) -> str:
    if step["won"] is None:
        return f"{count(step['rows'])} leads"
    return f"{percent(step['won'])} of {count(step['rows'])} won"
