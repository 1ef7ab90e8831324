"""Kinds of event, read once from the distinct event types and page addresses."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import PageRule, is_page_view

from .duckdb import DuckDBEngine
from .event_stream import addresses_sql, events_sql, kinds_sql

KINDS = "event_kinds"
_ADDRESSES = "event_addresses"


@contextmanager
def event_kinds(
    engine: DuckDBEngine, tables: CanonicalTables, rules: Sequence[PageRule]
) -> Iterator[tuple[str, ...]]:
    """Keep the table ``KINDS`` as ``kinds_sql`` describes it, until the end of the block.

    Yields the event types whose detail is the address of a page.
    """
    # In steps, each result kept: DuckDB would move the patterns below the DISTINCT and search them
    # in every event, which costs more than all else together.
    types = engine.rows(f"SELECT DISTINCT event_type FROM {events_sql(tables)} ORDER BY event_type")
    page_types = tuple(name for (name,) in types if is_page_view(name))
    with (
        engine.temporary_table(_ADDRESSES, addresses_sql(tables, page_types)),
        engine.temporary_table(KINDS, kinds_sql(_ADDRESSES, rules)),
    ):
        yield page_types
