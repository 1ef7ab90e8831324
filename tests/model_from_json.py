"""A lead scored from the exported document alone: 40 lines of plain Python, as in any language."""

import math
from bisect import bisect_left
from itertools import pairwise
from typing import Any


def score(model: dict[str, Any], lead: dict[str, Any]) -> dict[str, Any]:
    seen, parts = {}, {}
    for feature in model["features"]:
        name = feature["name"]
        seen[name] = x = encoded(feature, lead[name], model["largest"])
        parts[name] = feature["values"][step(feature["cuts"], x)]
        for line in feature["lines"] if x is not None else ():
            place = math.copysign(math.log1p(abs(x)), x) * line["scale"] + line["shift"]
            parts[name] += line["slope"] * min(max(place, 0.0), 1.0)
    for pair in model["pairs"]:
        first, second = pair["first"], pair["second"]
        row = pair["values"][step(pair["first_cuts"], seen[first])]
        half = row[step(pair["second_cuts"], seen[second])] / 2
        parts[first], parts[second] = parts[first] + half, parts[second] + half
    margin, mql = model["baseline"] + sum(parts.values()), model["mql"]
    probability = 1 / (1 + math.exp(-calibrated(margin, **model["calibration"])))
    is_mql = probability >= mql["least_probability"]
    for family in ("fit", "engagement"):
        members = [each["name"] for each in model["features"] if each["family"] == family]
        is_mql &= reaches(sum(map(parts.__getitem__, members)), mql[f"least_{family}"])
    grade = next(each["grade"] for each in model["grades"] if reaches(margin, each["least_margin"]))
    return {"probability": probability, "grade": grade, "mql": is_mql}


def encoded(feature: dict[str, Any], value: Any, largest: float) -> float | None:
    if not feature["learned"] or value is None or value != value:  # noqa: PLR0124 - NaN
        return None if feature["learned"] else 0.0
    levels = feature["levels"]
    if levels is not None:
        return levels.index(value) if value in levels else len(levels)
    return min(max(value, -largest), largest)


def step(cuts: list[float], x: float | None) -> int:
    return len(cuts) + 1 if x is None else bisect_left(cuts, x)


def calibrated(margin: float, slope: float, intercept: float, knots: list[list[float]]) -> float:
    inside = at = min(max(margin, knots[0][0]), knots[-1][0]) if knots else 0.0
    for (x0, y0), (x1, y1) in pairwise(knots):
        at = y0 + (inside - x0) * (y1 - y0) / (x1 - x0) if x0 <= inside <= x1 else at
    return at + slope * (margin - inside) + intercept


def reaches(value: float, least: float | None) -> bool:
    return least is None or value >= least
