"""Plain data for the report's tests, as evaluation, threshold choice and scores give it."""

import math
from typing import Any

import numpy as np
import pandas as pd

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "'\"><svg onload=alert(3)>&lt;b&gt;{{ 7*7 }}",
    "\u202eمرحبا بالعالم\u202c שלום",
    "🚀👩‍👩‍👧‍👦🏳️‍🌈",
    "</style><style>body{display:none}",
    "null \x00 bell \x07 lone \ud800 end",
    "long " * 2000,
    "x" * 10_000,
)

METADATA: dict[str, Any] = {
    "project": "acme",
    "version": "3",
    "trained_at": "2026-03-02T04:10:00+00:00",
    "as_of": "2026-03-02T00:00:00+00:00",
    "horizon_days": 90,
}
HASHES = ("data_hash", "config_hash", "code_hash")
FLOORS = {"fit": 0.2, "engagement": 0.2}
WINDOWS = (
    "Fitted on snapshots from 1 January 2023 to 1 February 2025.",
    "Candidates compared on snapshots from 2 May to 31 July 2025, probabilities calibrated on "
    "those to 30 September 2025; a gap of 90 days lies before each.",
    "Tested once, on snapshots from 1 November 2025 to 1 December 2025.",
)


def estimate(value: float, spread: float) -> dict[str, float]:
    return {"value": value, "low": value - spread, "high": value + spread}


def evaluation() -> dict[str, Any]:
    predicted = (0.004, 0.008, 0.013, 0.019, 0.027, 0.038, 0.056, 0.088, 0.151, 0.348)
    observed = (0.003, 0.009, 0.012, 0.021, 0.024, 0.041, 0.053, 0.094, 0.148, 0.331)
    bins = [
        {
            "predicted": said,
            "observed": came,
            "low": came - 1.9 * math.sqrt(came * (1 - came) / 1240),
            "high": came + 1.9 * math.sqrt(came * (1 - came) / 1240),
            "rows": 1240,
        }
        for said, came in zip(predicted, observed, strict=True)
    ]
    shares = [percent / 100 for percent in range(1, 101)]
    lift = [
        {"share": share, "gain": (gain := 1 - (1 - share) ** 5.6), "lift": gain / share}
        for share in shares
    ]
    return {
        "rows": 12400,
        "leads": 7211,
        "positives": 913,
        "base_rate": estimate(0.0736, 0.005),
        "auc": estimate(0.831, 0.014),
        "average_precision": estimate(0.352, 0.03),
        "log_loss": estimate(0.2142, 0.011),
        "brier": estimate(0.0581, 0.004),
        "ece": estimate(0.0049, 0.002),
        "ece_noise": estimate(0.0061, 0.003),
        "calibration_slope": estimate(0.98, 0.06),
        "calibration_intercept": estimate(-0.03, 0.09),
        "lift_at_10": estimate(4.46, 0.31),
        "reliability": bins,
        "lift_curve": lift,
    }


def threshold() -> dict[str, Any]:
    grid = [round(0.02 * step, 2) for step in range(1, 36)]
    curve = [
        {
            "threshold": bar,
            "mqls_per_week": 900 * math.exp(-6.5 * bar),
            "share": 0.8 * math.exp(-6.5 * bar),
            "precision": min(0.9, 0.08 + 1.05 * bar),
            "recall": math.exp(-3.2 * bar),
            "lift": min(0.9, 0.08 + 1.05 * bar) / 0.0736,
        }
        for bar in grid
    ]
    return {
        "policy": {"policy": "capacity", "leads_per_week": 200},
        "threshold": 0.2314,
        "expected_mqls_per_week": 197.4,
        "mqls_per_week": estimate(197.4, 14.0),
        "share": 0.1782,
        "precision": estimate(0.323, 0.02),
        "recall": estimate(0.477, 0.03),
        "lift": estimate(4.39, 0.3),
        "curve": curve,
        "gives_up": ["52% of the conversions come from leads that are no MQLs."],
        "notes": [],
    }


def grid() -> list[dict[str, Any]]:
    return [
        {
            "fit": fit,
            "engagement": str(level + 1),
            "rows": 100 * (row + 1) * (level + 1),
            "share": 0.01 * (row + 1) * (level + 1),
            "mqls": 90 if row + level == 0 else 10 * (row + level == 1),
            "won": estimate(0.4 / (1 + row + level), 0.02),
        }
        for row, fit in enumerate("ABCD")
        for level in range(4)
    ]


