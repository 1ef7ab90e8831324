"""Reasons: the right features, in the right direction, in words."""

import math
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadlight.features.catalog import Feature, feature_catalog
from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.wording import sentence
from leadlight.models.explanation import explain_leads
from leadlight.models.reasons import PointScale

DEFINITION = FeatureDefinition(
    lookback_days=(7, 30),
    event_kinds=("page_view_pricing", "email_click", "webinar_attended"),
    profile=(
        ProfileColumn("industry", "accounts", "industry", "category"),
        ProfileColumn("employees", "accounts", "employees", "numeric"),
    ),
)
FEATURES = feature_catalog(DEFINITION)
SCALE = PointScale(-2.0, 3.0)
NEGLIGIBLE = 0.5 / SCALE.per_log_odds


def leads(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = {}
    for feature in FEATURES:
        if feature.kind == "category":
            frame[feature.name] = rng.choice(["Banking", "Retail", None], rows)
        elif feature.statistic in {"days_since_last", "age"}:
            frame[feature.name] = np.where(rng.random(rows) < 0.3, np.nan, rng.random(rows) * 400)
        else:
            frame[feature.name] = rng.poisson(2.0, rows).astype(float)
    return pd.DataFrame(frame)


def reasons_by_loop(
    parts: np.ndarray, mean: np.ndarray, frame: pd.DataFrame, sign: int
) -> list[list[str]]:
    """The obvious way, lead by lead."""
    told = []
    for row in range(len(parts)):
        groups: dict[str, list[tuple[float, Feature]]] = {}
        for at, feature in enumerate(FEATURES):
            part = sign * (parts[row, at] - mean[at])
            groups.setdefault(feature.group, []).append((part, feature))
        sums = sorted(
            ((sum(part for part, _ in group), group) for group in groups.values()),
            key=lambda pair: -pair[0],
        )
        told.append(
            [
                sentence(speaker, frame[speaker.name].iloc[row])
                for total, group in sums[:3]
                if total >= NEGLIGIBLE
                for _, speaker in [max(group, key=lambda pair: pair[0])]
            ]
        )
    return told


def test_reasons_are_those_of_a_loop_over_leads() -> None:
    frame = leads(200)
    parts = np.random.default_rng(1).normal(0.0, 0.3, (200, len(FEATURES)))
    mean = parts.mean(axis=0)
    found = explain_leads(parts, mean, FEATURES, frame, SCALE)
    assert found.reasons_for == reasons_by_loop(parts, mean, frame, 1)
    assert found.reasons_against == reasons_by_loop(parts, mean, frame, -1)


def test_the_same_event_over_several_windows_is_one_reason() -> None:
    names = [feature.name for feature in FEATURES]
    parts = np.zeros((1, len(FEATURES)))
    for name in ("page_view_pricing_count_7d", "page_view_pricing_count_30d"):
        parts[0, names.index(name)] = 0.4
    parts[0, names.index("page_view_pricing_count_30d")] = 0.5
    frame = leads(1).assign(page_view_pricing_count_7d=4.0, page_view_pricing_count_30d=6.0)
    found = explain_leads(parts, np.zeros(len(FEATURES)), FEATURES, frame, SCALE)
    assert found.reasons_for == [["Visited the pricing page 6 times in the last 30 days"]]
    assert found.reasons_against == [[]]


def test_the_average_lead_has_no_reason_and_a_negligible_part_is_not_told() -> None:
    mean = np.full(len(FEATURES), 0.3)
    parts = np.tile(mean, (2, 1))
    parts[1, 0] += NEGLIGIBLE / 2
    parts[1, 1] -= NEGLIGIBLE / 2
    found = explain_leads(parts, mean, FEATURES, leads(2), SCALE)
    assert found.reasons_for == [[], []]
    assert found.reasons_against == [[], []]


def test_missing_values_are_told_in_words() -> None:
    parts = np.full((1, len(FEATURES)), -1.0)
    frame = leads(1)
    for feature in FEATURES:
        frame[feature.name] = None if feature.kind == "category" else np.nan
    told = explain_leads(parts, np.zeros(len(FEATURES)), FEATURES, frame, SCALE).reasons_against[0]
    assert len(told) == 3
    assert not any("nan" in text.lower() or "none" in text for text in told)


@pytest.mark.parametrize("rows", [1, 50, 51, 120])
def test_leads_keep_their_own_reasons_across_blocks(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadlight.models.explanation._BLOCK_ROWS", 50)
    frame = leads(rows)
    parts = np.random.default_rng(2).normal(0.0, 0.3, (rows, len(FEATURES)))
    found = explain_leads(parts, np.zeros(len(FEATURES)), FEATURES, frame, SCALE)
    alone = [
        explain_leads(
            parts[[i]], np.zeros(len(FEATURES)), FEATURES, frame.iloc[[i]], SCALE
        ).reasons_for[0]
        for i in range(rows)
    ]
    assert found.reasons_for == alone


def test_rounding_days_down_before_the_words_does_not_change_them() -> None:
    days = [f for f in FEATURES if f.statistic in {"days_since_last", "age"}]
    assert days
    for feature in days:
        for value in (0.0, 0.99, 1.0, 1.7, 46.999, 1234.5, math.nan):
            assert sentence(feature, np.floor(value)) == sentence(feature, value)


def test_no_lead_gives_no_reason() -> None:
    empty = explain_leads(
        np.zeros((0, len(FEATURES))), np.zeros(len(FEATURES)), FEATURES, leads(1).iloc[:0], SCALE
    )
    assert empty.reasons_for == []


@pytest.mark.slow
def test_a_hundred_thousand_leads_are_explained_in_seconds() -> None:
    rng = np.random.default_rng(0)
    copies = [
        replace(f, name=f"{f.name}_{i}", group=f"{f.group}_{i}") for i in range(6) for f in FEATURES
    ][:90]
    source = leads(100_000)
    frame = pd.DataFrame({f.name: source[f.name.rsplit("_", 1)[0]] for f in copies})
    parts = rng.normal(0.0, 0.2, (100_000, len(copies)))
    started = time.perf_counter()
    explain_leads(parts, parts.mean(axis=0), copies, frame, SCALE)
    assert time.perf_counter() - started < 20.0
