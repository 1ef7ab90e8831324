"""E-mail and web addresses: whose mail, which company."""

import duckdb
import pytest

from leadlight.features.domains import (
    domain_kind,
    domain_sql,
    email_role_sql,
    registered_domain,
)

CONNECTION = duckdb.connect()


def read(expression: str, text: str | None) -> object:
    query = f"SELECT {expression} FROM (SELECT ?::VARCHAR AS text)"
    return CONNECTION.execute(query, [text]).fetchone()[0]


@pytest.mark.parametrize(
    ("domain", "kind"),
    [
        ("gmail.com", "free"),
        ("yahoo.co.uk", "free"),
        ("gmx.de", "free"),
        ("mailinator.com", "disposable"),
        ("guerrillamail.com", "disposable"),
        ("mit.edu", "academic"),
        ("cs.ox.ac.uk", "academic"),
        ("uni-bonn.de", "academic"),
        ("acme.example", "company"),
        ("notgmail.company", "company"),
    ],
)
def test_a_domain_says_whose_mail_it_carries(domain, kind):
    assert domain_kind(domain) == kind


@pytest.mark.parametrize(
    ("host", "registered"),
    [
        ("acme.com", "acme.com"),
        ("mail.eu.acme.co.uk", "acme.co.uk"),
        ("www.acme.de", "acme.de"),
        ("localhost", "localhost"),
    ],
)
def test_hosts_of_one_owner_have_one_registered_domain(host, registered):
    assert registered_domain(host) == registered


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://www.Acme.com/about?x=1", "acme.com"),
        ("http://acme.de:8080", "acme.de"),
        ("acme.co.uk", "acme.co.uk"),
        ("ann@acme.de", "acme.de"),
        (" www.acme.fr ", "acme.fr"),
        ("no site", None),
        ("", None),
        (None, None),
    ],
)
def test_the_domain_of_an_address(address, domain):
    assert read(domain_sql("text"), address) == domain


@pytest.mark.parametrize(
    ("email", "role"),
    [
        ("info@acme.de", 1),
        ("Sales@acme.com", 1),
        ("kontakt@acme.de", 1),
        ("support2@acme.com", 1),
        ("ann.smith@acme.com", 0),
        ("salesman@acme.com", 0),
        ("Info Desk <info@acme.de>", 1),
        ("nothing", None),
        (None, None),
    ],
)
def test_an_address_of_a_role_is_told_from_a_persons(email, role):
    assert read(email_role_sql("text"), email) == role
