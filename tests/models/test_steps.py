"""The step of a value is found exactly, whichever way is the faster one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.models.steps import COUNTS, Steps, counts, edges, finer, slots

cut_points = st.one_of(
    st.floats(-1e300, 1e300),
    st.sampled_from([0.0, -0.0, 0.5, 1.0, 1.5, 5e-324, 1e100, -1e100, 1e300]),
    st.integers(-5, 300).map(float),
)


@settings(max_examples=400, deadline=None)
@given(cuts=st.lists(cut_points, max_size=60, unique=True), seed=st.integers(0, 2**32 - 1))
def test_many_values_find_the_steps_that_the_definition_says(cuts, seed):
    cuts = np.unique(np.array(cuts, dtype=np.float64))
    generator = np.random.default_rng(seed)
    near = np.concatenate([cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf)])
    odd = [0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 5e-324, -5e-324]
    values = np.concatenate([near, odd, generator.normal(0, 100, 500), generator.random(500) * 3])
    values = np.concatenate([values, values])
    assert len(values) > 1000
    below = (values[:, None] > cuts[None, :]).sum(axis=1)
    expected = np.where(np.isnan(values), len(cuts) + 1, below)
    np.testing.assert_array_equal(Steps(cuts).find(values), expected)
    np.testing.assert_array_equal(slots(edges(cuts), values), expected)


def test_a_finer_table_reads_the_coarse_one_at_the_step_that_holds_it():
    coarse, fine = np.array([1.0, 3.0]), np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    assert finer(coarse, edges(fine)).tolist() == [0, 0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("odd", [np.nan, -1.0, 0.5, COUNTS, np.inf, -np.inf, 1e100, -5e-324])
def test_only_small_whole_numbers_count_as_counts(odd):
    whole = np.arange(2000) % COUNTS
    np.testing.assert_array_equal(counts(whole.astype(np.float64)), whole)
    assert counts(np.append(whole, odd)) is None
