"""Sizes of companies, as people write them."""

import math

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.features.sizes import (
    EMPLOYEE_BANDS,
    REVENUE_BANDS,
    band_of,
    band_sql,
    size_sql,
)

CONNECTION = duckdb.connect()


def size(text: str | None) -> float | None:
    query = f"SELECT {size_sql('t')} FROM (SELECT ?::VARCHAR AS t)"
    return CONNECTION.execute(query, [text]).fetchone()[0]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500", 500),
        ("1,000+", 1000),
        ("10,001+", 10_001),
        ("> 500", 500),
        ("10.000 Mitarbeiter", 10_000),
        ("10 Mitarbeiter", 10),
        ("1'000", 1000),
        ("1 200", 1200),
        ("1.5M", 1_500_000),
        ("€ 2,5 Mrd", 2.5e9),
        ("5 Mio. €", 5e6),
        ("$ 3 bn", 3e9),
        ("20k", 20_000),
        ("<10", 5),
        ("unter 50", 25),
        ("Self-employed", None),
        ("about", None),
        ("", None),
        (None, None),
    ],
)
def test_a_text_says_a_number(text, number):
    assert size(text) == number


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("51-200", 51, 200),
        ("51 – 200 employees", 51, 200),
        ("11 to 50", 11, 50),
        ("1.001 bis 5.000", 1001, 5000),
        ("1k-5k", 1000, 5000),
        ("$10M-$50M", 10e6, 50e6),
        ("$10-50M", 10e6, 50e6),
    ],
)
def test_a_range_is_the_geometric_middle_of_its_ends(text, low, high):
    assert size(text) == round(math.sqrt(low * high))


@given(st.floats(0, 1e12), st.sampled_from([EMPLOYEE_BANDS, REVENUE_BANDS]))
def test_a_number_lies_between_the_ends_of_its_band(number, bands):
    query = f"SELECT {band_sql('n', bands)} FROM (SELECT ?::DOUBLE AS n)"
    (least,) = CONNECTION.execute(query, [number]).fetchone()
    if number < bands[0]:
        assert least is None
        return
    low, beyond = band_of(least, bands)
    assert low <= number
    assert beyond is None or number < beyond
