"""Charts: Vega-Lite specifications (data files) plus records, rendered to inline SVG.

A chart is data. The specification in ``charts/NAME.json`` is plain Vega-Lite; the records are put
under its ``datasets``. Nothing is fetched from anywhere, and what comes out is checked against a
list of harmless elements and attributes before it enters a page.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

import vl_convert

VEGALITE_VERSION = "6.4"

# The specifications carry the colours of the light page, so that they are right in any Vega
# viewer; in an SVG each becomes a CSS variable that falls back to it, so that a chart follows
# light and dark in the page and keeps its colours alone.
PALETTE = {
    "#1d2433": "--ink",
    "#586174": "--muted",
    "#dde1e8": "--line",
    "#8791a2": "--quiet",
    "#2b6cb0": "--fit",
    "#c2710c": "--engagement",
    "#6b4bb5": "--score",
    "#1c8a63": "--good",
    "#b4374f": "--bad",
}

_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = {"svg", "g", "path", "rect", "line", "text", "tspan", "circle"}
_KEPT = {
    "d", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "r", "cx", "cy", "width", "height",
    "viewBox", "transform", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity",
    "stroke-dasharray", "stroke-linecap", "stroke-miterlimit", "opacity", "display",
    "text-anchor", "font-size", "font-weight",
}  # fmt: skip
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")


def chart_spec(
    name: str,
    datasets: Mapping[str, Sequence[Mapping[str, object]]],
    params: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart with its records inside.

    Parameters
    ----------
    name : str
        A file in ``charts/``: ``reliability``, ``gain``, ``lift``, ``threshold``, ``reasons``,
        ``distribution``.
    datasets : mapping of str to records
        Records for each data name that the specification mentions.
    params : mapping, optional
        Values for the specification's parameters.

    Returns
    -------
    dict
        Complete by itself: any Vega-Lite viewer shows it.
    """
    spec: dict[str, Any] = json.loads(_resource(f"{name}.json"))
    spec["datasets"] = {key: [dict(row) for row in rows] for key, rows in datasets.items()}
    for param in spec.get("params", []):
        param["value"] = (params or {}).get(param["name"], param["value"])
    spec["config"] = json.loads(_resource("theme.json"))
    return spec


def render_svg(spec: Mapping[str, Any], description: str) -> str:
    """Render a chart as an SVG element for a page.

    Parameters
    ----------
    spec : mapping
        From `chart_spec`.
    description : str
        What the chart shows, in words, for those who do not see it.

    Returns
    -------
    str
        An ``<svg role="img">`` without scripts, links, ids or styles; the same input gives the
        same bytes. Good by itself as a file, too.

    Raises
    ------
    ValueError
        If the renderer emits an element that is not on the list of harmless ones.
    """
    drawn = vl_convert.vegalite_to_svg(
        dict(spec), vl_version=VEGALITE_VERSION, allowed_base_urls=[]
    )
    root = ET.fromstring(drawn)  # noqa: S314 - our own renderer's output, no entities in it
    for element in list(root.iter()):
        _clean(element)
    root.set("role", "img")
    root.set("aria-label", description)
    root.set("class", "chart")
    root.set("font-family", "sans-serif")
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode")


def _clean(element: ET.Element) -> None:
    tag = element.tag.removeprefix(f"{{{_SVG}}}")
    if tag not in _ELEMENTS:
        raise ValueError(f"Chart renderer emitted <{tag}>, which a report page does not take in")
    for key, value in list(element.attrib.items()):
        if key not in _KEPT:
            del element.attrib[key]
        elif value in PALETTE:
            element.set(key, f"var({PALETTE[value]}, {value})")
        else:
            element.set(key, _LONG_NUMBER.sub(_rounded, value))
    for child in list(element):
        if child.get("display") == "none":
            element.remove(child)


def _rounded(match: re.Match[str]) -> str:
    # Two decimals of a pixel are invisible, and hide the last bits in which platforms differ.
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")


@cache
def _resource(name: str) -> str:
    return (files("leadlight.pipelines.report") / "charts" / name).read_text("utf-8")
