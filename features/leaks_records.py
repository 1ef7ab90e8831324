"""Evidence of time from what the CRM recorded: histories of fields, and kinds of event."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .leaks_evidence import FEWEST, Evidence
from .leaks_leads import OUTCOMES
from .sql import identifier, literal
from .tables import CanonicalTables

_MOSTLY = 0.9
_AT_CLOSE = 0.8
_NEAR_CLOSE = 0.5
_ONE_CLASS = 0.98
_BACKFILL = 0.2
_DAY = "INTERVAL 24 HOUR"
_WEEK = "INTERVAL 168 HOUR"


@dataclass(frozen=True)
class FirstValues:
    """When a field's history first gives leads a value.

    Attributes
    ----------
    entity, field : str
    closed, at_close : int
        Leads with a closed deal; of them, those who got their first value at or after the close.
    week_after : int
        Of these, within a week after it.
    without_deal : int
        Leads without any deal that ever got a first value.
    """

    entity: str
    field: str
    closed: int
    at_close: int
    week_after: int
    without_deal: int


@dataclass(frozen=True)
class FirstEvents:
    """When leads have their first event of a kind.

    Attributes
    ----------
    kind, name : str
        The kind; the type of event without the kind of page.
    leads, closed, won : int
        Leads that had it; those of them whose deal closed, and was won.
    at_close : int
        Those whose first one came at the close (a day before at most) or later.
    """

    kind: str
    name: str
    leads: int
    closed: int
    won: int
    at_close: int


def backfills_sql(tables: CanonicalTables, instant: str = "changed_at") -> str:
    """Return SQL for instants at which a field of many rows was written at once.

    Columns ``entity, field``, the instant, ``rows, total``.

    Parameters
    ----------
    instant : str
        SQL expression of the instant.
    """
    return f"""
        WITH written AS (
            SELECT entity, field, changed_at, count(*) AS rows
            FROM {tables.relation("profile_history")} GROUP BY entity, field, changed_at
        )
        SELECT entity, field, {instant}, rows, total FROM (
            SELECT *, CAST(sum(rows) OVER (PARTITION BY entity, field) AS BIGINT) AS total
            FROM written
        ) WHERE rows >= {FEWEST} AND rows >= {_BACKFILL} * total
        ORDER BY entity, field, changed_at
    """


def first_values_sql(tables: CanonicalTables) -> str:
    """Return SQL for the fields of ``FirstValues``; bulk backfills are no history."""
    history = tables.relation("profile_history")
    empty = "coalesce(trim(old_value), '') = ''" if _has_old(tables) else "TRUE"
    return f"""
        WITH written AS (
            SELECT entity, id, field, min(changed_at) AS set_at FROM {history} h
            WHERE coalesce(trim(new_value), '') <> '' AND {empty}
                AND (entity, field, changed_at) NOT IN (
                    SELECT (entity, field, changed_at) FROM ({backfills_sql(tables)}))
            GROUP BY entity, id, field
        ), leads AS (
            SELECT *, CASE WHEN entity = 'lead' THEN lead_id ELSE account_id END AS id
            FROM {OUTCOMES}, (VALUES ('lead'), ('account')) entities(entity)
        )
        SELECT w.entity, w.field, count(l.closed_at) AS closed,
            count(*) FILTER (w.set_at >= l.closed_at) AS at_close,
            count(*) FILTER (w.set_at >= l.closed_at AND w.set_at < l.closed_at + {_WEEK}),
            count(*) FILTER (NOT l.has_deal)
        FROM written w JOIN leads l USING (entity, id)
        GROUP BY w.entity, w.field ORDER BY w.entity, w.field
    """


def _has_old(tables: CanonicalTables) -> bool:
    return tables.has("profile_history", "old_value")


def set_at_close(found: FirstValues) -> Evidence | None:
    """Judge whether a field is first set at or after the close."""
    if found.at_close < FEWEST or found.at_close < _MOSTLY * found.closed:
        return None
    follows = found.week_after >= _NEAR_CLOSE * found.at_close
    if not follows and found.without_deal > found.at_close / 10:
        return None
    return Evidence(
        "its history first gives it a value at or after the close of the deal",
        f"for {found.at_close:,} of {found.closed:,} leads with a closed deal, "
        f"{found.week_after:,} within a week after it",
    )


def first_events_sql(
    tables: CanonicalTables, kinds: str, address: str, excluded: Sequence[str]
) -> str:
    """Return SQL for the fields of ``FirstEvents``.

    Parameters
    ----------
    kinds : str
        A table of ``event_type, address, name, kind``.
    address : str
        SQL expression for an event's address.
    excluded : sequence of str
        Types or kinds of event that are left out already.
    """
    parts = [f"SELECT lead_id AS name, lead_id FROM {OUTCOMES}"] * tables.has("events", "lead_id")
    if tables.has("identities") and parts:
        aliases = tables.relation("identities")
        parts.append(f"SELECT alias, lead_id FROM {aliases} SEMI JOIN {OUTCOMES} USING (lead_id)")
    if not parts:
        parts = [f"SELECT account_id, lead_id FROM {OUTCOMES} WHERE account_id IS NOT NULL"]
    who = "lead_id" if tables.has("events", "lead_id") else "account_id"
    known = "e.occurred_at"
    if tables.has("events", "recorded_at"):
        known = "greatest(e.occurred_at, coalesce(e.recorded_at, e.occurred_at))"
    out = ", ".join(map(literal, excluded)) or "''"
    return f"""
        WITH firsts AS (
            SELECT k.kind, any_value(k.name) AS name, n.lead_id, min({known}) AS first_at
            FROM {tables.relation("events")} e
            JOIN ({" UNION ".join(parts)}) n(name, lead_id) ON n.name = e.{who}
            JOIN {identifier(kinds)} k ON e.event_type = k.event_type
                AND {address} IS NOT DISTINCT FROM k.address
            WHERE k.kind NOT IN ({out}) AND k.name NOT IN ({out})
            GROUP BY k.kind, n.lead_id
        )
        SELECT kind, any_value(name), count(*), count(closed_at), count(won_at),
            count(*) FILTER (first_at >= closed_at - {_DAY})
        FROM firsts f JOIN {OUTCOMES} o ON f.lead_id = o.lead_id GROUP BY kind ORDER BY kind
    """


def at_close(found: FirstEvents, base: float) -> Evidence | None:
    """Judge whether a kind of event carries the outcome.

    Parameters
    ----------
    base : float
        Share of all leads that were won.
    """
    if found.leads < FEWEST:
        return None
    counts = (
        f"{found.leads:,} leads had it; of {found.closed:,} of them the deal closed "
        f"({found.won:,} won), and for {found.at_close:,} it first came at the close or later"
    )
    closed = found.closed >= _AT_CLOSE * found.leads
    if closed and found.at_close >= _AT_CLOSE * found.closed:
        return Evidence("events of this kind come with the close of the deal", counts)
    if found.won >= _ONE_CLASS * found.leads and base < 0.5:
        return Evidence("only won leads have events of this kind", counts, is_certain=False)
    if closed and found.at_close >= _NEAR_CLOSE * found.closed:
        return Evidence(
            "events of this kind mostly come with the close of the deal", counts, is_certain=False
        )
    return None


def backfill_notes(rows: Iterable[tuple[str, str, object, int, int]]) -> list[str]:
    """Say which instants of a history are bulk writes, which tell nothing of when."""
    return [
        f"{entity}s.{field}: {count:,} of {total:,} changes bear the same instant ({at}); a bulk "
        "write does not count as history"
        for entity, field, at, count, total in rows
    ]
