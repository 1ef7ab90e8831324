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

from .contents import Summary
from .figures import draw_charts, range_label
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
    # render_svg lets through shapes and escaped text only.
    charts = {name: Markup(svg) for name, svg in draw_charts(summary).items()}  # noqa: S704
    style = Markup(_text("report.css"))  # noqa: S704 - our own file
    template = _environment().get_template("report.html")
    return template.render(report=summary, charts=charts, style=style)


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
    environment.globals |= {"interval": _interval, "range_label": range_label}
    return environment


@cache
def _text(name: str) -> str:
    return (files("leadlight.pipelines.report") / "templates" / name).read_text("utf-8")
