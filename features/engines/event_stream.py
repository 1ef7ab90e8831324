"""SQL for events: their kinds, and what of them is kept for the kernel."""

from collections.abc import Mapping, Sequence

from leadlight.features.sql import literal
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import PageRule, name_sql, page_kind_sql


def addresses_sql(tables: CanonicalTables, page_types: Sequence[str], events: str) -> str:
    """Return SQL for the distinct pairs of ``event_type`` and page ``address`` of some events."""
    address = address_sql(tables, page_types)
    return f"SELECT DISTINCT event_type, {address} AS address FROM {events}"


def kinds_sql(addresses: str, rules: Sequence[PageRule]) -> str:
    """Return SQL for the kind of each distinct event type and page address.

    Columns ``event_type, address, name, kind``; ``name`` is the kind without the page. A page that
    no rule knows is of the kind ``other``, or "no page views" would be untrue of it. Rules are
    applied to distinct addresses, not to events: a site has far fewer pages than views.

    Parameters
    ----------
    addresses : str
        A kept table as ``addresses_sql`` describes it.
    rules : sequence of PageRule
    """
    kind = name = name_sql("event_type")
    if rules:
        page = f"'_' || coalesce({page_kind_sql('address', rules)}, 'other')"
        kind = f"{name} || CASE WHEN address IS NULL THEN '' ELSE {page} END"
    return f"SELECT event_type, address, {name} AS name, {kind} AS kind FROM {addresses}"


def address_sql(tables: CanonicalTables, page_types: Sequence[str], prefix: str = "") -> str:
    """Return SQL for the address of the page that an event viewed, without query; else NULL."""
    if not tables.has("events", "detail") or not page_types:
        return "CAST(NULL AS VARCHAR)"
    types = ", ".join(literal(name) for name in page_types)
    address = f"split_part(split_part({prefix}detail, '?', 1), '#', 1)"
    return f"CASE WHEN {prefix}event_type IN ({types}) THEN {address} END"


def address_of(detail: str) -> str:
    """Return the address of a viewed page as ``address_sql`` does."""
    return detail.split("?", 1)[0].split("#", 1)[0]


def filed_sql(
    tables: CanonicalTables, page_types: Sequence[str], events: str, *, names: str, kinds: str
) -> str:
    """Return SQL for events as they are kept: once for each bucket that their name belongs to.

    Columns ``bucket, name, occurred_at, known_at, kind, detail, value``: codes of name and kind;
    microseconds since 1970 UTC, ``known_at`` being when the source knew of it; a number that
    stands for the page's address or other detail, -1 for none; NULL for no value.

    Parameters
    ----------
    page_types : sequence of str
        Event types whose detail is the address of a page.
    events : str
        Relation of the events.
    names, kinds : str
        Relations of ``name, of_account, bucket, code`` and ``event_type, address, code``.
    """
    known = "e.occurred_at"
    if tables.has("events", "recorded_at"):
        known = "greatest(e.occurred_at, coalesce(e.recorded_at, e.occurred_at))"
    select = (
        "SELECT n.bucket, n.code AS name, epoch_us(e.occurred_at) AS occurred_at,"
        f" epoch_us({known}) AS known_at, k.code AS kind,"
        f" {_detail_sql(tables, page_types)} AS detail, {_value_sql(tables)} AS value"
        f" FROM {events} e JOIN {kinds} k ON e.event_type = k.event_type"
        f" AND {address_sql(tables, page_types, 'e.')} IS NOT DISTINCT FROM k.address"
        f" JOIN {names} n ON"
    )
    parts = []
    if tables.has("events", "lead_id"):
        parts.append(f"{select} n.name = e.lead_id AND NOT n.of_account")
    if tables.has("events", "account_id"):
        nobody = " WHERE e.lead_id IS NULL" if tables.has("events", "lead_id") else ""
        parts.append(f"{select} n.name = e.account_id AND n.of_account{nobody}")
    return " UNION ALL ".join(parts)


def _detail_sql(tables: CanonicalTables, page_types: Sequence[str]) -> str:
    if not tables.has("events", "detail"):
        return "-1::BIGINT"
    address = address_sql(tables, page_types, "e.")
    # DuckDB gives a hash for NULL, too.
    code = f"(hash(coalesce({address}, e.detail)) >> 1)::BIGINT"
    return f"CASE WHEN e.detail IS NULL THEN -1 ELSE {code} END"


def _value_sql(tables: CanonicalTables) -> str:
    return "e.value" if tables.has("events", "value") else "NULL::DOUBLE"


def known_sql(kept: str, owners: str, kinds: Mapping[int, str]) -> str:
    """Return SQL for kept events with the leads that they count for, some kinds of them.

    Columns ``lead, occurred_at, known_at, kind, detail, value``; ``known_at`` is when the event
    was known as this lead's; kinds by name.

    Parameters
    ----------
    kept, owners : str
        Relations as ``filed_sql`` and ``owners_sql`` return them.
    kinds : mapping of int to str
        Names of the kinds by their code.
    """
    rows = ", ".join(f"({code}, {literal(kind)})" for code, kind in kinds.items())
    named = f"(VALUES {rows}) k(code, kind)" if rows else "(SELECT 0 AS code, '' AS kind LIMIT 0) k"
    return (
        "SELECT o.lead, e.occurred_at, greatest(e.known_at, o.linked_at) AS known_at, k.kind,"
        f" e.detail, e.value FROM {kept} e JOIN {named} ON e.kind = k.code"
        f" JOIN {owners} o ON e.name = o.name WHERE e.occurred_at < o.last_as_of"
    )
