"""Where a lead stands among the held-out leads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.features.catalog import Feature
from leadlight.models.reference import Distribution, Reference


def feature(name: str, family: str) -> Feature:
    return Feature(name, "numeric", family, name, name, "", 0, "profile", name)  # type: ignore[arg-type]


@given(
    values=st.lists(st.floats(-5, 5), min_size=1, max_size=50),
    asked=st.lists(st.floats(-6, 6), min_size=1, max_size=20),
)
@settings(deadline=None)
def test_a_percentile_is_the_share_strictly_below_for_every_value_that_occurred(
    values: list[float], asked: list[float]
) -> None:
    rounded = np.round(values, 9)
    distribution = Distribution.of(values)
    np.testing.assert_allclose(
        distribution.percentile(values), [(rounded < value).mean() for value in rounded]
    )
    among = distribution.percentile(np.sort(asked))
    assert (np.diff(among) >= 0.0).all()
    assert (among >= 0.0).all()
    assert (among <= 1.0).all()


def test_percentiles_of_many_leads_are_right_to_a_tenth_of_a_percent() -> None:
    values = np.random.default_rng(0).normal(size=50_000)
    distribution = Distribution.of(values)
    asked = np.linspace(-3, 3, 301)
    np.testing.assert_allclose(
        distribution.percentile(asked),
        np.searchsorted(np.sort(values), asked) / 50_000,
        atol=1e-3,
    )
    assert len(distribution.knots) <= 1001


def test_the_many_leads_without_any_event_all_stand_at_nought() -> None:
    distribution = Distribution.of([-1.0] * 60 + list(range(40)))
    np.testing.assert_allclose(distribution.percentile([-1.0, -1.0 + 1e-12, 0.0]), [0.0, 0.0, 0.6])


def test_beyond_the_held_out_leads_are_nought_and_one() -> None:
    assert Distribution.of([1.0, 2.0]).percentile([0.0, 3.0]).tolist() == [0.0, 1.0]
    assert Distribution.of([2.0]).percentile([1.0, 2.0, 3.0]).tolist() == [0.0, 0.0, 1.0]


def test_families_are_sums_of_their_features_parts() -> None:
    parts = np.array([[1.0, 2.0, 10.0], [2.0, 2.0, 5.0], [0.0, 1.0, 0.0]])
    features = [feature("a", "fit"), feature("b", "fit"), feature("c", "engagement")]
    reference = Reference.of(parts.sum(axis=1), parts, features)
    assert reference.family_percentile(parts, features, "fit") == pytest.approx([1 / 3, 2 / 3, 0])
    assert reference.family_percentile(parts, features, "engagement") == pytest.approx(
        [2 / 3, 1 / 3, 0]
    )
    assert reference.mean_parts.tolist() == pytest.approx([1.0, 5 / 3, 5.0])


def test_a_family_without_features_or_without_differences_has_no_percentile() -> None:
    parts = np.array([[1.0, 0.5], [2.0, 0.5]])
    fit_only = [feature("a", "fit"), feature("b", "fit")]
    reference = Reference.of(parts.sum(axis=1), parts, fit_only)
    assert np.isnan(reference.family_percentile(parts, fit_only, "engagement")).all()
    both = [feature("a", "fit"), feature("b", "engagement")]
    flat = Reference.of(parts.sum(axis=1), parts, both)
    assert flat.engagement is None
    assert np.isnan(flat.family_percentile(parts, both, "engagement")).all()


def test_a_reference_survives_its_arrays() -> None:
    parts = np.random.default_rng(0).normal(size=(50, 2))
    features = [feature("a", "fit"), feature("b", "fit")]
    reference = Reference.of(parts.sum(axis=1), parts, features)
    read = Reference.from_arrays(reference.to_arrays())
    assert read.engagement is None
    np.testing.assert_array_equal(
        read.family_percentile(parts, features, "fit"),
        reference.family_percentile(parts, features, "fit"),
    )
    np.testing.assert_array_equal(read.mean_parts, reference.mean_parts)
