"""A feature and its value as a sentence."""

import json
import math
import re
from datetime import UTC, datetime
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from babel import Locale

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.vocabulary import vocabulary
from leadlight.features.wording import LANGUAGES, Wording, label, sentence, who_sentence
from leadlight.features.wording.event_texts import event_text
from leadlight.models.states import REASONS, STATES

KNOWN = tuple(vocabulary()["kinds"]) + tuple(vocabulary()["same"])
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
        ("page_view_pricing_count_30d", 0, "No visits to the pricing page in the last 30 days"),
        ("page_view_pricing_count_all", 0, "Never visited the pricing page"),
        ("page_view_pricing_count_1d", 2, "Visited the pricing page 2 times in the last day"),
        ("page_view_other_count_7d", 0, "No visits to other pages in the last 7 days"),
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
        ("activity_days_since_last", 63.4, "No activity for 63 days"),
        ("lead_age_days", 45.2, "Became a lead 45 days ago"),
        ("o_sent_back_count_7d", 2, "Had 2 events “o sent back” in the last 7 days"),
        ("industry", "Software", "Industry: Software"),
        ("industry", None, "Industry unknown"),
        ("industry", float("nan"), "Industry unknown"),
        ("industry", pd.NA, "Industry unknown"),
        ("employees", 120.0, "Company of 120 people"),
        ("employees", 12000, "Company of 12,000 people"),
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_raw_name_reaches_the_reader(language):
    wording = Wording(language)
    for feature in CATALOG.values():
        values = ["a_value", None] if feature.kind == "category" else [0, 1, 2.5, 17, np.nan]
        told = [sentence(feature, value, wording) for value in values]
        for text in (feature.label, label(feature, wording), *told):
            assert not re.search(r"\w_\w", text), text
            assert "{" not in text
            assert text == text.strip()
            assert text[0].isupper() or text[0].isdigit(), text


def test_when_now_is_known_days_ago_come_with_the_day():
    clicked, active = CATALOG["email_click_days_since_last"], CATALOG["activity_days_since_last"]
    as_of = datetime(2025, 12, 31, tzinfo=UTC)
    assert sentence(clicked, 3.7, as_of=as_of) == "Last e-mail click 3 days ago (27 December 2025)"
    assert sentence(active, 63.0, as_of=as_of) == "No activity for 63 days, since 29 October 2025"


@pytest.mark.parametrize(
    ("language", "name", "value", "text"),
    [
        ("de", "page_view_pricing_count_7d", 4, "4 Besuche der Preisseite in den letzten 7 Tagen"),
        ("de", "page_view_pricing_count_1d", 1, "Ein Besuch der Preisseite am letzten Tag"),
        ("de", "download_count_all", 1234, "1.234 Dokumente heruntergeladen bisher"),
        ("de", "activity_days_since_last", 63, "Seit 63 Tagen keine Aktivität"),
        ("de", "total_visits", 2.5, "Total visits: 2,5"),
        ("es", "page_view_pricing_count_all", 1, "Visitó la página de precios una vez hasta ahora"),
        ("es", "email_click_days_since_last", 3.7, "Último clic en un correo hace 3 días"),
        ("es", "lead_age_days", 0.5, "Es lead desde hace menos de un día"),
    ],
)  # fmt: skip
def test_other_languages_have_their_own_plurals_numbers_and_order(language, name, value, text):
    assert sentence(CATALOG[name], value, Wording(language)) == text


def test_a_title_and_a_company_are_told_in_one_line():
    def told(**known):
        nothing = {"seniority": None, "job_function": float("nan"), "employees": float("nan")}
        return who_sentence(Wording(), **nothing | known)

    both = {"seniority": "director", "job_function": "finance"}
    assert told(**both, employees=51.0) == "Director in finance at a company of 51 to 200 people"
    assert told(**both) == "Director in finance"
    assert told(job_function="sales", employees=10_001.0) == (
        "Works in sales at a company of more than 10,000 people"
    )
    assert told(employees=51.0) is None


