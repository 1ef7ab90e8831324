"""Unlimited trees: kept as data, exact to the last digit, and shared out fairly."""

import io
from collections.abc import Callable, Iterator
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_frames import FEATURES
from pipelines_to_compile import city_leads, fitted_logistic, fitted_trees, lead_encoder

from leadlight.models.compiled import CompiledModel, blended, compile_model
from leadlight.models.encoding import Encoding
from leadlight.models.tree_arrays import MOST_LEAVES, trees_from_arrays, trees_to_arrays
from leadlight.models.unlimited_trees import UnlimitedTrees

TRAINING = city_leads()
ENCODER = lead_encoder(FEATURES, TRAINING)
FITTED = fitted_trees(FEATURES, TRAINING, None, ENCODER, max_leaf_nodes=16, max_iter=20)
MODEL = compile_model(FITTED, FEATURES)
SMALL = Encoding(
    ("a", "b", "c", "d", "colour"), (None, None, None, None, ("red", "blue")), ((),) * 5
)


def test_the_model_has_trees_that_join_many_features():
    (_, *later) = MODEL.trees.roots.tolist()
    trees = np.split(MODEL.trees.feature, later)
    assert max(len(np.unique(tree[tree >= 0])) for tree in trees) > 3


def grown(seed: int) -> UnlimitedTrees:
    """A tree of any form: features come again on one way, numbers and categories, covers uneven."""
    generator = np.random.default_rng(seed)
    cover = [float(generator.integers(50, 100))]
    feature, cut, sides, left, right = [-1], [np.nan], [()], [-1], [-1]
    for _ in range(int(generator.integers(1, 10))):
        wide = [at for at in range(len(cover)) if feature[at] < 0 and cover[at] > 1]
        if not wide:
            break
        at = int(generator.choice(wide))
        feature[at] = int(generator.integers(0, 5))
        if feature[at] == 4:
            drawn = generator.permutation(3)[: generator.integers(0, 3)]
            sides[at] = tuple(sorted(drawn.tolist()))
        else:
            cut[at] = float(generator.choice([0.0, 1.0, 2.0, np.inf]))
        some = float(generator.integers(1, cover[at]))
        left[at], right[at] = len(cover), len(cover) + 1
        cover += [some, cover[at] - some]
        for each, empty in ((feature, -1), (cut, np.nan), (sides, ()), (left, -1), (right, -1)):
            each += [empty, empty]
    leaf = np.array(feature) < 0
    return UnlimitedTrees(
        roots=np.zeros(1, dtype=np.int64),
        feature=np.array(feature, dtype=np.int64),
        cut=np.array(cut),
        missing_left=(generator.random(len(cover)) < 0.5) & ~leaf,
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        value=np.where(leaf, generator.normal(size=len(cover)), 0.0),
        cover=np.array(cover),
        level_counts=np.array([len(each) for each in sides], dtype=np.int64),
        levels=np.array([level for each in sides for level in each], dtype=np.int64),
    )


def expected(trees: UnlimitedTrees, row: np.ndarray, known: frozenset[int]) -> float:
    """What is expected of a lead of whom only some features are known (Lundberg, Algorithm 1)."""
    ends = np.cumsum(trees.level_counts)

    def follow(node: int) -> float:
        at = trees.feature[node]
        if at < 0:
            return float(trees.value[node])
        left, right = int(trees.left[node]), int(trees.right[node])
        if at not in known:
            both = trees.cover[left] * follow(left) + trees.cover[right] * follow(right)
            return float(both / trees.cover[node])
        value = row[at]
        if np.isnan(value):
            goes_left = trees.missing_left[node]
        elif np.isnan(trees.cut[node]):
            goes_left = value in trees.levels[ends[node] - trees.level_counts[node] : ends[node]]
        else:
            goes_left = value <= trees.cut[node]
        return follow(left if goes_left else right)

    return sum(follow(root) for root in trees.roots.tolist())


def fair_shares(trees: UnlimitedTrees, row: np.ndarray) -> np.ndarray:
    """Shapley values by their definition, over all coalitions of the features that are split."""
    players, shares = trees.features, np.zeros(len(row))
    count = len(players)
    worth = {
        frozenset(some): expected(trees, row, frozenset(some))
        for size in range(count + 1)
        for some in combinations(players, size)
    }
    for some, value in worth.items():
        for at in set(players) - some:
            weight = factorial(len(some)) * factorial(count - len(some) - 1) / factorial(count)
            shares[at] += weight * (worth[some | {at}] - value)
    return shares


values = st.one_of(st.sampled_from([0.0, 1.0, 2.0, np.nan]), st.floats(-3.0, 3.0))
rows = st.tuples(values, values, values, values, st.sampled_from([0.0, 1.0, 2.0, np.nan]))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), leads=st.lists(rows, min_size=1, max_size=3))
def test_parts_are_the_shapley_values_over_all_coalitions(seed, leads):
    trees, matrix = grown(seed), np.array(leads)
    trees_from_arrays(trees_to_arrays(trees), SMALL)  # such trees are valid
    parts = trees.parts(matrix)
    for row, found in zip(matrix, parts, strict=True):
        np.testing.assert_allclose(found, fair_shares(trees, row), rtol=0, atol=1e-12)
    everything = [expected(trees, row, frozenset(range(5))) for row in matrix]
    np.testing.assert_allclose(parts.sum(axis=1) + trees.mean, everything, rtol=0, atol=1e-12)


