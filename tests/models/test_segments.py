"""Calibration per segment: who is promised too much, by source, country and size."""

import json

import numpy as np
import pandas as pd
import pytest

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.models.bootstrap import clustered_share
from leadlight.models.evaluation import evaluate
from leadlight.models.segments import (
    LEAST_ROWS,
    MOST_VALUES,
    OTHER,
    UNKNOWN,
    calibration_by_segment,
    segment_features,
)

FEATURES = feature_catalog(
    FeatureDefinition(
        event_kinds=("page_view",),
        profile=(
            ProfileColumn("source", "leads", "source", "category"),
            ProfileColumn("country", "leads", "country", "category", "country"),
            ProfileColumn("region", "leads", "country", "category", "region"),
            ProfileColumn("seniority", "leads", "job_title", "category", "seniority"),
            ProfileColumn("employees", "accounts", "employees", "numeric", "employees"),
            ProfileColumn("revenue", "accounts", "revenue", "numeric", "revenue"),
            ProfileColumn("budget", "leads", "budget", "numeric"),
        ),
    )
)


def world(rows: int = 4000) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Partners' leads win half as often as promised, all others as often."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "source": rng.choice(["web", "partner", "fair", None], rows, p=[0.5, 0.3, 0.19, 0.01]),
            "country": "DE",
            "region": "Europe",
            "seniority": "director",
            "employees": rng.choice([1.0, 51.0, np.nan], rows),
            "revenue": np.nan,
            "budget": rng.random(rows),
        }
    )
    promised = rng.beta(2.0, 8.0, rows)
    truth = np.where(frame["source"] == "partner", 0.5 * promised, promised)
    return frame, promised, rng.random(rows) < truth


def test_source_country_and_size_are_segments_and_nothing_else_is() -> None:
    assert [feature.name for feature in segment_features(FEATURES)] == [
        "source",
        "country",
        "region",
        "employees",
        "revenue",
    ]


def test_a_segment_that_is_promised_too_much_is_flagged_and_the_others_are_not() -> None:
    frame, promised, won = world()
    found = calibration_by_segment(frame, promised, won, FEATURES, np.arange(len(won)))
    sources = [part for part in found if part.feature == "source"]
    (partner,) = (part for part in sources if not part.low <= part.predicted <= part.high)
    assert partner.value == "partner"
    assert partner.predicted > partner.high


def test_each_segment_counts_its_own_rows() -> None:
    frame, promised, won = world()
    cluster = np.arange(4000) // 4
    found = calibration_by_segment(frame, promised, won, FEATURES, cluster)
    web = (frame["source"] == "web").to_numpy()
    (told,) = (part for part in found if part.value == "web")
    share = clustered_share(won[web], cluster[web])
    assert (told.rows, told.wins) == (web.sum(), won[web].sum())
    assert told.predicted == pytest.approx(promised[web].mean())
    assert (told.observed, told.low, told.high) == (share.value, share.low, share.high)
    of_web = evaluate(promised[web], won[web], None, seed=0, resamples=0)
    assert told.ece == pytest.approx(of_web.ece.value)
    assert told.calibration_slope == pytest.approx(of_web.calibration_slope.value)
    assert told.calibration_intercept == pytest.approx(of_web.calibration_intercept.value)
    for name in ("source", "employees"):
        assert sum(part.rows for part in found if part.feature == name) == 4000


def test_values_of_few_rows_are_told_together_and_the_most_frequent_come_first() -> None:
    frame, promised, won = world()
    found = calibration_by_segment(frame, promised, won, FEATURES, np.arange(len(won)))
    assert frame["source"].isna().sum() < LEAST_ROWS
    assert [part.value for part in found if part.feature == "source"] == [
        *("web", "partner", "fair"),
        OTHER,
    ]


def test_many_values_are_cut_to_the_most_frequent() -> None:
    frame, promised, won = world()
    frame["country"] = np.arange(4000) % 40
    frame["country"] = frame["country"].astype("str")
    found = calibration_by_segment(frame, promised, won, FEATURES, np.arange(len(won)))
    countries = [part for part in found if part.feature == "country"]
    assert len(countries) == MOST_VALUES + 1
    assert countries[-1].value == OTHER
    assert countries[-1].rows == 4000 - MOST_VALUES * 100


def test_sizes_are_bands_in_words_and_missing_values_a_segment_of_their_own() -> None:
    frame, promised, won = world()
    found = calibration_by_segment(frame, promised, won, FEATURES, np.arange(len(won)))
    assert {part.value for part in found if part.feature == "employees"} == {
        "Company of 1 to 10 people",
        "Company of 51 to 200 people",
        UNKNOWN,
    }


def test_a_segment_of_one_value_says_nothing() -> None:
    found = calibration_by_segment(*world(), FEATURES, np.arange(4000))
    assert not {"country", "region", "revenue"} & {part.feature for part in found}


def test_text_columns_of_any_kind_are_read() -> None:
    frame, promised, won = world()

    def told(leads: pd.DataFrame) -> list[dict[str, object]]:
        found = calibration_by_segment(leads, promised, won, FEATURES, np.arange(len(won)))
        return [part.to_dict() for part in found]

    plain = told(frame)
    for kind in ("string", "category", object):
        typed = frame.astype({"source": kind})
        assert told(typed) == plain


def test_no_rows_have_no_segments() -> None:
    frame, promised, won = world()
    assert calibration_by_segment(frame[:0], promised[:0], won[:0], FEATURES, []) == ()


def test_segments_are_plain_data_with_null_for_what_few_wins_cannot_tell() -> None:
    frame, promised, won = world()
    won &= (frame["source"] != "fair").to_numpy()
    found = calibration_by_segment(frame, promised, won, FEATURES, np.arange(len(won)))
    told = json.loads(json.dumps([part.to_dict() for part in found], allow_nan=False))
    (fair,) = (part for part in told if part["value"] == "fair")
    assert (fair["wins"], fair["calibration_slope"], fair["ece"]) == (0, None, None)
    assert set(told[0]) >= {
        *("feature", "label", "value", "rows", "wins", "predicted", "observed", "low", "high"),
    }
