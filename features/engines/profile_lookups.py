"""Domains, countries and job titles of the data, looked up once each."""

from collections.abc import Iterator, MutableMapping, Sequence
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
    read = {column.reading for column in columns}
    with ExitStack() as stack:
        if read & _OF_DOMAINS:
            stack.enter_context(engine.registered(DOMAINS, _domains(engine, tables, columns)))
        if read & _OF_COUNTRIES:
            stack.enter_context(engine.registered(COUNTRIES, _countries(engine, tables, columns)))
        if read & _OF_TITLES:
            known = {} if titles is None else titles
            rows = _titles(engine, tables, columns, known)
            stack.enter_context(engine.registered(TITLES, rows))
        yield


def _domains(
    engine: DuckDBEngine, tables: CanonicalTables, columns: Sequence[ProfileColumn]
) -> pa.Table:
    wanted = []
    for column in columns:
        if column.reading in _OF_DOMAINS:
            texts = _texts(tables, column.table, column.column)
            wanted.append(f"SELECT {email_domain_sql('text')} AS domain FROM ({texts})")
        if column.reading == "email_matches_company":
            texts = _texts(tables, column.site_table, column.site)
            wanted.append(f"SELECT {domain_sql('text')} FROM ({texts})")
    found = _distinct(engine, wanted)
    return pa.table(
        {
            "domain": pa.array(found, pa.string()),
            "kind": pa.array([domain_kind(domain) for domain in found], pa.string()),
            "registered": pa.array([registered_domain(domain) for domain in found], pa.string()),
        }
    )


def _countries(
    engine: DuckDBEngine, tables: CanonicalTables, columns: Sequence[ProfileColumn]
) -> pa.Table:
    wanted = [
        f"SELECT trim(text) FROM ({_texts(tables, column.table, column.column)})"
        for column in columns
        if column.reading in _OF_COUNTRIES
    ]
    found = _distinct(engine, wanted)
    return pa.table(
        {
            "text": pa.array(found, pa.string()),
            "country": pa.array([country_of(text) for text in found], pa.string()),
            "region": pa.array([region_of(text) for text in found], pa.string()),
        }
    )


def _titles(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    columns: Sequence[ProfileColumn],
    known: TitlesRead,
) -> pa.Table:
    wanted = [
        f"SELECT trim(text) FROM ({_texts(tables, column.table, column.column)})"
        for column in columns
        if column.reading in _OF_TITLES
    ]
    found = _distinct(engine, wanted)
    new = pa.table({"text": pa.array([text for text in found if text not in known], pa.string())})
    if new.num_rows:
        with engine.registered("new_titles", new):
            read = engine.rows(
                f"SELECT text, {seniority_sql('text')}, {job_function_sql('text')} FROM new_titles"
            )
        known.update({text: (seniority, function) for text, seniority, function in read})
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


def _distinct(engine: DuckDBEngine, wanted: Sequence[str]) -> list[str]:
    if not wanted:
        return []
    everything = " UNION ALL ".join(wanted)
    rows = engine.rows(
        f"SELECT DISTINCT text FROM ({everything}) AS found(text) WHERE text <> '' ORDER BY text"
    )
    return [text for (text,) in rows]
