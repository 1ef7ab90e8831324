"""From raw texts to the kinds that the field speaks of."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.features.taxonomy import (
    DEFAULT_PAGE_RULES,
    PageRule,
    feature_name,
    is_page_view,
    name_sql,
    page_kind_sql,
)


@pytest.fixture(scope="module")
def read():
    connection = duckdb.connect()

    def value(sql: str, text: str | None) -> object:
        query = f"SELECT {sql} FROM (SELECT CAST(? AS VARCHAR) AS text)"
        return connection.execute(query, [text]).fetchone()[0]

    return value


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://acme.example/pricing?utm_source=x", "pricing"),
        ("HTTPS://ACME.EXAMPLE/PRICING/", "pricing"),
        ("/de/preise.html", "pricing"),
        ("acme.example/plans", "pricing"),
        ("/blog/pricing-strategies", "blog"),
        ("/products/lamp", "product"),
        ("/features", "product"),
        ("/case-studies/acme", "case_study"),
        ("/customers", "case_study"),
        ("/docs/api/login-flow", "docs"),
        ("/careers/engineer", "careers"),
        ("/login", "login"),
        ("/request-a-demo", "demo"),
        ("/contact-us", "contact"),
        ("/", None),
        ("https://pricing.example/", None),
        ("/production-of-lamps", None),
        ("https://acme.example/?next=/pricing", None),
        ("Pricing", None),
        (None, None),
    ],
)
def test_an_address_shows_its_kind_of_page(read, address, kind):
    assert read(page_kind_sql("text", DEFAULT_PAGE_RULES), address) == kind


def test_the_first_rule_that_matches_wins(read):
    rules = (PageRule("partner", "/partners"), *DEFAULT_PAGE_RULES)
    assert read(page_kind_sql("text", rules), "/blog/partners") == "partner"


@pytest.mark.parametrize(
    ("event_type", "is_page"),
    [
        ("page_view", True),
        ("PageView", True),
        ("Page Visited on Website", True),
        ("view", True),
        ("email_click", False),
        ("homepage_banner", False),
        ("review", False),
        ("download", False),
    ],
)
def test_only_views_of_pages_are_read_as_addresses(event_type, is_page):
    assert is_page_view(event_type) is is_page


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What is your current occupation", "what_is_your_current_occupation"),
        ("TotalVisits", "total_visits"),
        ("emp.var.rate", "emp_var_rate"),
        ("O_SENT_BACK", "o_sent_back"),
        ("  É-mail  Öpen!! ", "e_mail_open"),
        ("2nd call", "n2nd_call"),
        ("!!", "unnamed"),
    ],
)
def test_a_name_becomes_a_readable_identifier(text, name):
    assert feature_name(text) == name


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30))
@settings(max_examples=50, deadline=None)
def test_names_in_sql_and_in_python_are_the_same_and_stay_as_they_are(text):
    name = feature_name(text)
    with duckdb.connect() as connection:
        query = f"SELECT {name_sql('t')} FROM (SELECT ? AS t)"
        assert connection.execute(query, [text]).fetchall() == [(name,)]
    assert feature_name(name) == name
    assert name.isidentifier()
