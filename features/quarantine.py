"""The quarantine: bad rows with where they were, what is wrong, and the record as it was read."""

from collections.abc import Sequence

from .mapping import WON
from .reading import Reading
from .sources.staging import FILE, ROW, StagedFile
from .sql import identifier, literal, parquet


def problems_found(typed: str) -> str:
    """Find what the typed pass found: one row for each problem."""
    return f"""
    SELECT "#source", {identifier(FILE)}, "#row", problem.rule AS rule,
           problem."column" AS "column", problem.value AS value, problem.message AS message
    FROM (SELECT "#source", {identifier(FILE)}, "#row", unnest("#problems") AS problem
          FROM {typed} WHERE "#problems" IS NOT NULL)"""


def alike(typed: str, key: Sequence[str]) -> str:
    """Find rows that may have been delivered twice: equal in their key, or else in what is read.

    Dates without a time of day are left alone: two equal visits on one day are two visits.
    """
    names = ", ".join(map(identifier, key)) or '"#hash"'
    filled = "".join(f" AND {identifier(name)} IS NOT NULL" for name in key)
    timed = "" if key else " AND epoch_us(occurred_at) % 60000000 <> 59999999"
    return f"""
    WITH good AS (
        SELECT "#source", {identifier(FILE)}, "#row", {names}
        FROM {typed} WHERE "#problems" IS NULL{filled}{timed}
    ),
    several AS (SELECT {names} FROM good GROUP BY ALL HAVING count(*) > 1)
    SELECT "#source", {identifier(FILE)}, "#row" FROM good SEMI JOIN several USING ({names})"""


def whole_rows(readings: Sequence[Reading], rows: str) -> str:
    """Hash some rows over every column of their source, also those that nothing else reads."""
    hashes = []
    for reading in readings:
        raw = ", ".join(identifier(name) for name in reading.types if name != WON)
        hashes.append(f"""
    SELECT {reading.index} AS "#source", {identifier(FILE)}, {ROW} AS "#row",
           hash({raw}) AS "#whole"
    FROM {reading.staged.relation}
    SEMI JOIN (SELECT {identifier(FILE)}, "#row" AS {ROW} FROM {rows}
               WHERE "#source" = {reading.index}) USING ({identifier(FILE)}, {ROW})""")
    return " UNION ALL ".join(hashes)


def repeated_keys(typed: str, key: Sequence[str], whole: str) -> str:
    """Find rows whose key came before; ``whole`` has the hashes of rows that are alike.

    Equal in every column of the source it is a ``duplicated_row``, else a ``duplicate_key``.
    """
    names = ", ".join(identifier(name) for name in key)
    shown = " || ', ' || ".join(f"{identifier(name)}::VARCHAR" for name in key)
    return f"""
    WITH numbered AS (
        SELECT *, row_number() OVER of_key AS nth, first_value("#whole") OVER of_key AS first_whole
        FROM {typed} AS item JOIN {whole} AS hashed USING ("#source", {identifier(FILE)}, "#row")
        WINDOW of_key AS (PARTITION BY {names} ORDER BY "#source", {identifier(FILE)}, "#row")
    )
    SELECT "#source", {identifier(FILE)}, "#row",
           CASE WHEN "#whole" = first_whole THEN 'duplicated_row' ELSE 'duplicate_key' END AS rule,
           {literal(", ".join(key))} AS "column", {shown} AS value,
           {literal(" and ".join(key) + " ")} || '''' || {shown} || ''''
           || CASE WHEN "#whole" = first_whole THEN ': the same row came before'
                   ELSE ': another row with this key came before' END AS message
    FROM numbered WHERE nth > 1"""


def repeated_events(typed: str, columns: Sequence[str], whole: str) -> str:
    """Events that were delivered twice: equal in every column of the source.

    ``whole`` has the hashes of rows that are alike.
    """
    owner = [name for name in ("lead_id", "account_id") if name in columns]
    names = ", ".join(identifier(name) for name in (*owner, "occurred_at", "event_type"))
    return f"""
    WITH numbered AS (
        SELECT *, row_number() OVER (
            PARTITION BY "#whole", {names} ORDER BY "#source", {identifier(FILE)}, "#row") AS nth
        FROM {typed} AS item JOIN {whole} AS hashed USING ("#source", {identifier(FILE)}, "#row")
    )
    SELECT "#source", {identifier(FILE)}, "#row", 'duplicated_row' AS rule,
           NULL::VARCHAR AS "column", NULL::VARCHAR AS value,
           'the same event came before' AS message
    FROM numbered WHERE nth > 1"""


