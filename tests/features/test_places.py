"""Countries in many spellings, and their regions."""

import pytest

from leadlight.features.places import country_of, region_of


@pytest.mark.parametrize(
    ("text", "country", "region"),
    [
        ("Germany", "Germany", "Western Europe"),
        ("Deutschland", "Germany", "Western Europe"),
        ("Allemagne", "Germany", "Western Europe"),
        ("DE", "Germany", "Western Europe"),
        ("deu", "Germany", "Western Europe"),
        ("USA", "United States", "Northern America"),
        ("U.S.A.", "United States", "Northern America"),
        ("United States of America", "United States", "Northern America"),
        (" u.k. ", "United Kingdom", "Northern Europe"),
        ("England", "United Kingdom", "Northern Europe"),
        ("The Netherlands", "Netherlands", "Western Europe"),
        ("Österreich", "Austria", "Western Europe"),
        ("Osterreich", "Austria", "Western Europe"),
        ("Brasil", "Brazil", "Latin America and the Caribbean"),
        ("日本", "Japan", "Eastern Asia"),
        ("India", "India", "Southern Asia"),
        ("Türkiye", "Türkiye", "Western Asia"),
        ("New Zealand", "New Zealand", "Oceania"),
        ("Atlantis", None, None),
        ("", None, None),
        ("n/a", None, None),
    ],
)
def test_a_country_is_known_by_its_names_and_codes(text, country, region):
    assert (country_of(text), region_of(text)) == (country, region)