def test_the_user_names_columns_and_kinds_of_event():
    wording = Wording(
        labels=(
            ("hs_lead_status", "Stage in the CRM"),
            ("accounts.industry", "Branch"),
            ("o_sent_back", "offer returned"),
            ("page_view_partner_program", "the partner pages"),
        )
    )
    assert sentence(CATALOG["hs_lead_status"], "open", wording) == "Stage in the CRM: open"
    assert sentence(CATALOG["industry"], None, wording) == "Branch unknown"
    assert sentence(CATALOG["o_sent_back_count_7d"], 2, wording) == (
        "Had 2 events “offer returned” in the last 7 days"
    )
    assert sentence(CATALOG["page_view_partner_program_count_7d"], 1, wording) == (
        "Visited the partner pages once in the last 7 days"
    )


def test_a_value_that_looks_like_a_place_of_a_text_stays_as_it_is():
    assert sentence(CATALOG["industry"], "{label} {n}") == "Industry: {label} {n}"


def _catalog(language: str) -> dict:
    file = files("leadlight.features.wording").joinpath(f"{language}.json")
    return json.loads(file.read_text(encoding="utf-8"))


def _texts(entries: dict, path: str = "") -> dict[str, str | dict]:
    found = {}
    for key, entry in entries.items():
        if isinstance(entry, str) or (isinstance(entry, dict) and entry.keys() <= FORMS):
            found[f"{path}{key}"] = entry
        else:
            found |= _texts(entry, f"{path}{key}.")
    return found


FORMS = {"=0", "=1", "=2", "zero", "one", "two", "few", "many", "other"}


def _places(text: str | dict) -> set[str]:
    whole = text if isinstance(text, str) else " ".join(text.values())
    return set(re.findall(r"\{(\w+)\}", whole)) - {"n"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_text_with_the_same_places_and_plurals_of_its_own(language):
    english, other = _texts(_catalog("en")), _texts(_catalog(language))
    assert other.keys() == english.keys()
    plurals = Locale.parse(language).plural_form.tags | {"other"}
    for name, text in other.items():
        assert _places(text) == _places(english[name]), name
        assert isinstance(text, str) == isinstance(english[name], str), name
        if isinstance(text, dict):
            assert "other" in text, name
            assert {form for form in text if form[0] != "="} <= plurals, name


def test_every_known_kind_of_event_and_page_has_words():
    texts = _texts(_catalog("en"))
    for kind in vocabulary()["kinds"]:
        assert f"event.{kind}.never" in texts
    for page in vocabulary()["pages"]:
        assert f"page.{page}" in texts


def test_every_synonym_leads_to_words():
    words = vocabulary()
    assert set(words["same"].values()) <= set(words["kinds"])
    assert not set(words["same"]) & set(words["kinds"])


def test_a_page_without_words_of_its_own_is_humanised():
    told = event_text(Wording(), "page_view_partner_program", "count", 1, window="so far")
    assert told == "Visited the partner program pages once so far"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_is_too_large_or_too_small_for_a_sentence(language):
    wording = Wording(language)
    for name in ("page_view_pricing_count_7d", "total_visits", "employees", "funnel_depth_7d"):
        for number in (1e300, 1e27, 123456789012345678, -1e300, -1.0, 1e-300, math.inf, -math.inf):
            told = sentence(CATALOG[name], number, wording)
            assert "{" not in told
            assert len(told) < 150, told


def test_a_monstrous_number_is_written_short():
    assert sentence(CATALOG["total_visits"], 1.25e300) == "Total visits: 1.25E300"
    assert sentence(CATALOG["total_visits"], math.inf, Wording("de")) == "Total visits: ∞"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_and_every_reason_of_a_move_has_words(language):
    wording = Wording(language)
    for state in STATES:
        assert wording.has(f"state.{state}")
    for reason in REASONS:
        assert wording.has(f"move.{reason.id}")