def test_parts_of_fitted_trees_are_the_shapley_values_too():
    matrix = MODEL.encoding.matrix(TRAINING.iloc[:2])
    first = MODEL.trees.roots.tolist()[:3]
    some = slice(0, first[2])
    two = UnlimitedTrees(
        **{
            name.removeprefix("tree_"): array[some]
            for name, array in trees_to_arrays(MODEL.trees).items()
            if name not in {"tree_roots", "tree_levels"}
        },
        roots=MODEL.trees.roots[:2],
        levels=MODEL.trees.levels[: int(MODEL.trees.level_counts[some].sum())],
    )
    for row, found in zip(matrix, two.parts(matrix), strict=True):
        np.testing.assert_allclose(found, fair_shares(two, row), rtol=0, atol=1e-12)


def test_a_blend_with_unlimited_trees_is_the_weighted_sum_of_its_members_and_keeps_their_parts():
    logistic = fitted_logistic(FEATURES, TRAINING, ENCODER)
    members, weights = [logistic, FITTED, FITTED], [0.5, 0.3, 0.4]
    each = [compile_model(member, FEATURES) for member in members]
    blend = blended(each, weights).purified(TRAINING)
    fitted = sum(
        weight * member.decision_function(TRAINING)
        for weight, member in zip(weights, members, strict=True)
    )
    np.testing.assert_allclose(blend.margin(TRAINING), fitted, rtol=0, atol=1e-9)
    parts = sum(
        weight * model.contributions(TRAINING) for weight, model in zip(weights, each, strict=True)
    )
    np.testing.assert_allclose(blend.contributions(TRAINING), parts, rtol=0, atol=1e-12)


def test_a_model_without_unlimited_trees_is_written_as_before():
    plain, arrays = compile_model(
        fitted_trees(FEATURES, TRAINING, (), ENCODER), FEATURES
    ).to_payload()
    assert plain["format"] == 2
    assert not [name for name in arrays if name.startswith("tree_")]


def test_arrays_of_trees_are_no_pickles():
    plain, arrays = MODEL.to_payload()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with np.load(io.BytesIO(buffer.getvalue()), allow_pickle=False) as loaded:
        again = CompiledModel.from_payload(plain, dict(loaded))
    np.testing.assert_array_equal(again.contributions(TRAINING), MODEL.contributions(TRAINING))


def changed(name: str, change: Callable[[np.ndarray], object]) -> dict[str, np.ndarray]:
    _, arrays = MODEL.to_payload()
    array = arrays[f"tree_{name}"].copy()
    told = change(array)
    return arrays | {f"tree_{name}": array if told is None else told}


def tampered() -> Iterator[tuple[str, str, Callable[[np.ndarray], object]]]:
    inner = int(np.flatnonzero(MODEL.trees.feature >= 0)[1])
    number = int(np.flatnonzero(np.isfinite(MODEL.trees.cut))[0])
    yield "left", "of no tree, or of two", lambda a: a.__setitem__(inner, 0)
    yield "left", "of no tree, or of two", lambda a: a.__setitem__(inner, inner)
    yield "right", "of no tree, or of two", lambda a: a.__setitem__(inner, len(a) + 5)
    yield "roots", "of no tree, or of two", lambda a: a[:-1]
    yield "roots", "do not belong together", lambda a: a[1:]
    yield "feature", "features that it does not have", lambda a: a.__setitem__(inner, 99)
    yield "feature", "features that it does not have", lambda a: a.__setitem__(inner, -2)
    yield "cut", "a number by levels", lambda a: a.__setitem__(number, np.nan)
    yield "cover", "count other rows", lambda a: a.__setitem__(inner, a[inner] + 1.0)
    yield "cover", "count other rows", lambda a: a.__imul__(0.0)
    yield "value", "a leaf without a value", lambda a: a.__setitem__(-1, np.inf)
    yield "value", "do not belong together", lambda a: a[:-1]
    yield "value", "no usable value", lambda a: a.astype(object)
    yield "levels", "levels of no node", lambda a: a[:-1]
    yield "levels", "levels that there are not", lambda a: a.__iadd__(1000)
    yield "missing_left", "no usable missing_left", lambda a: a.astype(np.int64)


@pytest.mark.parametrize(("name", "message", "change"), list(tampered()))
def test_a_tampered_file_is_refused_before_it_is_followed(name, message, change):
    plain, _ = MODEL.to_payload()
    with pytest.raises(ValueError, match=message):
        CompiledModel.from_payload(plain, changed(name, change))


def test_a_tree_of_too_many_leaves_is_refused():
    chain = MOST_LEAVES * 2 + 1
    nodes = np.arange(chain)
    inner = (nodes % 2 == 0) & (nodes < chain - 1)
    chained = UnlimitedTrees(
        roots=np.zeros(1, dtype=np.int64),
        feature=np.where(inner, 0, -1),
        cut=np.where(inner, 1.0, np.nan),
        missing_left=np.zeros(chain, dtype=bool),
        left=np.where(inner, nodes + 1, -1),
        right=np.where(inner, nodes + 2, -1),
        value=np.zeros(chain),
        cover=np.where(nodes % 2 == 0, (chain - nodes + 1) / 2.0, 1.0),
        level_counts=np.zeros(chain, dtype=np.int64),
        levels=np.empty(0, dtype=np.int64),
    )
    with pytest.raises(ValueError, match="more than 32 leaves"):
        trees_from_arrays(trees_to_arrays(chained), SMALL)
