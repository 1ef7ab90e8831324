"""The decision version: one artefact that scores, decides and explains, and survives its file."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from fitted_candidate import fitted
from scipy.special import expit

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.errors import ModelNotFoundError, SchemaMismatchError
from leadlight.models.calibration import calibrate
from leadlight.models.compiled import compile_model
from leadlight.models.decision import FORMAT_VERSION, DecisionVersion, JudgedModel
from leadlight.models.policies import Floors, TopSharePolicy
from leadlight.models.reference import Reference
from leadlight.models.threshold import choose_threshold

NOW = datetime(2024, 6, 1, tzinfo=UTC)
DEFINITION = FeatureDefinition(
    lookback_days=(30,),
    event_kinds=("content_download", "page_view_pricing"),
    profile=(
        ProfileColumn("seniority", "leads", "seniority", "category"),
        ProfileColumn("employees", "accounts", "employees", "numeric"),
    ),
    has_age=False,
)
FEATURES = feature_catalog(DEFINITION)
COUNTS = ("content_download_count_30d", "page_view_pricing_count_30d")


def world(rows: int = 6000, seed: int = 0) -> pd.DataFrame:
    """Leads of a world in which fit and engagement are independent, and both needed."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({feature.name: 0.0 for feature in FEATURES}, index=range(rows))
    categories = [feature.name for feature in FEATURES if feature.kind == "category"]
    frame[categories] = "page_view_pricing"
    frame["seniority"] = rng.choice(["Student", "Manager", "Vice president"], rows)
    frame["employees"] = np.where(
        frame["seniority"] == "Student", np.nan, rng.lognormal(5, 1, rows)
    )
    active = rng.random(rows) < 0.6
    for kind in ("content_download", "page_view_pricing"):
        count = rng.poisson(3.0, rows) * active
        frame[f"{kind}_count_30d"] = count
        frame[f"{kind}_count_all"] = count
        frame[f"{kind}_days_since_last"] = np.where(count > 0, rng.random(rows) * 30, np.nan)
    frame["activity_count_30d"] = frame[list(COUNTS)].sum(axis=1)
    frame["activity_count_all"] = frame["activity_count_30d"]
    return frame.assign(
        lead_id=[f"lead {i}" for i in range(rows)],
        account_id=None,
        as_of=NOW,
        label=rng.random(rows)
        < expit(
            -5.0
            + 1.5 * (frame["seniority"] == "Vice president")
            + 0.7 * (frame["seniority"] == "Manager")
            + 0.3 * frame["content_download_count_30d"]
            + 0.4 * frame["page_view_pricing_count_30d"]
        ),
    )


def decision_on(frame: pd.DataFrame, floors: Floors, share: float = 0.4) -> DecisionVersion:
    pipeline = fitted("logistic", frame, FEATURES)
    compiled = compile_model(pipeline, FEATURES)
    parts = compiled.contributions(frame)
    margin = compiled.total(parts)
    calibration = calibrate(margin, frame["label"])
    reference = Reference.of(margin, parts, FEATURES)
    held_out = frame[["lead_id", "account_id", "as_of", "label"]].assign(
        probability=calibration.probability(margin),
        fit_percentile=reference.family_percentile(parts, FEATURES, "fit"),
        engagement_percentile=reference.family_percentile(parts, FEATURES, "engagement"),
    )
    return DecisionVersion(
        compiled=compiled,
        calibration=calibration,
        reference=reference,
        threshold=choose_threshold(TopSharePolicy(share), held_out, floors, seed=0),
        floors=floors,
        definition=DEFINITION,
        metadata={"project": "acme", "horizon_days": 90},
    )


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return world()


@pytest.fixture(scope="module")
def decision(frame: pd.DataFrame) -> DecisionVersion:
    return decision_on(frame, Floors(fit=0.2, engagement=0.2), share=0.2)


def student_and_silent_vice_president(frame: pd.DataFrame) -> pd.DataFrame:
    """The two of the guide, and a lead with both fit and interest."""
    three = frame.iloc[:3].copy()
    three["lead_id"] = ["student", "silent", "both"]
    three["seniority"] = ["Student", "Vice president", "Vice president"]
    three["employees"] = [np.nan, 5000.0, 5000.0]
    numbers = [f for f in FEATURES if f.family == "engagement" and f.kind == "numeric"]
    for name in [feature.name for feature in numbers]:
        active = frame[name].max() if "days_since" not in name else 1.0
        quiet = 0.0 if "days_since" not in name else np.nan
        three[name] = [active, quiet, active]
    return three


