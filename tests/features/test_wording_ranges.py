"""Values of a feature under its name, one by one and in ranges."""

from dataclasses import replace

import pytest
from every_feature import DEFINITION

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import ProfileColumn
from leadlight.features.wording import LANGUAGES, Wording, range_words, value_words

PROFILE = (
    ProfileColumn("budget", "leads", "budget", "numeric"),
    ProfileColumn("source", "leads", "source", "category"),
    ProfileColumn("country", "leads", "country", "category", "country"),
    ProfileColumn("seniority", "leads", "job_title", "category", "seniority"),
    ProfileColumn("job_function", "leads", "job_title", "category", "job_function"),
    ProfileColumn("email_kind", "leads", "email", "category", "email_kind"),
    ProfileColumn("email_role", "leads", "email", "numeric", "email_role"),
    ProfileColumn("employees", "accounts", "employees", "numeric", "employees"),
    ProfileColumn("revenue", "accounts", "revenue", "numeric", "revenue"),
)
CATALOG = {
    feature.name: feature for feature in feature_catalog(replace(DEFINITION, profile=PROFILE))
}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("page_view_pricing_count_7d", 3.0, "3"),
        ("budget", 1234.0, "1,234"),
        ("source", "DIRECT_TRAFFIC", "Direct traffic"),
        ("seniority", "vice president", "vice president"),
        ("job_function", "marketing", "marketing"),
        ("employees", 51.0, "51 to 200"),
        ("employees", 10001.0, "10,001 or more"),
        ("revenue", 1_000_000.0, "1 million to 10 million"),
        ("activity_last_kind", "page_view_pricing", "visit to the pricing page"),
        ("account_top_seniority", "director", "director"),
        ("activity_trend", -1.0, "fewer of late"),
    ],
)
def test_one_value_is_told_without_the_name_of_the_feature(name, value, text):
    assert value_words(CATALOG[name], value, Wording()) == text


def test_ranges_have_two_ends_or_stay_open():
    visits = CATALOG["page_view_pricing_count_7d"]
    assert range_words(visits, 2.0, 4.0, Wording()) == "2 to 4"
    assert range_words(visits, 2.0, 2.0, Wording()) == "2"
    assert range_words(visits, 5.0, None, Wording()) == "5 or more"
    assert range_words(visits, 1000.0, 2000.0, Wording("de")) == "1.000 bis 2.000"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_feature_of_the_catalog_has_words_for_its_values_in_every_language(language):
    wording = Wording(language)
    for feature in CATALOG.values():
        if feature.kind == "category":
            told = [value_words(feature, "page_view_pricing", wording)]
        else:
            told = [value_words(feature, value, wording) for value in (0.0, 1.0)]
            told.append(range_words(feature, 0.0, None, wording))
        for text in told:
            assert text
            assert "_" not in text
            assert "{" not in text
