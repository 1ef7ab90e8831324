"""A feature and its value as a sentence."""

import re

import numpy as np
import pandas as pd
import pytest

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.vocabulary import event_words, vocabulary
from leadlight.features.wording import sentence

KNOWN = tuple(vocabulary()["events"]) + tuple(vocabulary()["same"])
PAGES = tuple(f"page_view_{page}" for page in vocabulary()["pages"])
ODD = ("o_sent_back", "page_view_partner_program", "w_valideren_aanvraag", "activity")
PROFILE = (
    ProfileColumn("industry", "accounts", "industry", "category"),
    ProfileColumn("employees", "accounts", "employees", "numeric"),
    ProfileColumn("account_country", "accounts", "country", "category"),
    ProfileColumn("hs_lead_status", "leads", "hs_lead_status", "category"),
    ProfileColumn("total_visits", "leads", "TotalVisits", "numeric"),
    ProfileColumn("occupation", "leads", "What is your current occupation", "category"),
    ProfileColumn("seniority", "leads", "job_title", "category", "seniority"),
    ProfileColumn("job_function", "leads", "job_title", "category", "job_function"),
    ProfileColumn("email_kind", "leads", "email", "category", "email_kind"),
)
CATALOG = {
    feature.name: feature
    for feature in feature_catalog(
        FeatureDefinition(
            lookback_days=(1, 7, 30),
            event_kinds=tuple(sorted({*KNOWN, *PAGES, *ODD})),
            profile=PROFILE,
        )
    )
}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("page_view_pricing_count_7d", 4, "Visited the pricing page 4 times in the last 7 days"),
        ("page_view_pricing_count_7d", 1, "Visited the pricing page once in the last 7 days"),
        ("page_view_pricing_count_30d", 0, "No pricing page visits in the last 30 days"),
        ("page_view_pricing_count_all", 0, "Never visited the pricing page"),
        ("page_view_pricing_count_1d", 2, "Visited the pricing page 2 times in the last day"),
        ("page_view_other_count_7d", 0, "No other page visits in the last 7 days"),
        ("email_click_days_since_last", 3.7, "Last e-mail click 3 days ago"),
        ("email_click_days_since_last", 1.2, "Last e-mail click a day ago"),
        ("email_click_days_since_last", 0.4, "Last e-mail click less than a day ago"),
        ("email_click_days_since_last", float("nan"), "Never clicked an e-mail"),
        ("download_count_all", 1234, "Downloaded 1,234 documents so far"),
        ("activity_count_30d", 0, "No activity in the last 30 days"),
        ("activity_count_30d", 1, "One activity in the last 30 days"),
        ("active_days_30d", 5, "Active on 5 days in the last 30 days"),
        ("active_days_30d", 0, "No active days in the last 30 days"),
        ("activity_days_since_last", None, "Never active"),
        ("activity_days_since_last", 12.0, "Last active 12 days ago"),
        ("lead_age_days", 45.2, "Became a lead 45 days ago"),
        ("o_sent_back_count_7d", 2, "Had 2 events “o sent back” in the last 7 days"),
        ("industry", "Software", "Industry: Software"),
        ("industry", None, "Industry unknown"),
        ("industry", float("nan"), "Industry unknown"),
        ("industry", pd.NA, "Industry unknown"),
        ("employees", 120.0, "Company with 120 employees"),
        ("employees", 12000, "Company with 12,000 employees"),
        ("employees", float("nan"), "Number of employees unknown"),
        ("account_country", "DE", "Company’s country: DE"),
        ("hs_lead_status", "in_progress", "Hs lead status: in progress"),
        ("total_visits", 2.5, "Total visits: 2.5"),
        ("occupation", "Student", "What is your current occupation: Student"),
        ("occupation", None, "What is your current occupation: unknown"),
        ("seniority", "vice president", "Seniority: vice president"),
        ("seniority", None, "Seniority unknown"),
        ("job_function", "marketing", "Works in marketing"),
        ("email_kind", "free", "Address with a free e-mail service"),
        ("email_kind", None, "E-mail address unknown"),
    ],
)
def test_a_value_is_told_in_plain_words(name, value, text):
    assert sentence(CATALOG[name], value) == text


def test_numbers_of_numpy_are_told_like_any_other():
    feature = CATALOG["page_view_pricing_count_7d"]
    assert sentence(feature, np.int32(4)) == sentence(feature, 4.0) == sentence(feature, 4)
    assert sentence(CATALOG["employees"], np.float64("nan")) == "Number of employees unknown"


def test_no_raw_name_reaches_the_reader():
    for feature in CATALOG.values():
        values = ["a_value", None] if feature.kind == "category" else [0, 1, 2.5, 17, np.nan]
        for text in (feature.label, *(sentence(feature, value) for value in values)):
            assert not re.search(r"\w_\w", text), text
            assert "{" not in text
            assert text == text.strip()
            assert text[0].isupper() or text[0].isdigit(), text


def test_every_synonym_leads_to_words():
    words = vocabulary()
    assert set(words["same"].values()) <= set(words["events"])
    assert not set(words["same"]) & set(words["events"])


def test_a_page_without_words_of_its_own_is_humanised():
    assert event_words("page_view_partner_program").one == "Visited the partner program pages once"
