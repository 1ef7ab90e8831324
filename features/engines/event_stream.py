"""SQL for the event stream: each event once for each lead that it counts for.

An event counts for the lead that it names; for a lead that its name is an alias of, from the
moment of the link on; and, where it names only an account, for every lead of that account. Events
of anyone else are ignored.
"""

from collections.abc import Sequence

from leadlight.features.sql import literal, parquet
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import PageRule, name_sql, page_kind_sql


def leads_sql(
    tables: CanonicalTables, snapshots: str, buckets: int, *, whole_accounts: bool = False
) -> str:
    """Return SQL for the leads that matter, numbered account bucket by account bucket.

    Columns ``lead_id, account_id, code, account, bucket, last_as_of``; ``account`` numbers the
    accounts, and a lead without one has one to itself; ``last_as_of`` is the account's. The bucket
    is a hash of the account, so that the leads of an account stay together, on any machine and
    with any version.

    Parameters
    ----------
    tables : CanonicalTables
    snapshots : str
        Relation of the snapshots.
    buckets : int
    whole_accounts : bool
        Take the other leads of the snapshots' accounts along.
    """
    seen = (
        "SELECT lead_id, any_value(account_id) AS account_id, max(as_of) AS last_as_of"
        f" FROM {snapshots} GROUP BY lead_id"
    )
    others = f"""
        UNION ALL
        SELECT lead_id, account_id, NULL FROM {parquet(tables.path("leads"))}
        WHERE account_id IN (SELECT account_id FROM seen)
            AND lead_id NOT IN (SELECT lead_id FROM seen)
    """
    key = "bucket, account_id, CASE WHEN account_id IS NULL THEN lead_id END"
    return f"""
        WITH seen AS ({seen}),
        members AS (
            SELECT *, CAST(md5_number_lower(coalesce(account_id, lead_id)) % {buckets} AS INTEGER)
                AS bucket
            FROM (SELECT * FROM seen {others if whole_accounts else ""})
        )
        SELECT lead_id, account_id, bucket,
            max(last_as_of) OVER (PARTITION BY {key}) AS last_as_of,
            row_number() OVER (ORDER BY bucket, lead_id) - 1 AS code,
            dense_rank() OVER (ORDER BY {key}) - 1 AS account
        FROM members
    """


def addresses_sql(tables: CanonicalTables, page_types: Sequence[str]) -> str:
    """Return SQL for the distinct pairs of ``event_type`` and page ``address``."""
    return (
        f"SELECT DISTINCT event_type, {address_sql(tables, page_types)} AS address"
        f" FROM {events_sql(tables)}"
    )


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


def counted_kinds_sql(kinds: str, excluded: Sequence[str]) -> str:
    """Return SQL for the kinds that count: those not excluded, by kind or by name."""
    names = ", ".join(literal(name) for name in excluded) or "''"
    return (
        f"SELECT event_type, address, kind FROM {kinds}"
        f" WHERE kind NOT IN ({names}) AND name NOT IN ({names})"
    )


def address_sql(tables: CanonicalTables, page_types: Sequence[str], prefix: str = "") -> str:
    """Return SQL for the address of the page that an event viewed, without query; else NULL."""
    if not tables.has("events", "detail") or not page_types:
        return "CAST(NULL AS VARCHAR)"
    types = ", ".join(literal(name) for name in page_types)
    address = f"split_part(split_part({prefix}detail, '?', 1), '#', 1)"
    return f"CASE WHEN {prefix}event_type IN ({types}) THEN {address} END"


def stream_sql(
    tables: CanonicalTables,
    page_types: Sequence[str],
    *,
    leads: str,
    kinds: str,
    details: bool = True,
    values: bool = True,
) -> str:
    """Return SQL for the events of the timeline, as the kernel's ``Timeline`` describes it.

    Columns ``bucket, lead, account, occurred_at, known_at, kind, detail, value, own``; times are
    microseconds since 1970 UTC. Events after an account's last snapshot are left out, which saves
    work; what a snapshot sees is decided by the kernel alone.

    Parameters
    ----------
    leads, kinds : str
        Relations as ``leads_sql`` and ``kinds_sql`` return them; ``kind`` may be of any type.
    details, values : bool
        Whether details and values are needed; else they are as where there is none.
    """
    recorded = "e.recorded_at" if tables.has("events", "recorded_at") else "e.occurred_at"
    known = f"greatest(e.occurred_at, coalesce({recorded}, e.occurred_at)"
    select = (
        "SELECT n.bucket, n.code AS lead, n.account, epoch_us(e.occurred_at) AS occurred_at,"
        " epoch_us({known}) AS known_at, k.kind,"
        f" {_detail_sql(tables, page_types) if details else '-1'} AS detail,"
        f" {_value_sql(tables) if values else 'NULL'} AS value, {{own}} AS own"
    )
    join_kinds = (
        f"JOIN {kinds} k ON e.event_type = k.event_type"
        f" AND {address_sql(tables, page_types, 'e.')} IS NOT DISTINCT FROM k.address"
        " WHERE e.occurred_at < n.last_as_of"
    )
    parts = []
    if tables.has("events", "lead_id"):
        linked = f"{known}, coalesce(n.linked_at, e.occurred_at))"
        parts.append(f"""
            {select.format(known=linked, own="TRUE")}
            FROM {events_sql(tables)} e JOIN ({_names_sql(tables, leads)}) n ON e.lead_id = n.name
            {join_kinds}
        """)
    if tables.has("events", "account_id"):
        nobody = "AND e.lead_id IS NULL" if tables.has("events", "lead_id") else ""
        parts.append(f"""
            {select.format(known=f"{known})", own="FALSE")}
            FROM {events_sql(tables)} e JOIN {leads} n ON e.account_id = n.account_id
            {join_kinds} {nobody}
        """)
    return " UNION ALL ".join(parts)


def _detail_sql(tables: CanonicalTables, page_types: Sequence[str]) -> str:
    """Return SQL for a number that stands for the page's address or other detail; -1 for none."""
    if not tables.has("events", "detail"):
        return "-1"
    address = address_sql(tables, page_types, "e.")
    # DuckDB gives a hash for NULL, too.
    code = f"(hash(coalesce({address}, e.detail)) >> 1)::BIGINT"
    return f"CASE WHEN e.detail IS NULL THEN -1 ELSE {code} END"


def _value_sql(tables: CanonicalTables) -> str:
    return "e.value" if tables.has("events", "value") else "NULL"


def events_sql(tables: CanonicalTables) -> str:
    """Return SQL for the table of events."""
    return parquet(tables.path("events"))


def _names_sql(tables: CanonicalTables, leads: str) -> str:
    """Names under which leads appear in events: their ids and, from ``linked_at`` on, aliases."""
    own = (
        "SELECT lead_id AS name, code, account, bucket, last_as_of,"
        f" CAST(NULL AS TIMESTAMPTZ) AS linked_at FROM {leads}"
    )
    if not tables.has("identities"):
        return own
    # A link that is recorded twice must not make its events count twice.
    return f"""
        {own} UNION ALL
        SELECT i.alias, l.code, l.account, l.bucket, l.last_as_of, min(i.linked_at)
        FROM {parquet(tables.path("identities"))} i
        JOIN {leads} l ON i.lead_id = l.lead_id
        WHERE i.alias <> i.lead_id GROUP BY ALL
    """