IMPORTANCE: tuple[dict[str, Any], ...] = tuple(
    {"group": label, "label": label, "family": family, "strength": strength}
    for label, family, strength in (
        ("Pricing page visits", "engagement", 0.412),
        ("Days since the last activity", "engagement", 0.371),
        ("Seniority", "fit", 0.288),
        ("Company size", "fit", 0.264),
        ("Webinars attended", "engagement", 0.201),
        ("Industry", "fit", 0.177),
        ("E-mail links clicked", "engagement", 0.122),
        ("Case study visits", "engagement", 0.101),
        ("Days active", "engagement", 0.093),
        ("Country", "fit", 0.071),
        ("Guides downloaded", "engagement", 0.066),
        ("Age of the lead", "fit", 0.042),
        ("Blog visits", "engagement", 0.021),
        ("Newsletter", "engagement", 0.012),
        ("Source", "fit", 0.008),
    )
)

SHAPES: tuple[dict[str, Any], ...] = tuple(
    {
        "group": label,
        "label": label,
        "family": family,
        "steps": [
            {
                "value": value,
                "rows": rows,
                "points": points,
                "low_points": points - spread,
                "high_points": points + spread,
                "won": won,
                "low": None if won is None else won * 0.8,
                "high": None if won is None else won * 1.2,
            }
            for value, rows, points, spread, won in steps
        ],
    }
    for label, family, steps in (
        (
            "Pricing page visits",
            "engagement",
            (
                ("0", 9100, -3.1, 1.2, 0.041),
                ("1", 1900, 3.9, 1.6, 0.118),
                ("2 to 4", 1100, 11.8, 2.4, 0.236),
                ("5 or more", 300, 17.5, 3.3, 0.412),
            ),
        ),
        (
            "Seniority",
            "fit",
            (
                ("director", 2300, 9.2, 0.0, 0.171),
                ("manager", 4100, 2.4, 0.0, 0.088),
                ("student", 900, -14.6, 0.0, None),
                ("Seniority unknown", 5100, -4.9, 0.0, 0.037),
            ),
        ),
    )
)
CANDIDATES: tuple[dict[str, Any], ...] = (
    {
        "name": "logistic",
        "log_loss": estimate(0.2231, 0.0102),
        "fit_seconds": 1.42,
        "chosen": True,
        "settings": {"classify__C": 0.1},
    },
    {
        "name": "boosted_additive",
        "log_loss": estimate(0.2154, 0.0099),
        "fit_seconds": 6.81,
        "chosen": True,
        "settings": {"classify__max_iter": 120},
    },
    {
        "name": "boosted_pairs",
        "log_loss": estimate(0.2151, 0.0099),
        "fit_seconds": 12.4,
        "chosen": False,
        "settings": {"classify__max_iter": 80},
    },
)

