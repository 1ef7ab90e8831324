"""SQL for names: under which ids the events of an account's leads are filed, and in which bucket.

An event counts for the lead that it names; for a lead that its name is an alias of, from the
moment of the link on; and, where it names only an account, for every lead of that account. Events
of anyone else are ignored. Leads of an account share a bucket, which is a hash of the account, the
same on any machine.
"""

from leadlight.features.tables import CanonicalTables


def members_sql(tables: CanonicalTables, snapshots: str, buckets: int) -> str:
    """Return SQL for all leads: ``lead_id, account_id, bucket, is_seen, last_as_of``.

    ``is_seen`` says whether the lead has a snapshot, ``last_as_of`` when the last one is.

    Parameters
    ----------
    snapshots : str
        Relation of the snapshots.
    buckets : int
    """
    account = "account_id" if tables.has("leads", "account_id") else "NULL::VARCHAR"
    bucket = f"CAST(md5_number_lower(coalesce(account_id, lead_id)) % {buckets} AS INTEGER)"
    return f"""
        SELECT lead_id, account_id, {bucket} AS bucket, is_seen, last_as_of FROM (
            SELECT lead_id, any_value(account_id) AS account_id, bool_or(is_seen) AS is_seen,
                max(as_of) AS last_as_of
            FROM (
                SELECT lead_id, account_id, TRUE AS is_seen, as_of FROM {snapshots} UNION ALL
                SELECT lead_id, {account}, FALSE, NULL FROM {tables.relation("leads")}
            ) GROUP BY lead_id
        )
    """


def names_sql(tables: CanonicalTables, members: str) -> str:
    """Return SQL for the names that events may be filed under: ``name, of_account, bucket``.

    An alias of leads in different accounts has several buckets.

    Parameters
    ----------
    members : str
        A relation as ``members_sql`` returns it.
    """
    parts = [f"SELECT lead_id AS name, FALSE AS of_account, bucket FROM {members}"]
    if tables.has("identities"):
        parts.append(
            f"SELECT i.alias, FALSE, m.bucket FROM {tables.relation('identities')} i"
            f" JOIN {members} m ON i.lead_id = m.lead_id"
        )
    if tables.has("events", "account_id"):
        parts.append(f"SELECT account_id, TRUE, bucket FROM {members} WHERE account_id IS NOT NULL")
    return " UNION ".join(parts)


def leads_sql(members: str, *, whole_accounts: bool) -> str:
    """Return SQL for the leads that matter to the snapshots, numbered bucket by bucket.

    Columns ``lead_id, account_id, bucket, last_as_of, code, account``; ``account`` numbers the
    accounts, and a lead without one has one to itself; ``last_as_of`` is the account's.

    Parameters
    ----------
    members : str
        A relation as ``members_sql`` returns it.
    whole_accounts : bool
        Take the other leads of the snapshots' accounts along.
    """
    group = "account_id, CASE WHEN account_id IS NULL THEN lead_id END"
    matters = "is_account_seen" if whole_accounts else "is_seen"
    return f"""
        SELECT lead_id, account_id, bucket, account_as_of AS last_as_of,
            row_number() OVER (ORDER BY bucket, lead_id) - 1 AS code,
            dense_rank() OVER (ORDER BY bucket, {group}) - 1 AS account
        FROM (
            SELECT *, bool_or(is_seen) OVER same AS is_account_seen,
                max(last_as_of) OVER same AS account_as_of
            FROM {members} WINDOW same AS (PARTITION BY {group})
        ) WHERE {matters}
    """


def owners_sql(tables: CanonicalTables, leads: str, names: str) -> str:
    """Return SQL for who the events of a name belong to, and from when on.

    Columns ``bucket, name, lead, account, linked_at, last_as_of, own``: codes of the name, the
    lead and its account; microseconds since 1970 UTC; whether the name is the lead's, not its
    account's.

    Parameters
    ----------
    leads : str
        A relation as ``leads_sql`` returns it.
    names : str
        A relation as ``names_sql`` returns it, with the names' ``code``.
    """
    always = "-9223372036854775808"
    row = "l.bucket, n.code AS name, l.code AS lead, l.account"
    last = "epoch_us(l.last_as_of) AS last_as_of"
    on = "n.name = l.lead_id AND n.bucket = l.bucket AND NOT n.of_account"
    parts = [
        f"SELECT {row}, {always} AS linked_at, {last}, TRUE AS own"
        f" FROM {leads} l JOIN {names} n ON {on}"
    ]
    if tables.has("identities"):
        # A link that is recorded twice must not make its events count twice.
        links = (
            "SELECT alias, lead_id, min(linked_at) AS linked_at"
            f" FROM {tables.relation('identities')} WHERE alias <> lead_id GROUP BY ALL"
        )
        parts.append(
            f"SELECT {row}, epoch_us(i.linked_at), {last}, TRUE FROM {leads} l"
            f" JOIN ({links}) i ON i.lead_id = l.lead_id"
            f" JOIN {names} n ON n.name = i.alias AND n.bucket = l.bucket AND NOT n.of_account"
        )
    if tables.has("events", "account_id"):
        on = "n.name = l.account_id AND n.bucket = l.bucket AND n.of_account"
        parts.append(f"SELECT {row}, {always}, {last}, FALSE FROM {leads} l JOIN {names} n ON {on}")
    return " UNION ALL ".join(parts)
