"""Domains, countries and job titles of the data, looked up once each."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager

import pyarrow as pa

from leadlight.features.definition import ProfileColumn
from leadlight.features.domains import (
    domain_kind,
    domain_sql,
    email_domain_sql,
    registered_domain,
)
from leadlight.features.places import country_of, region_of
from leadlight.features.profile_readings import COUNTRIES, DOMAINS, TITLES
from leadlight.features.sql import identifier, literal
from leadlight.features.tables import CanonicalTables
from leadlight.features.titles import job_function_sql, seniority_sql

from .duckdb import DuckDBEngine

_OF_DOMAINS, _OF_COUNTRIES = {"email_kind", "email_matches_company"}, {"country", "region"}
_OF_TITLES = {"seniority", "job_function"}
_FIELD_HISTORY = "SELECT new_value AS text FROM {0} UNION ALL SELECT old_value FROM {0}"


TitlesRead = MutableMapping[str, tuple[str | None, str | None]]
"""Job title -> seniority and job function, of titles that were read before."""


@contextmanager
def profile_lookups(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    columns: Sequence[ProfileColumn],
    *,
    titles: TitlesRead | None = None,
) -> Iterator[None]:
    """Keep the lookup tables that some columns are read by until the end of the block.

    Parameters
    ----------
    titles : mutable mapping, optional
        Remembers titles from one call to the next: their patterns take milliseconds to prepare.
    """
    found = _distinct(engine, _wanted(tables, columns))
    with ExitStack() as stack:
        if (domains := found.get(DOMAINS)) is not None:
            stack.enter_context(engine.registered(DOMAINS, _domains(domains)))
        if (countries := found.get(COUNTRIES)) is not None:
            stack.enter_context(engine.registered(COUNTRIES, _countries(countries)))
        if (texts := found.get(TITLES)) is not None:
            known = {} if titles is None else titles
            read_titles(engine, texts, known)
            stack.enter_context(engine.registered(TITLES, _titles(texts, known)))
        yield


def read_titles(engine: DuckDBEngine, titles: Iterable[str], known: TitlesRead) -> None:
    """Add what job titles say, of those that are not known yet."""
    new = pa.table({"text": pa.array(sorted(set(titles) - known.keys()), pa.string())})
    if new.num_rows:
        with engine.registered("new_titles", new):
            read = engine.rows(
                f"SELECT text, {seniority_sql('text')}, {job_function_sql('text')} FROM new_titles"
            )
        known.update({text: (seniority, function) for text, seniority, function in read})


def _wanted(tables: CanonicalTables, columns: Sequence[ProfileColumn]) -> dict[str, list[str]]:
    """Return SQL for the texts that each lookup table must know, of those that are read."""
    wanted: dict[str, list[str]] = {}
    for column in columns:
        texts = _texts(tables, column.table, column.column)
        if column.reading in _OF_DOMAINS:
            domain = email_domain_sql("text")
            wanted.setdefault(DOMAINS, []).append(f"SELECT {domain} FROM ({texts})")
        if column.reading == "email_matches_company":
            sites = _texts(tables, column.site_table, column.site)
            wanted[DOMAINS].append(f"SELECT {domain_sql('text')} FROM ({sites})")
        for lookup, readings in ((COUNTRIES, _OF_COUNTRIES), (TITLES, _OF_TITLES)):
            if column.reading in readings:
                wanted.setdefault(lookup, []).append(f"SELECT trim(text) FROM ({texts})")
    return wanted


def _domains(found: Sequence[str]) -> pa.Table:
    return pa.table(
        {
            "domain": pa.array(found, pa.string()),
            "kind": pa.array([domain_kind(domain) for domain in found], pa.string()),
            "registered": pa.array([registered_domain(domain) for domain in found], pa.string()),
        }
    )


def _countries(found: Sequence[str]) -> pa.Table:
    return pa.table(
        {
            "text": pa.array(found, pa.string()),
            "country": pa.array([country_of(text) for text in found], pa.string()),
            "region": pa.array([region_of(text) for text in found], pa.string()),
        }
    )


def _titles(found: Sequence[str], known: TitlesRead) -> pa.Table:
    return pa.table(
        {
            "text": pa.array(found, pa.string()),
            "seniority": pa.array([known[text][0] for text in found], pa.string()),
            "job_function": pa.array([known[text][1] for text in found], pa.string()),
        }
    )


def _texts(tables: CanonicalTables, table: str, column: str) -> str:
    """Return SQL for the texts that a column holds or held."""
    now = f"SELECT CAST({identifier(column)} AS VARCHAR) AS text FROM {tables.relation(table)}"
    if not tables.has("profile_history"):
        return now
    then = f"(SELECT * FROM {tables.relation('profile_history')} WHERE field = {literal(column)})"
    return f"{now} UNION ALL {_FIELD_HISTORY.format(then)}"


def _distinct(engine: DuckDBEngine, wanted: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the texts of each lookup table, sorted, in one pass."""
    found: dict[str, list[str]] = {lookup: [] for lookup in wanted}
    if wanted:
        everything = " UNION ALL ".join(
            f"SELECT {literal(lookup)}, text FROM ({sql}) AS each(text)"
            for lookup, sources in wanted.items()
            for sql in dict.fromkeys(sources)
        )
        rows = engine.small_table(
            f"SELECT DISTINCT lookup, text FROM ({everything}) AS found(lookup, text)"
            " WHERE text <> '' ORDER BY text"
        )
        for lookup, text in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            found[lookup].append(text)
    return found
