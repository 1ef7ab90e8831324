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
from .formats import (
    count,
    decimal,
    interval_text,
    metric_text,
    percent,
    plain,
    showable,
    times,
)


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
    return render("report.html", report=summary, charts=charts)


def render(template: str, **values: object) -> str:
    """Fill one of the page templates, in the house's style.

    Parameters
    ----------
    template : str
        A file in ``templates/``.
    values : object
        What it mentions; all text is escaped.
    """
    style = Markup(_text("report.css"))  # noqa: S704 - our own file
    return _environment().get_template(template).render(style=style, **values)


def _showable(value: object) -> object:
    return showable(value) if type(value) is str else value


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
        finalize=_showable,
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
        "figure": metric_text,
        "every": _every,
    }
    environment.globals |= {"interval": interval_text, "range_label": range_label}
    return environment


@cache
def _text(name: str) -> str:
    return (files("leadlight.pipelines.report") / "templates" / name).read_text("utf-8")
