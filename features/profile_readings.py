"""What is read from a profile column: kinds, bands and names that compare from lead to lead."""

from collections.abc import Callable, Mapping

from .definition import Reading
from .domains import email_domain_sql, email_role_sql
from .sizes import EMPLOYEE_BANDS, REVENUE_BANDS, band_sql
from .titles import job_function_sql, seniority_sql

DOMAINS, COUNTRIES = "profile_domains", "profile_countries"
"""Tables that the engine keeps: ``domain, kind, registered`` and ``text, country, region``, one row
for each that the data holds. See ``engines.profile_lookups``."""


def _email_kind_sql(email: str) -> str:
    return f"(SELECT d.kind FROM {DOMAINS} d WHERE d.domain = {email_domain_sql(email)})"


def _country_sql(text: str) -> str:
    found = f"(SELECT c.country FROM {COUNTRIES} c WHERE c.text = trim({text}))"
    return f"coalesce({found}, nullif(trim({text}), ''))"


def _region_sql(text: str) -> str:
    return f"(SELECT c.region FROM {COUNTRIES} c WHERE c.text = trim({text}))"


def _employees_sql(number: str) -> str:
    return band_sql(f"TRY_CAST({number} AS DOUBLE)", EMPLOYEE_BANDS)


def _revenue_sql(number: str) -> str:
    return band_sql(f"TRY_CAST({number} AS DOUBLE)", REVENUE_BANDS)


READINGS: Mapping[Reading, Callable[[str], str]] = {
    "seniority": seniority_sql,
    "job_function": job_function_sql,
    "email_kind": _email_kind_sql,
    "email_role": email_role_sql,
    "country": _country_sql,
    "region": _region_sql,
    "employees": _employees_sql,
    "revenue": _revenue_sql,
}
"""SQL of a reading, by the SQL of the column; ``email_matches_company`` needs two columns."""


def same_company_sql(email_domain: str, site_domain: str) -> str:
    """Return SQL for 1 where two domains were registered as one, 0 where not; NULL if unknown."""
    registered = f"SELECT d.registered FROM {DOMAINS} d WHERE d.domain ="
    return f"CAST(({registered} {email_domain}) = ({registered} {site_domain}) AS DOUBLE)"
