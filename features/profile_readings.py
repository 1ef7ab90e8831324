"""What is read from a profile column: kinds, bands and names that compare from lead to lead."""

from collections.abc import Callable, Mapping

from .definition import Reading
from .domains import email_domain_sql, email_role_sql
from .sizes import EMPLOYEE_BANDS, REVENUE_BANDS, band_sql

DOMAINS, COUNTRIES, TITLES = "profile_domains", "profile_countries", "profile_titles"
"""Tables that the engine keeps: ``domain, kind, registered``; ``text, country, region``; ``text,
seniority, job_function``; one row for each that the data holds. See ``engines.profile_lookups``."""


_KEYS = {DOMAINS: "domain", COUNTRIES: "text", TITLES: "text"}


class Lookups:
    """Joins of a query to the lookup tables; what is looked up twice is joined once.

    Subqueries would say the same and take ten times as long to plan.
    """

    def __init__(self) -> None:
        self._aliases: dict[tuple[str, str], str] = {}

    def value(self, table: str, key: str, column: str) -> str:
        """Return SQL for a column of the row whose key is ``key``; NULL where there is none."""
        alias = self._aliases.setdefault((table, key), f"look{len(self._aliases)}")
        return f"{alias}.{column}"

    @property
    def joins(self) -> str:
        """The joins, to stand after the relations that the keys speak of."""
        return "".join(
            f" LEFT JOIN {table} {alias} ON {alias}.{_KEYS[table]} = {key}"
            for (table, key), alias in self._aliases.items()
        )


def _email_kind(email: str, lookups: Lookups) -> str:
    return lookups.value(DOMAINS, email_domain_sql(email), "kind")


def _country(text: str, lookups: Lookups) -> str:
    found = lookups.value(COUNTRIES, f"trim({text})", "country")
    return f"coalesce({found}, nullif(trim({text}), ''))"


def _region(text: str, lookups: Lookups) -> str:
    return lookups.value(COUNTRIES, f"trim({text})", "region")


def _seniority(title: str, lookups: Lookups) -> str:
    return lookups.value(TITLES, f"trim({title})", "seniority")


def _job_function(title: str, lookups: Lookups) -> str:
    return lookups.value(TITLES, f"trim({title})", "job_function")


def _email_role(email: str, _: Lookups) -> str:
    return email_role_sql(email)


def _employees(number: str, _: Lookups) -> str:
    return band_sql(f"TRY_CAST({number} AS DOUBLE)", EMPLOYEE_BANDS)


def _revenue(number: str, _: Lookups) -> str:
    return band_sql(f"TRY_CAST({number} AS DOUBLE)", REVENUE_BANDS)


READINGS: Mapping[Reading, Callable[[str, Lookups], str]] = {
    "seniority": _seniority,
    "job_function": _job_function,
    "email_kind": _email_kind,
    "email_role": _email_role,
    "country": _country,
    "region": _region,
    "employees": _employees,
    "revenue": _revenue,
}
"""SQL of a reading, by the SQL of the column; ``email_matches_company`` needs two columns."""


def same_company_sql(email_domain: str, site_domain: str, lookups: Lookups) -> str:
    """Return SQL for 1 where two domains were registered as one, 0 where not; NULL if unknown."""
    email, site = (
        lookups.value(DOMAINS, domain, "registered") for domain in (email_domain, site_domain)
    )
    return f"CAST({email} = {site} AS DOUBLE)"
