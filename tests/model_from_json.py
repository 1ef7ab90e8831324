"""A lead scored from the exported document alone: plain Python, as another language would."""

import math
from bisect import bisect_left
from typing import Any


def score(model: dict[str, Any], lead: dict[str, Any]) -> dict[str, Any]:
    seen, parts = {}, {}
    for feature in model["features"]:
        name = feature["name"]
        seen[name] = x = encoded(feature, lead[name], model["largest"])
        parts[name] = feature["values"][step(feature["cuts"], x)]
        for line in feature["lines"] if x is not None else ():
            logarithm = math.copysign(math.log1p(abs(x)), x)
            place = logarithm * line["scale"] + line["shift"]
            parts[name] += line["slope"] * min(max(place, 0.0), 1.0)
    for pair in model["pairs"]:
        row = step(pair["first_cuts"], seen[pair["first"]])
        half = pair["values"][row][step(pair["second_cuts"], seen[pair["second"]])] / 2
        parts[pair["first"]] += half
        parts[pair["second"]] += half
    margin, mql = model["baseline"] + sum(parts.values()), model["mql"]
    probability = 1 / (1 + math.exp(-calibrated(model["calibration"], margin)))
    sums = {
        family: sum(parts[each["name"]] for each in model["features"] if each["family"] == family)
        for family in ("fit", "engagement")
    }
    reached = [each["grade"] for each in model["grades"] if reaches(margin, each["least_margin"])]
    is_mql = probability >= mql["least_probability"] and all(
        reaches(sums[family], mql[f"least_{family}"]) for family in sums
    )
    return {"probability": probability, "grade": reached[0], "mql": is_mql}


def encoded(feature: dict[str, Any], value: Any, largest: float) -> float | None:
    if not feature["learned"]:
        return 0.0
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if feature["levels"] is None:
        return min(max(value, -largest), largest)
    levels = feature["levels"]
    return levels.index(value) if value in levels else len(levels)


def step(cuts: list[float], x: float | None) -> int:
    return len(cuts) + 1 if x is None else bisect_left(cuts, x)


def calibrated(line: dict[str, Any], margin: float) -> float:
    if not line["knots"]:
        return line["slope"] * margin + line["intercept"]
    (x0, y0), (x1, y1) = line["knots"][0], line["knots"][-1]
    inside = min(max(margin, x0), x1)
    after = min(max(bisect_left([x for x, _ in line["knots"]], inside), 1), len(line["knots"]) - 1)
    (x0, y0), (x1, y1) = line["knots"][after - 1 : after + 1]
    between = y0 + (inside - x0) * (y1 - y0) / (x1 - x0)
    return between + line["slope"] * (margin - inside) + line["intercept"]


def reaches(value: float, least: float | None) -> bool:
    return least is None or value >= least