def test_floors_keep_the_student_and_the_silent_vice_president_from_being_mqls(
    frame: pd.DataFrame, decision: DecisionVersion
) -> None:
    three = student_and_silent_vice_president(frame)
    lenient = replace(
        decision, floors=Floors(), threshold=replace(decision.threshold, threshold=0.02)
    )
    strict = replace(lenient, floors=Floors(fit=0.2, engagement=0.2))
    assert lenient.decide(three)["mql"].tolist() == [True, True, True]
    decided = strict.decide(three).set_index("lead_id")
    assert decided["mql"].to_dict() == {"student": False, "silent": False, "both": True}
    assert decided["fit_percentile"]["student"] < 0.2 < decided["fit_percentile"]["silent"]
    assert decided["engagement_percentile"]["silent"] == 0.0
    assert decided["engagement_percentile"]["student"] > 0.9


def test_the_decision_keeps_the_promise_of_its_policy(
    frame: pd.DataFrame, decision: DecisionVersion
) -> None:
    # the lead whose probability is the threshold is an MQL too, as it was when choosing
    assert decision.decide(frame)["mql"].mean() == decision.threshold.share
    assert decision.threshold.share == pytest.approx(0.2, abs=0.01)
    assert decision.decide(world(seed=1))["mql"].mean() == pytest.approx(0.2, abs=0.03)


def test_probability_percentile_and_grade_follow_one_order(
    frame: pd.DataFrame, decision: DecisionVersion
) -> None:
    decided = decision.decide(frame)
    ordered = decided.sort_values("probability", kind="stable")
    assert ordered["percentile"].is_monotonic_increasing
    assert decided["percentile"].between(0.0, 1.0).all()
    grade = decided["percentile"].map(
        lambda p: "A" if p >= 0.9 else "B" if p >= 0.7 else "C" if p >= 0.4 else "D"
    )
    assert decided["grade"].tolist() == grade.tolist()
    assert decided["grade"].value_counts(normalize=True)["A"] == pytest.approx(0.1, abs=0.02)


def test_a_lead_is_decided_alike_alone_and_among_others(
    frame: pd.DataFrame, decision: DecisionVersion
) -> None:
    together = decision.decide(frame)
    for at in (0, 17, 5999):
        alone = decision.decide(frame.iloc[[at]])
        pd.testing.assert_frame_equal(
            alone, together.iloc[[at]].reset_index(drop=True), check_exact=True
        )


def test_the_result_has_the_columns_and_the_order_of_the_leads(
    frame: pd.DataFrame, decision: DecisionVersion
) -> None:
    shuffled = frame.sample(frac=0.1, random_state=1)
    decided = decision.decide(shuffled)
    assert list(decided.columns) == [
        "lead_id",
        "as_of",
        "probability",
        "percentile",
        "grade",
        "mql",
        "fit_percentile",
        "engagement_percentile",
        "reasons_for",
        "reason_ids_for",
        "reason_points_for",
        "reasons_against",
        "reason_ids_against",
        "reason_points_against",
    ]
    assert decided["lead_id"].tolist() == shuffled["lead_id"].tolist()
    assert decided["as_of"].tolist() == [NOW] * len(shuffled)


def test_reasons_tell_what_a_lead_did_and_who_it_is(
    frame: pd.DataFrame, decision: DecisionVersion
) -> None:
    told = decision.decide(student_and_silent_vice_president(frame)).set_index("lead_id")
    assert any("Student" in reason for reason in told["reasons_against"]["student"])
    assert any("Vice president" in reason for reason in told["reasons_for"]["silent"])
    for reason in told["reasons_for"]["student"] + told["reasons_against"]["silent"]:
        assert "_" not in reason
    assert told["reasons_for"]["student"]
    assert told["reasons_against"]["silent"]
    assert all(len(reasons) <= 3 for reasons in told["reasons_for"])


def test_no_leads_give_an_empty_decision(frame: pd.DataFrame, decision: DecisionVersion) -> None:
    decided = decision.decide(frame.iloc[:0])
    assert decided.empty
    assert "mql" in decided