def unknown_leads(typed: str, columns: Sequence[str], leads: str, identities: str | None) -> str:
    """Find rows of a lead that is neither a lead nor an alias, and of no account either."""
    of_account = " AND account_id IS NULL" if "account_id" in columns else ""
    return f"""
    SELECT "#source", {identifier(FILE)}, "#row", 'unknown_lead' AS rule, 'lead_id' AS "column",
           item.lead_id AS value, 'lead ''' || item.lead_id || ''' is not known' AS message
    FROM (SELECT * FROM {typed}
          WHERE "#problems" IS NULL AND lead_id IS NOT NULL{of_account}) AS item
    {_no_lead(leads, identities)}"""


def strangers(typed: str, leads: str, identities: str | None) -> str:
    """Find unknown leads of known accounts: the row then counts for the account alone.

    Columns: ``lead_id`` and the number of ``rows``.
    """
    return f"""
    SELECT item.lead_id, count(*) AS rows
    FROM (SELECT lead_id FROM {typed} WHERE "#problems" IS NULL AND lead_id IS NOT NULL
          AND account_id IS NOT NULL) AS item
    {_no_lead(leads, identities)} GROUP BY ALL"""


def _no_lead(leads: str, identities: str | None) -> str:
    known = f"ANTI JOIN {leads} AS lead ON item.lead_id = lead.lead_id"
    if identities is None:
        return known
    return f"{known} ANTI JOIN {identities} AS alias ON item.lead_id = alias.alias"


def outcomes_before_creation(typed: str, leads: str, created: str) -> str:
    """Deals that closed before their lead was created; ``created`` is SQL over ``lead``."""
    return f"""
    SELECT "#source", {identifier(FILE)}, "#row", 'outcome_before_creation' AS rule,
           'closed_at' AS "column", item.closed_at::VARCHAR AS value,
           'closed ' || item.closed_at::VARCHAR || ', but lead ''' || lead.lead_id
           || ''' was created ' || lead.created_at::VARCHAR AS message
    FROM (SELECT * FROM {typed} WHERE "#problems" IS NULL) AS item
    JOIN {leads} AS lead ON item.lead_id = lead.lead_id
    WHERE item.closed_at < {created}"""


def quarantined_records(reading: Reading, findings: str) -> str:
    """Rows of the quarantine that come from one source."""
    raw = ", ".join(f"{literal(name)}: {identifier(name)}" for name in reading.types if name != WON)
    good = f"""
    SELECT place.label AS source,
           (found."#row" + 1 + coalesce(before.nth, 0))::BIGINT AS row,
           found.rule, found."column", found.value, found.message, record.record
    FROM (SELECT * FROM {findings} WHERE "#source" = {reading.index}) found
    JOIN (SELECT {identifier(FILE)}, {ROW} AS "#row", to_json({{{raw}}})::VARCHAR AS record
          FROM {reading.staged.relation}) record
      ON found.{identifier(FILE)} = record.{identifier(FILE)} AND found."#row" = record."#row"
    JOIN {_labels(reading.staged.files)} place ON found.{identifier(FILE)} = place.path
    ASOF LEFT JOIN {_malformed_before(reading.staged.files)} before
      ON found.{identifier(FILE)} = before.path AND found."#row" >= before.kept_before"""
    parts = [good]
    parts += [
        f"""
    SELECT {literal(file.label)} AS source, line - 1 AS row, 'malformed_row' AS rule,
           NULL::VARCHAR AS "column", NULL::VARCHAR AS value,
           'line ' || line || ': ' || message AS message, to_json(text)::VARCHAR AS record
    FROM {parquet(file.malformed)}"""
        for file in reading.staged.files
        if file.malformed is not None
    ]
    return " UNION ALL ".join(parts)


def _labels(files: Sequence[StagedFile]) -> str:
    rows = ", ".join(f"({literal(str(file.path))}, {literal(file.label)})" for file in files)
    return f"(SELECT * FROM (VALUES {rows}) AS known(path, label))"


def _malformed_before(files: Sequence[StagedFile]) -> str:
    """FROM item: path, rows kept before some malformed line, and how many such lines by then."""
    parts = [
        f"SELECT {literal(str(file.path))} AS path, kept_before, "
        "sum(count(*)) OVER (ORDER BY kept_before) AS nth "
        f"FROM {parquet(file.malformed)} GROUP BY kept_before"
        for file in files
        if file.malformed is not None
    ]
    nothing = "SELECT NULL::VARCHAR AS path, NULL::BIGINT AS kept_before, NULL::HUGEINT AS nth"
    return f"({' UNION ALL '.join(parts or [nothing + ' WHERE FALSE'])})"
