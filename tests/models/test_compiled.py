"""The compiled model is the fitted one, to the ninth digit, whatever it is shown."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_frames import feature
from pipelines_to_compile import CITY_FEATURES as FEATURES
from pipelines_to_compile import PAIRS, city_leads, fitted_logistic, fitted_trees, lead_encoder

from leadlight.features.errors import SchemaMismatchError
from leadlight.models.compiled import CompiledModel, compile_model
from leadlight.models.encoding import LARGEST, MAX_LEVELS, LeadEncoder

TRAINING = city_leads()
ENCODER = lead_encoder(FEATURES, TRAINING)
PIPELINES = {
    "logistic": fitted_logistic(FEATURES, TRAINING, ENCODER),
    "single": fitted_trees(FEATURES, TRAINING, encoder=ENCODER),
    "pairs": fitted_trees(FEATURES, TRAINING, PAIRS, encoder=ENCODER),
    "unlimited": fitted_trees(FEATURES, TRAINING, None, encoder=ENCODER, max_leaf_nodes=16),
}
NAMES = tuple(PIPELINES)
COMPILED = {name: compile_model(pipeline, FEATURES) for name, pipeline in PIPELINES.items()}


def assert_agrees(name: str, frame: pd.DataFrame) -> None:
    fitted = PIPELINES[name].decision_function(frame)
    np.testing.assert_allclose(COMPILED[name].margin(frame), fitted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_compiled_agrees_with_the_fitted_model_on_known_and_new_leads(name):
    assert_agrees(name, TRAINING)
    assert_agrees(name, city_leads(seed=1))


@pytest.mark.parametrize("name", NAMES)
def test_compiled_margins_differ_between_leads(name):
    assert np.ptp(COMPILED[name].margin(TRAINING)) > 1.0


@pytest.mark.parametrize("name", NAMES)
def test_compiled_agrees_exactly_on_and_beside_each_threshold(name):
    model = COMPILED["single"]
    assert sum(len(shape.thresholds) for shape in model.shapes) > 20
    for column, shape in zip(model.features, model.shapes, strict=True):
        if column not in {"visits", "days_since_last", "revenue"}:
            continue
        cuts = shape.thresholds
        values = np.concatenate([cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf)])
        frame = pd.concat([TRAINING.iloc[:1]] * len(values), ignore_index=True)
        assert_agrees(name, frame.assign(**{column: values}))


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([np.nan, 0.0, -0.0, 1e300, -1e300, np.inf, -np.inf, LARGEST]),
)
texts = st.one_of(
    st.none(), st.text(max_size=8), st.sampled_from(["Finance", "Retail", "Beekeeping", "東京", ""])
)
any_lead = st.fixed_dictionaries(
    {each.name: texts if each.kind == "category" else numbers for each in FEATURES}
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(any_lead, min_size=1, max_size=5))
@pytest.mark.parametrize("name", NAMES)
def test_compiled_agrees_with_the_fitted_model_on_any_lead(name, rows):
    frame = pd.DataFrame(rows).astype(
        {each.name: "str" if each.kind == "category" else "float64" for each in FEATURES}
    )
    assert_agrees(name, frame)


@pytest.mark.parametrize("name", NAMES)
def test_parts_sum_to_the_margin_and_a_leads_margin_does_not_depend_on_its_company(name):
    model = COMPILED[name]
    parts = model.contributions(TRAINING)
    margin = model.margin(TRAINING)
    np.testing.assert_allclose(model.baseline + parts.sum(axis=1), margin, rtol=0, atol=1e-12)
    alone = [model.margin(TRAINING.iloc[[at]])[0] for at in (0, 1, 17, 999)]
    assert alone == margin[[0, 1, 17, 999]].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_features_that_never_vary_add_nothing(name):
    model = COMPILED[name]
    parts = dict(zip(model.features, model.contributions(TRAINING).T, strict=True))
    for column in ("nothing known", "always the same", "one level", "no level"):
        np.testing.assert_allclose(parts[column], parts[column][0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_an_unseen_level_counts_as_a_rare_one(name):
    model = COMPILED[name]
    rare = model.margin(TRAINING.iloc[[0]].assign(industry="Beekeeping"))
    unseen = model.margin(TRAINING.iloc[[0]].assign(industry="Lighthouses"))
    known = model.margin(TRAINING.iloc[[0]].assign(industry="Finance"))
    assert rare == unseen
    assert rare != known


@pytest.mark.parametrize("name", NAMES)
def test_payload_survives_json_and_npz_without_pickle(name):
    model = COMPILED[name]
    plain, arrays = model.to_payload()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as loaded:
        again = CompiledModel.from_payload(json.loads(json.dumps(plain)), dict(loaded))
    assert again.features == model.features
    np.testing.assert_array_equal(again.margin(TRAINING), model.margin(TRAINING))
    np.testing.assert_array_equal(again.contributions(TRAINING), model.contributions(TRAINING))


def test_payload_of_another_format_is_refused():
    plain, arrays = COMPILED["logistic"].to_payload()
    with pytest.raises(ValueError, match="format 99"):
        CompiledModel.from_payload(plain | {"format": 99}, arrays)


def test_compiling_for_other_features_is_refused():
    with pytest.raises(ValueError, match="other features"):
        compile_model(PIPELINES["logistic"], FEATURES[::-1])


@pytest.mark.parametrize("fitted", [fitted_logistic, fitted_trees])
@pytest.mark.parametrize("kind", ["numeric", "category"])
def test_a_model_of_one_kind_of_feature_compiles(fitted, kind):
    features = [each for each in FEATURES if each.kind == kind]
    pipeline = fitted(features, TRAINING)
    margin = compile_model(pipeline, features).margin(TRAINING)
    np.testing.assert_allclose(margin, pipeline.decision_function(TRAINING), rtol=0, atol=1e-9)


@pytest.mark.parametrize("fitted", [fitted_logistic, fitted_trees])
def test_a_category_of_thousands_of_levels_keeps_the_frequent_ones(fitted):
    generator = np.random.default_rng(0)
    codes = np.minimum(generator.geometric(0.0005, 30_000), 9000)
    frame = pd.DataFrame({"city": pd.Series([f"city {code}" for code in codes], dtype="str")})
    frame["label"] = generator.random(len(frame)) < np.where(codes % 2, 0.6, 0.2)
    features = [feature("city", "category")]
    pipeline = fitted(features, frame)
    model = compile_model(pipeline, features)
    assert len(model.encoding.levels[0]) == MAX_LEVELS
    np.testing.assert_allclose(
        model.margin(frame), pipeline.decision_function(frame), rtol=0, atol=1e-9
    )
    assert np.ptp(model.margin(frame)) > 0.5


def test_nullable_and_integer_columns_encode_like_floats():
    model = COMPILED["single"]
    frame = TRAINING.assign(
        visits=TRAINING["visits"].astype("Int64"),
        days_since_last=TRAINING["days_since_last"].astype("Float64"),
        industry=TRAINING["industry"].astype("category"),
    )
    np.testing.assert_array_equal(model.margin(frame), model.margin(TRAINING))


def test_a_wholly_missing_column_may_have_any_type_at_scoring():
    model = COMPILED["logistic"]
    empty = [None] * len(TRAINING)
    expected = model.margin(TRAINING.assign(visits=np.nan, industry=pd.Series(empty, dtype="str")))
    shown = TRAINING.assign(visits=pd.Series(empty, dtype="object"), industry=np.nan)
    np.testing.assert_array_equal(model.margin(shown), expected)


def test_a_missing_column_at_scoring_is_named_with_its_nearest_likeness():
    frame = TRAINING.rename(columns={"visits": "vists"}).drop(columns="revenue")
    with pytest.raises(SchemaMismatchError) as caught:
        COMPILED["logistic"].margin(frame)
    message = str(caught.value)
    assert "column 'visits' is missing. Did you mean 'vists'?" in message
    assert "column 'revenue' is missing" in message
    assert "train a new model" in message


def test_a_column_of_a_changed_type_is_named_with_a_value():
    frame = TRAINING.assign(visits="many", industry=3)
    with pytest.raises(SchemaMismatchError) as caught:
        COMPILED["logistic"].margin(frame)
    assert "'visits' was numbers and now holds" in str(caught.value)
    assert "'many'" in str(caught.value)
    assert "'industry' was text and now holds" in str(caught.value)


def test_a_date_where_a_number_was_is_a_changed_type():
    frame = TRAINING.assign(revenue=pd.Timestamp("2024-01-01", tz="UTC"))
    with pytest.raises(SchemaMismatchError, match="'revenue' was numbers"):
        COMPILED["single"].margin(frame)


def test_no_rows_give_no_margins():
    assert COMPILED["logistic"].margin(TRAINING.iloc[:0]).shape == (0,)
    assert COMPILED["single"].contributions(TRAINING.iloc[:0]).shape == (0, len(FEATURES))


def test_encoder_keeps_levels_by_frequency_then_name():
    encoder = LeadEncoder(("industry",), ("category",)).fit(TRAINING)
    (levels,) = encoder.encoding_.levels
    counts = TRAINING["industry"].value_counts()
    assert "Beekeeping" not in levels
    assert sorted(levels, key=lambda level: (-counts[level], level)) == list(levels)


def test_a_level_counts_by_leads_and_not_by_their_snapshots():
    city = ["Oslo"] * 60 + ["Bergen"] * 60
    lead = [f"lead-{at % 4}" for at in range(60)] + [f"lead-{at % 5}" for at in range(60)]
    frame = pd.DataFrame({"lead_id": lead, "city": pd.Series(city, dtype="str")})
    encoding = LeadEncoder(("city",), ("category",)).fit(frame).encoding_
    assert encoding.levels == (("Bergen",),)
    assert encoding.rare == (("Oslo",),)