BLEND: tuple[dict[str, Any], ...] = (
    {"name": "logistic", "weight": 0.34},
    {"name": "boosted_additive", "weight": 0.71},
)
CEILING: dict[str, Any] = {"log_loss": estimate(0.2129, 0.011), "blend": 0.2142}
RECENCY: dict[str, Any] = {
    "half_life": 180.0,
    "unit": "days",
    "tried": [
        {"half_life": None, "log_loss": 0.2188},
        {"half_life": 360.0, "log_loss": 0.2160},
        {"half_life": 180.0, "log_loss": 0.2151},
    ],
}
TRIED = (
    "94 features that do not repeat each other.",
    "boosted pairs: log loss 0.2151 [0.2052, 0.2250] on rows not learned from.",
)
LEAKS: tuple[dict[str, Any], ...] = (
    {
        "table": "leads",
        "column": "won_reason",
        "verdict": "certain",
        "reason": "is filled in only for closed deals",
        "evidence": "known for 2,207 of 2,207 closed leads and for none of 17,793 others",
        "auc_gain": 0.163,
        "excluded": True,
        "config": "features: {include: [won_reason]}",
    },
    {
        "table": "events",
        "column": "contract_sent",
        "verdict": "certain",
        "reason": "happens at or after the outcome",
        "evidence": "98% of 1,204 events lie at or after the close of the lead's deal",
        "auc_gain": 0.058,
        "excluded": True,
        "config": "features: {include: [contract_sent]}",
    },
    {
        "table": "leads",
        "column": "lead_status",
        "verdict": "suspect",
        "reason": "has a name that CRMs overwrite as the deal moves on",
        "evidence": "alone it reaches an AUC of 0.81; the next best column reaches 0.64",
        "auc_gain": 0.047,
        "excluded": False,
        "config": "features: {exclude: [lead_status]}",
    },
)
SEGMENTS: tuple[dict[str, Any], ...] = tuple(
    {
        "feature": label.lower().replace(" ", "_"),
        "label": label,
        "value": value,
        "rows": rows,
        "wins": round(rows * observed),
        "predicted": predicted,
        "observed": observed,
        "low": observed - 1.96 * math.sqrt(observed * (1 - observed) / rows),
        "high": observed + 1.96 * math.sqrt(observed * (1 - observed) / rows),
        "ece": None if value == "unknown" else abs(predicted - observed) + 0.004,
        "calibration_slope": None if value == "unknown" else 0.97,
        "calibration_intercept": None if value == "unknown" else (observed - predicted) * 8,
    }
    for label, value, rows, predicted, observed in (
        ("Source", "organic search", 5200, 0.081, 0.084),
        ("Source", "paid ads", 4100, 0.049, 0.031),
        ("Source", "referral", 1900, 0.123, 0.131),
        ("Source", "unknown", 1200, 0.058, 0.061),
        ("Country", "Germany", 4800, 0.077, 0.074),
        ("Country", "France", 2900, 0.069, 0.072),
        ("Country", "other", 4700, 0.073, 0.073),
        ("Company size", "1 to 50 people", 6100, 0.042, 0.044),
        ("Company size", "51 to 200 people", 3900, 0.088, 0.083),
        ("Company size", "more than 200 people", 2400, 0.129, 0.134),
    )
)
FEEDBACK: dict[str, Any] = {
    "rows": 1840,
    "accepted": 1391,
    "rejected": 449,
    "mean_probability_accepted": 0.337,
    "mean_probability_rejected": 0.291,
    "agreement": estimate(0.57, 0.03),
    "by_verdict": {
        "accepted": {"rows": 1391, "won": estimate(0.352, 0.025)},
        "rejected": {"rows": 449, "won": estimate(0.186, 0.036)},
    },
    "by_reason": [
        {"reason": reason, "rows": rows, "mean_probability": said, "won": estimate(won, 0.05)}
        for reason, rows, said, won in (
            ("no budget", 121, 0.302, 0.21),
            ("student or private person", 204, 0.268, 0.12),
            ("no reason given", 124, 0.319, 0.27),
        )
    ],
}

DOOR: dict[str, Any] = {
    "rows_read": {"leads": 20104, "accounts": 5312, "events": 411023, "outcomes": 2210},
    "rows_kept": {"leads": 20000, "accounts": 5312, "events": 408811, "outcomes": 2207},
    "counts": [
        {
            "table": "leads",
            "rule": "duplicated_row",
            "rows": 104,
            "of": 20104,
            "share": 104 / 20104,
            "limit": 0.05,
            "passed": True,
        },
        {
            "table": "events",
            "rule": "unknown_lead",
            "rows": 2212,
            "of": 411023,
            "share": 2212 / 411023,
            "limit": None,
            "passed": True,
        },
        {
            "table": "outcomes",
            "rule": "future_date",
            "rows": 3,
            "of": 2210,
            "share": 3 / 2210,
            "limit": 0.001,
            "passed": False,
        },
        {
            "table": "leads",
            "rule": "unparsable_time",
            "rows": 0,
            "of": 20104,
            "share": 0.0,
            "limit": 0.01,
            "passed": True,
        },
    ],
    "notes": ["2 sources feed events; 1,204 rows came with a recorded_at later than occurred_at."],
}

_FOR = (
    "Visited the pricing page 4 times in the last 7 days",
    "Attended 2 webinars in the last 90 days",
    "Director in Finance at a company of 51 to 200 people",
    "Read 3 case studies in the last 30 days",
    "Active on 9 days in the last 30 days",
    "Clicked 5 e-mail links in the last 30 days",
)
_AGAINST = (
    "No webinar attended in the last 90 days",
    "The company has 4 employees",
    "Industry is Education",
    "No activity for 23 days",
)


def scores(leads: int = 4000) -> pd.DataFrame:
    """Random scores; the hottest lead but one lies below a floor."""
    generator = np.random.default_rng(7)
    probability = np.sort(generator.beta(0.45, 5.2, leads))[::-1]
    percentile = 1 - (np.arange(leads) + 0.5) / leads
    fit = generator.random(leads) ** 0.6
    engagement = generator.random(leads) ** 0.6
    fit[1:2] = 0.12
    rows = range(leads)
    mql = (probability >= 0.2314) & (fit >= 0.2) & (engagement >= 0.2)
    return pd.DataFrame(
        {
            "lead_id": [f"00Q{i * 7919 % 99991:05d}" for i in rows],
            "probability": probability,
            "percentile": percentile,
            "grade": np.select([percentile >= low for low in (0.9, 0.7, 0.4)], list("ABC"), "D"),
            "mql": mql,
            "fit_percentile": fit,
            "engagement_percentile": engagement,
            "reasons_for": [[_FOR[(i + k) % len(_FOR)] for k in range(3)] for i in rows],
            "reasons_against": [[_AGAINST[(i + k) % 4] for k in range(i % 3)] for i in rows],
        }
    )  # fmt: skip


