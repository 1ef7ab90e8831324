"""Pairs of features are compiled exactly, told apart from single features, and blended."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lead_frames import feature
from pipelines_to_compile import (
    CITY_FEATURES,
    PAIRS,
    city_leads,
    fitted_logistic,
    fitted_trees,
    lead_encoder,
)

from leadlight.models.calibration import Calibration
from leadlight.models.compiled import CompiledModel, blended, compile_model
from leadlight.models.encoding import LARGEST, Encoding
from leadlight.models.pair_grid import PairGrid, purify
from leadlight.models.shape import Line, Shape

NAMES = [each.name for each in CITY_FEATURES]
TRAINING = city_leads()
NEW = city_leads(seed=1)
ENCODER = lead_encoder(CITY_FEATURES, TRAINING)
PAIRED = fitted_trees(CITY_FEATURES, TRAINING, PAIRS, ENCODER)
MODEL = compile_model(PAIRED, CITY_FEATURES)


WIDE = ("visits", "days_since_last", "industry", "city", *(f"n{at}" for at in range(8)))


def wide_leads(seed: int) -> pd.DataFrame:
    """City leads with eight numbers more, which matter two by two."""
    generator = np.random.default_rng(seed + 7)
    frame = city_leads(seed=seed)
    for name in WIDE[4:]:
        frame[name] = np.round(generator.normal(0.0, 2.0, len(frame)), 1)
        frame.loc[generator.random(len(frame)) < 0.1, name] = np.nan
    odds = sum(frame[f"n{at}"].fillna(0.0) * frame[f"n{at + 1}"].fillna(0.0) for at in range(7))
    return frame.assign(label=frame["label"] ^ (odds * generator.random(len(frame)) > 6.0))


def same_margins(one, other):
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)


def shares(cuts, values):
    """Share of values on each step, by the definition of a step."""
    counts = [np.isnan(values).mean(), (values > (cuts[-1] if len(cuts) else -np.inf)).mean()]
    lower = np.append(-np.inf, cuts[:-1]) if len(cuts) else []
    inside = [((values > low) & (values <= up)).mean() for low, up in zip(lower, cuts, strict=True)]
    return np.array([*inside, counts[1], counts[0]])


def test_the_pairs_asked_for_are_joined_and_compiled_and_no_others():
    joined = {frozenset((NAMES[pair.first], NAMES[pair.second])) for pair in MODEL.pairs}
    assert joined <= {frozenset(pair) for pair in PAIRS}
    assert {"industry", "city"} in joined
    assert {"visits", "industry"} in joined
    assert all(pair.first < pair.second for pair in MODEL.pairs)


def test_pairs_matter_to_the_margin():
    alone = CompiledModel(MODEL.encoding, MODEL.baseline, MODEL.shapes)
    assert np.abs(alone.margin(NEW) - MODEL.margin(NEW)).max() > 0.1


def test_compiled_agrees_on_and_beside_each_corner_of_each_pair():
    for pair in MODEL.pairs:
        values = []
        for at, cuts in ((pair.first, pair.first_cuts), (pair.second, pair.second_cuts)):
            levels = ENCODER.encoding_.levels[at]
            if levels is None:
                beside = [cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf), [np.nan]]
                values.append(np.concatenate(beside))
            else:
                values.append(np.array([*levels[:12], "never seen", None], dtype=object))
        grid = [each.ravel() for each in np.meshgrid(*values, indexing="ij")]
        frame = pd.concat([NEW.iloc[:1]] * len(grid[0]), ignore_index=True)
        for at, column in zip((pair.first, pair.second), grid, strict=True):
            dtype = "float64" if ENCODER.encoding_.levels[at] is None else "str"
            frame[NAMES[at]] = pd.Series(column, dtype=dtype)
        same_margins(MODEL.margin(frame), PAIRED.decision_function(frame))


tied = st.sampled_from([0.0, 1.0, 1.0, 2.5, 1e300, -1e300, np.inf, -np.inf, np.nan])
levels = st.sampled_from(["a", "a", "b", "c", None])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_any_small_world_of_ties_infinities_gaps_and_constants_compiles_exactly(seed, data):
    generator = np.random.default_rng(seed)
    rows = 400
    kinds = data.draw(st.lists(st.sampled_from(["numeric", "category"]), min_size=2, max_size=5))
    columns = {}
    for at, kind in enumerate(kinds):
        pool = data.draw(st.lists(tied if kind == "numeric" else levels, min_size=1, max_size=6))
        drawn = generator.integers(0, len(pool), rows)
        dtype = "float64" if kind == "numeric" else "str"
        columns[f"feature {at}"] = pd.Series([pool[place] for place in drawn], dtype=dtype)
        if kind == "numeric" and data.draw(st.booleans()):
            columns[f"feature {at}"] += generator.normal(0, 1, rows)
    features = [feature(f"feature {at}", kind) for at, kind in enumerate(kinds)]
    frame = pd.DataFrame(columns).assign(label=generator.random(rows) < 0.4)
    pairs = [(f"feature {at}", f"feature {at + 1}") for at in range(len(kinds) - 1)]
    weight = generator.random(rows) if data.draw(st.booleans()) else None
    pipeline = fitted_trees(
        features, frame, pairs, weight=weight, max_iter=15, min_samples_leaf=2, max_leaf_nodes=6
    )
    model = compile_model(pipeline, features)
    shown = frame.iloc[generator.permutation(rows)]
    mixed = pd.DataFrame(
        {name: column.sample(frac=1.0, random_state=1).to_numpy() for name, column in frame.items()}
    )
    for leads in (shown, mixed.astype(frame.dtypes.to_dict())):
        same_margins(model.margin(leads), pipeline.decision_function(leads))
        same_margins(model.purified(frame).margin(leads), model.margin(leads))


def test_monotone_directions_hold_in_the_tables():
    directions = (1, -1, *[0] * (len(NAMES) - 2))
    pipeline = fitted_trees(CITY_FEATURES, TRAINING, PAIRS, ENCODER, directions=directions)
    model = compile_model(pipeline, CITY_FEATURES)
    same_margins(model.margin(NEW), pipeline.decision_function(NEW))
    more = [model.margin(NEW.assign(visits=visits)) for visits in range(12)]
    assert (np.diff(more, axis=0) >= -1e-9).all()


def test_trees_that_join_three_features_against_their_limits_are_refused():
    pipeline = fitted_trees(CITY_FEATURES, TRAINING, PAIRS, ENCODER)
    pipeline.named_steps["classify"].set_params(pairs=None)
    matrix = pipeline[1:-1].transform(ENCODER.transform(TRAINING))
    pipeline.named_steps["classify"].fit(matrix, TRAINING["label"]).set_params(pairs=())
    with pytest.raises(ValueError, match=r"joins [3-8] features"):
        compile_model(pipeline, CITY_FEATURES)


def test_a_pairs_part_is_split_evenly_between_its_two_features():
    encoding = Encoding(("visits", "revenue"), (None, None), ((), ()))
    flat = [Shape(np.array([0.5]), np.zeros(2), 0.0)] * 2
    grid = PairGrid(0, 1, np.array([0.5]), np.array([0.5]), np.arange(9.0).reshape(3, 3))
    model = CompiledModel(encoding, 0.0, tuple(flat), (grid,))
    frame = pd.DataFrame({"visits": [0.0, 1.0, np.nan], "revenue": [0.5, np.nan, np.nan]})
    expected = np.array([0.0, 5.0, 8.0])
    np.testing.assert_array_equal(model.contributions(frame), np.stack([expected / 2] * 2, axis=1))


def test_a_pair_whose_cuts_its_features_do_not_have_is_refused():
    encoding = Encoding(("visits", "revenue"), (None, None), ((), ()))
    flat = (Shape(np.array([0.5]), np.zeros(2), 0.0),) * 2
    grid = PairGrid(0, 1, np.array([0.7]), np.array([0.5]), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="cuts"):
        CompiledModel(encoding, 0.0, flat, (grid,))


@given(st.integers(0, 2**32 - 1))
def test_purification_leaves_nothing_of_a_single_feature_in_a_grid(seed):
    generator = np.random.default_rng(seed)
    values = generator.normal(0, 2, (4, 6))
    grid = PairGrid(0, 1, np.arange(2.0), np.arange(4.0), values)
    rows, columns = generator.random(4), generator.random(6)
    parted = purify(grid, rows, columns)
    again = parted.level + parted.first[:, None] + parted.second[None, :] + parted.grid.values
    np.testing.assert_allclose(again, values, rtol=0, atol=1e-12)
    np.testing.assert_allclose(parted.grid.values @ columns, 0.0, atol=1e-12)
    np.testing.assert_allclose(rows @ parted.grid.values, 0.0, atol=1e-12)
    np.testing.assert_allclose(rows @ parted.first, 0.0, atol=1e-12)


def test_purified_by_leads_a_pair_adds_nothing_on_the_average_over_either_feature():
    model = MODEL.purified(TRAINING)
    same_margins(model.margin(NEW), MODEL.margin(NEW))
    matrix = model.encoding.matrix(TRAINING)
    for pair in model.pairs:
        across = shares(pair.first_cuts, matrix[:, pair.first])
        along = shares(pair.second_cuts, matrix[:, pair.second])
        np.testing.assert_allclose(pair.values @ along, 0.0, atol=1e-9)
        np.testing.assert_allclose(across @ pair.values, 0.0, atol=1e-9)


BAGS = [
    compile_model(
        fitted(CITY_FEATURES, TRAINING.iloc[rows], encoder=ENCODER, **more), CITY_FEATURES
    )
    for fitted, rows, more in (
        (fitted_logistic, slice(0, 3000), {}),
        (fitted_logistic, slice(1000, 4000), {}),
        (fitted_trees, slice(0, 3000), {"pairs": PAIRS}),
        (fitted_trees, slice(1000, 4000), {"pairs": PAIRS[1:]}),
    )
]


@settings(max_examples=20, deadline=None)
@given(weights=st.lists(st.floats(0.0, 3.0), min_size=4, max_size=4))
def test_a_blend_is_the_weighted_sum_of_its_members(weights):
    blend = blended(BAGS, weights)
    expected = sum(weight * model.margin(NEW) for model, weight in zip(BAGS, weights, strict=True))
    same_margins(blend.margin(NEW), expected)
    same_margins(blend.purified(TRAINING).margin(NEW), expected)


def test_a_blend_holds_each_pair_once_and_lines_of_the_same_scale_once():
    blend = blended([*BAGS, BAGS[0]], [0.2] * 5)
    both = [(pair.first, pair.second) for pair in blend.pairs]
    assert both == sorted(set(both))
    assert {len(shape.lines) for shape in blend.shapes} <= {0, 1, 2}
    twice = blended([BAGS[0], BAGS[0]], [0.5, 0.25])
    assert {len(shape.lines) for shape in twice.shapes} == {0, 1}


def test_a_blend_of_unlike_models_or_odd_weights_is_refused():
    other = compile_model(fitted_trees(CITY_FEATURES[:3], TRAINING), CITY_FEATURES[:3])
    with pytest.raises(ValueError, match="encodings"):
        blended([BAGS[0], other], [0.5, 0.5])
    with pytest.raises(ValueError, match="negative"):
        blended(BAGS[:2], [0.5, -0.5])
    with pytest.raises(ValueError, match="1 weights"):
        blended(BAGS[:2], [1.0])
    with pytest.raises(ValueError, match="0 models"):
        blended([], [])


def test_a_blends_payload_survives_json_and_npz_without_pickle():
    blend = blended(BAGS, [0.25] * 4)
    plain, arrays = blend.to_payload()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as loaded:
        again = CompiledModel.from_payload(json.loads(json.dumps(plain)), dict(loaded))
    np.testing.assert_array_equal(again.contributions(NEW), blend.contributions(NEW))


@pytest.mark.parametrize("name", ["pair_values", "pair_cuts", "steps", "lines"])
def test_a_payload_cut_short_is_refused(name):
    plain, arrays = blended(BAGS, [0.25] * 4).to_payload()
    with pytest.raises(ValueError, match="belong together"):
        CompiledModel.from_payload(plain, arrays | {name: arrays[name][:-1]})


def test_a_model_of_the_first_format_is_still_read():
    encoding = Encoding(("visits", "city"), (None, ("here",)), ((), ()))
    arrays = {
        "thresholds": np.array([0.0]),
        "threshold_counts": np.array([0, 1]),
        "steps": np.array([0.5, 1.0, 2.0]),
        "missing": np.array([0.0, 0.0]),
        "lines": np.array([[2.0, 0.25, 0.0], [0.0, 0.0, 0.0]]),
    }
    plain = {"format": 1, "baseline": -1.0} | encoding.to_plain()
    model = CompiledModel.from_payload(plain, arrays)
    frame = pd.DataFrame({"visits": [np.e - 1.0, np.nan], "city": ["here", "there"]})
    np.testing.assert_allclose(model.margin(frame), [-1.0 + 0.5 + 0.5 + 1.0, -1.0 + 2.0])
    assert model.shapes[0].lines == (Line(2.0, 0.25, 0.0),)


def test_a_calibrated_blend_of_lines_shapes_and_32_pairs_gives_the_fitted_probabilities():
    """Rare and unknown levels, counts, amounts and missing values of many leads at once."""
    pairs = [
        (first, second)
        for at, first in enumerate(WIDE)
        for second in WIDE[at + 1 :]
        if {first, second} & {"visits", "industry", "city", "n0", "n1"}
    ][:32]
    features = (*CITY_FEATURES, *(feature(name) for name in WIDE[4:]))
    training, shown = wide_leads(0), pd.concat([wide_leads(1)] * 3, ignore_index=True)
    shown.loc[:50, "industry"] = "Lighthouses"
    encoder = lead_encoder(features, training)
    members = [
        (fitted_logistic(features, training, encoder), 0.3),
        (fitted_trees(features, training, encoder=encoder), 0.3),
        (fitted_trees(features, training, pairs, encoder, max_iter=200, max_features=0.4), 0.4),
    ]
    model = blended(
        [compile_model(pipeline, features) for pipeline, _ in members],
        [weight for _, weight in members],
    ).purified(training)
    assert len(model.pairs) == 32
    assert any(shape.lines for shape in model.shapes)
    fitted = sum(weight * pipeline.decision_function(shown) for pipeline, weight in members)
    parts = model.contributions(shown)
    same_margins(model.baseline + parts.sum(axis=1), fitted)
    same_margins(model.total(parts), fitted)
    calibration = Calibration(0.9, -0.2, ((-4.0, -3.0), (-1.0, -1.2), (2.0, 1.5)))
    np.testing.assert_allclose(
        calibration.probability(model.margin(shown)),
        1.0 / (1.0 + np.exp(-calibration.log_odds(fitted))),
        rtol=0,
        atol=1e-9,
    )


def test_the_largest_numbers_fall_on_the_last_step():
    frame = pd.concat([NEW.iloc[:1]] * 4, ignore_index=True)
    frame["revenue"] = [np.inf, LARGEST, 1e300, np.finfo(np.float64).max]
    assert len(set(MODEL.margin(frame).tolist())) == 1


def test_a_leads_margin_does_not_depend_on_how_many_it_comes_with():
    many = pd.concat([NEW] * 20, ignore_index=True)
    margin = MODEL.margin(many)
    np.testing.assert_array_equal(margin, np.tile(MODEL.margin(NEW), 20))
    np.testing.assert_array_equal(margin, MODEL.total(MODEL.contributions(many)))
    alone = [MODEL.margin(NEW.iloc[[at]])[0] for at in (0, 5, 99)]
    assert alone == margin[[0, 5, 99]].tolist()