@pytest.mark.parametrize("column", ["content_download_count_30d", "lead_id", "as_of"])
def test_a_missing_column_is_named(
    frame: pd.DataFrame, decision: DecisionVersion, column: str
) -> None:
    with pytest.raises(SchemaMismatchError, match=column):
        decision.decide(frame.drop(columns=column))


def test_a_model_whose_features_the_definition_does_not_make_is_refused(
    frame: pd.DataFrame, decision: DecisionVersion
) -> None:
    other = replace(decision, definition=replace(DEFINITION, profile=()))
    with pytest.raises(SchemaMismatchError, match="seniority"):
        other.decide(frame)


def test_a_decision_version_survives_json_and_arrays(
    frame: pd.DataFrame, decision: DecisionVersion
) -> None:
    payload, arrays = decision.to_payload()
    plain = json.loads(json.dumps(payload, allow_nan=False))
    assert all(array.dtype != object for array in arrays.values())
    read = DecisionVersion.from_payload(plain, arrays)
    pd.testing.assert_frame_equal(read.decide(frame), decision.decide(frame), check_exact=True)
    again, arrays_again = read.to_payload()
    assert again == payload
    assert arrays_again.keys() == arrays.keys()


def test_a_newer_format_asks_for_an_upgrade(decision: DecisionVersion) -> None:
    payload, arrays = decision.to_payload()
    payload["format_version"] = FORMAT_VERSION + 1
    with pytest.raises(SchemaMismatchError, match="Upgrade leadlight"):
        DecisionVersion.from_payload(payload, arrays)


@pytest.mark.parametrize("key", ["format_version", "model", "calibration", "threshold", "floors"])
def test_a_payload_with_a_piece_missing_is_refused(decision: DecisionVersion, key: str) -> None:
    payload, arrays = decision.to_payload()
    del payload[key]
    with pytest.raises(ModelNotFoundError):
        DecisionVersion.from_payload(payload, arrays)


def test_a_payload_without_its_arrays_is_refused(decision: DecisionVersion) -> None:
    payload, _ = decision.to_payload()
    with pytest.raises(ModelNotFoundError):
        DecisionVersion.from_payload(payload, {})


def test_the_definition_is_told_in_one_sentence(decision: DecisionVersion) -> None:
    told = decision.definition_in_words()
    assert f"{decision.threshold.threshold:.1%}" in told
    assert "within 90 days" in told
    assert "fit is not among the lowest 20% of leads" in told
    without = replace(decision, floors=Floors(), metadata={})
    assert without.definition_in_words().count(" and ") == 0


def test_a_family_without_features_has_no_percentile_and_no_floor(frame: pd.DataFrame) -> None:
    definition = replace(DEFINITION, profile=())
    features = feature_catalog(definition)
    pipeline = fitted("logistic", frame, features)
    compiled = compile_model(pipeline, features)
    parts = compiled.contributions(frame)
    reference = Reference.of(compiled.total(parts), parts, features)
    full = decision_on(frame, Floors())
    decided = replace(
        full,
        compiled=compiled,
        definition=definition,
        reference=reference,
        floors=Floors(fit=0.9),
    ).decide(frame)
    assert decided["fit_percentile"].isna().all()
    assert decided["mql"].any()
    assert not math.isnan(decided["engagement_percentile"].iloc[0])


def test_the_model_that_was_evaluated_survives_the_file_beside_the_one_that_scores() -> None:
    frame = world(3000)
    decision = decision_on(frame, Floors())
    earlier = decision_on(frame.iloc[:2000], Floors())
    both = replace(decision, judged=JudgedModel(earlier.compiled, earlier.calibration))
    payload, arrays = both.to_payload()
    again = DecisionVersion.from_payload(json.loads(json.dumps(payload)), arrays)
    assert again.judged is not None
    expected = earlier.calibration.probability(earlier.compiled.margin(frame))
    np.testing.assert_array_equal(again.judged.probability(frame), expected)
    pd.testing.assert_frame_equal(again.decide(frame), decision.decide(frame))


def test_a_version_of_an_earlier_leadlight_keeps_no_other_model() -> None:
    payload, arrays = decision_on(world(2000), Floors()).to_payload()
    assert "judged" not in payload
    assert DecisionVersion.from_payload(payload, arrays).judged is None
