"""Kinds of event, read once from the distinct event types and page addresses."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from leadlight.features.definition import FeatureDefinition
from leadlight.features.sql import identifier, literal
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import PageRule, is_page_view

from .duckdb import DuckDBEngine
from .event_stream import addresses_sql, kinds_sql

_ADDRESSES = "event_addresses"


@dataclass(frozen=True)
class EventKind:
    """What events are taken for.

    Attributes
    ----------
    event_type : str
        As the source writes it.
    name : str
        The type as a feature's name: ``page_view``.
    kind : str
        The name, with the kind of page where one was viewed: ``page_view_pricing``.
    """

    event_type: str
    name: str
    kind: str

    @property
    def is_page_view(self) -> bool:
        """Whether its detail may be the address of a page."""
        return is_page_view(self.event_type)


@contextmanager
def event_kinds(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    rules: Sequence[PageRule],
    events: str,
    *,
    name: str,
) -> Iterator[tuple[str, ...]]:
    """Keep a table as ``kinds_sql`` describes it, until the end of the block.

    Yields the event types whose detail is the address of a page.

    Parameters
    ----------
    events : str
        Relation of the events.
    name : str
        Name of the table.
    """
    # In steps, each result kept: DuckDB would move the patterns below the DISTINCT and search them
    # in every event, which costs more than all else together.
    types = engine.rows(f"SELECT DISTINCT event_type FROM {events} ORDER BY event_type")
    page_types = tuple(each for (each,) in types if is_page_view(each))
    with (
        engine.temporary_table(_ADDRESSES, addresses_sql(tables, page_types, events)),
        engine.temporary_table(name, kinds_sql(_ADDRESSES, rules)),
    ):
        yield page_types


def listed_kinds(engine: DuckDBEngine, table: str) -> tuple[EventKind, ...]:
    """Return the different kinds of a table that ``event_kinds`` keeps, in order."""
    found = engine.rows(
        f"SELECT DISTINCT event_type, name, kind FROM {identifier(table)} ORDER BY ALL"
    )
    return tuple(EventKind(*row) for row in found)


def codes_sql(kinds: Sequence[EventKind]) -> str:
    """Return SQL that numbers kinds in their order: ``event_type, kind, code``."""
    rows = ", ".join(
        f"({literal(kind.event_type)}, {literal(kind.kind)}, {code}::SMALLINT)"
        for code, kind in enumerate(kinds)
    )
    if not rows:
        return "SELECT '' AS event_type, '' AS kind, 0::SMALLINT AS code LIMIT 0"
    return f"SELECT * FROM (VALUES {rows}) AS listed(event_type, kind, code)"


def kernel_codes(kinds: Sequence[EventKind], definition: FeatureDefinition) -> tuple[int, ...]:
    """Return the kernel's code for each kind: its own, other pages, all others; -1 if excluded."""
    own = {kind: code for code, kind in enumerate(definition.event_kinds)}
    excluded = set(definition.excluded_kinds)
    return tuple(
        -1
        if {each.kind, each.name} & excluded
        else own.get(each.kind, len(own) + (0 if each.is_page_view else 1))
        for each in kinds
    )