def everything() -> dict[str, Any]:
    """All arguments of ``summarize``."""
    return {
        "metadata": METADATA,
        "evaluation": evaluation(),
        "threshold": threshold(),
        "grid": grid(),
        "floors": FLOORS,
        "importance": IMPORTANCE,
        "shapes": SHAPES,
        "candidates": CANDIDATES,
        "blend": BLEND,
        "recency": RECENCY,
        "ceiling": CEILING,
        "tried": TRIED,
        "segments": SEGMENTS,
        "feedback": FEEDBACK,
        "leaks": LEAKS,
        "windows": WINDOWS,
        "door": DOOR,
        "scores": scores(),
        "notes": ["12 of 106 features repeat others: set aside."],
    }


def story() -> dict[str, Any]:
    """The plain data of a training, as a decision version keeps it."""
    told = everything()
    hashes = {name: 64 * digit for name, digit in zip(HASHES, "abc", strict=True)}
    metadata = {key: METADATA[key] for key in ("project", "trained_at", "horizon_days")}
    parts = {key: told[key] for key in told if key not in {"metadata", "floors", "scores"}}
    return parts | {"metadata": metadata | hashes, "unseen": evaluation()}


def hostile() -> dict[str, Any]:
    """All arguments, with hostile text wherever text can come from data."""
    arguments = everything()
    frame = scores()
    names = [*HOSTILE, *frame["lead_id"][len(HOSTILE) :]]
    # A frame's text is UTF-8, which has no lone surrogates.
    frame["lead_id"] = [name.replace("\ud800", "") for name in names]
    frame["reasons_for"] = [[name, f"Company is {name}"] for name in names]
    frame["reasons_against"] = [[f"Industry is {name}"] for name in names]
    rules = [{**rule, "table": HOSTILE[0], "rule": HOSTILE[5]} for rule in DOOR["counts"]]
    return arguments | {
        "metadata": METADATA | {"project": HOSTILE[0], "version": HOSTILE[2]},
        "importance": [
            part | {"label": HOSTILE[i % len(HOSTILE)]} for i, part in enumerate(IMPORTANCE)
        ],
        "shapes": [
            {
                **shape,
                "label": HOSTILE[i],
                "steps": [
                    shape["steps"][place % 4] | {"value": text}
                    for place, text in enumerate(HOSTILE)
                ],
            }
            for i, shape in enumerate(SHAPES)
        ],
        "candidates": [candidate | {"name": HOSTILE[1]} for candidate in CANDIDATES],
        "blend": [member | {"name": HOSTILE[i]} for i, member in enumerate(BLEND)],
        "tried": HOSTILE,
        "segments": [
            row | {"label": HOSTILE[i % 9], "value": HOSTILE[(i + 1) % 9]}
            for i, row in enumerate(SEGMENTS)
        ],
        "feedback": FEEDBACK
        | {"by_reason": [{"reason": text, "rows": 9, "mean_probability": 0.1} for text in HOSTILE]},
        "leaks": [
            leak
            | {
                "table": HOSTILE[0],
                "column": HOSTILE[i],
                "reason": HOSTILE[2],
                "evidence": HOSTILE[7],
                "config": HOSTILE[5],
            }
            for i, leak in enumerate(LEAKS)
        ],
        "windows": HOSTILE,
        "door": {**DOOR, "counts": rules, "notes": HOSTILE},
        "scores": frame,
        "notes": HOSTILE,
    }


def flat() -> dict[str, Any]:
    """Arguments of a flat table: no dates, nothing scored yet."""
    choice = threshold() | {
        "policy": {"policy": "top_share", "share": 0.1},
        "expected_mqls_per_week": None,
        "mqls_per_week": None,
        "notes": ["The snapshots have no dates, so the number of new MQLs a week is unknown."],
    }
    choice["curve"] = [point | {"mqls_per_week": None} for point in choice["curve"]]
    return {
        "metadata": METADATA | {"project": "bank", "as_of": None, "horizon_days": None},
        "evaluation": evaluation(),
        "threshold": choice,
    }
