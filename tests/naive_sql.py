"""What every feature is, as plain SQL would say it: range joins, COUNT(DISTINCT), window functions.

A second oracle beside ``feature_loops``, which shares nothing with it or with leadlight's own SQL.
"""

from pathlib import Path

import duckdb
import pandas as pd
from feature_loops import RANKS, ROLES, SENIORITY, STAGES, Choices
from oracle import DAY, PAGES

HALF_HOUR = 30 * 60 * 1_000_000


def features_by_sql(directory: Path, choices: Choices) -> pd.DataFrame:
    """Every feature of the snapshots that ``oracle`` wrote into a folder, by lead and ``as_of``."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for path in directory.glob("*.parquet"):
            connection.execute(
                f"CREATE VIEW {path.stem} AS SELECT *, file_row_number AS row"
                f" FROM read_parquet('{path}', file_row_number = true)"
            )
        if not (directory / "identities.parquet").exists():
            connection.execute(
                "CREATE VIEW identities AS SELECT '' AS alias, '' AS lead_id,"
                " NULL::TIMESTAMPTZ AS linked_at LIMIT 0"
            )
        prepare(connection, choices)
        tables = [
            connection.sql(sql).to_arrow_table().to_pandas().set_index(["lead_id", "as_of"])
            for sql in (
                behaviour(choices),
                sessions(choices),
                gaps(),
                buying_group(),
                account_facts(),
                history(),
            )
        ]
    return pd.concat(tables, axis=1).sort_index()


def listed(pairs: dict[str, int | str], name: str) -> str:
    rows = ", ".join(f"('{key}', {value!r})" for key, value in pairs.items())
    return f"CREATE TABLE {name} AS SELECT * FROM (VALUES {rows}) AS listed(key, value)"


def prepare(connection: duckdb.DuckDBPyConnection, choices: Choices) -> None:
    """Name kinds; list what snapshots see of their leads and of those of their accounts."""
    pages = {detail: kind or "other" for detail, kind in PAGES.items() if detail is not None}
    connection.execute(listed(pages, "pages"))
    connection.execute(listed({kind: at for at, kind in enumerate(choices.kinds)}, "ranks"))
    connection.execute(listed(STAGES, "stages"))
    connection.execute(
        listed({title: RANKS.index(rank) for title, rank in SENIORITY.items()}, "titles")
    )
    n = len(choices.kinds)
    connection.execute("""
        CREATE TABLE told AS
        SELECT e.*, greatest(occurred_at, coalesce(recorded_at, occurred_at)) AS known_at,
            CASE WHEN event_type = 'Email Click' THEN 'email_click'
                WHEN event_type = 'page_view' AND detail IS NOT NULL
                THEN 'page_view_' || p.value ELSE event_type END AS kind,
            CASE WHEN event_type = 'page_view'
                THEN regexp_replace(detail, '[?#].*', '') ELSE detail END AS address
        FROM events e LEFT JOIN pages p ON e.detail = p.key
    """)
    connection.execute(f"""
        CREATE TABLE asked AS
        SELECT DISTINCT s.lead_id AS snapshot_lead, s.as_of, l.lead_id, l.account_id
        FROM snapshots s JOIN leads m ON m.lead_id = s.lead_id
            JOIN leads l ON l.lead_id = s.lead_id OR l.account_id = m.account_id;
        CREATE TABLE seen AS
        SELECT a.snapshot_lead, a.as_of, a.lead_id, t.occurred_at, t.event_type, t.kind, t.address,
            t.value, t.lead_id IS NOT NULL AS own,
            (epoch_us(a.as_of) - epoch_us(t.occurred_at)) / {DAY}.0 AS age,
            coalesce(r.value, CASE WHEN t.event_type = 'page_view' THEN {n} ELSE {n + 1} END)
                AS kind_rank
        FROM asked a JOIN told t ON t.known_at < a.as_of AND (
            t.lead_id = a.lead_id
            OR (t.lead_id IS NULL AND t.account_id = a.account_id)
            OR (t.lead_id <> a.lead_id AND EXISTS (
                SELECT 1 FROM identities i
                WHERE i.alias = t.lead_id AND i.lead_id = a.lead_id AND i.linked_at < a.as_of
            ))
        ) LEFT JOIN ranks r ON r.key = t.kind;
        CREATE VIEW mine AS
        SELECT s.lead_id AS snapshot, s.as_of AS instant, e.* FROM snapshots s LEFT JOIN seen e
        ON e.snapshot_lead = s.lead_id AND e.as_of = s.as_of AND e.lead_id = s.lead_id
    """)


def windows(choices: Choices) -> list[tuple[str, str]]:
    inside = [(f"{days}d", f"age <= {days}") for days in choices.lookbacks]
    return [*inside, ("all", "age IS NOT NULL")]


def behaviour(choices: Choices) -> str:
    columns = []
    for kind in ("", *choices.kinds):
        name, is_kind = kind or "activity", f"kind = '{kind}'" if kind else "TRUE"
        for window, inside in windows(choices):
            where = f"FILTER (WHERE {is_kind} AND {inside})"
            columns.append(f"count(*) {where} AS {name}_count_{window}")
            days = "active_days" if not kind else f"{kind}_active_days"
            if not kind or kind in choices.active_days_of:
                day = f"epoch_us(occurred_at) // {DAY}"
                columns.append(f"count(DISTINCT {day}) {where} AS {days}_{window}")
            if kind in choices.details_of:
                columns.append(f"count(DISTINCT address) {where} AS {name}_details_{window}")
            if kind in choices.values_of:
                columns.append(f"coalesce(sum(mine.value) {where}, 0) AS {name}_value_{window}")
        of_kind = f"FILTER (WHERE {is_kind} AND age IS NOT NULL)"
        columns += [
            f"min(age) {of_kind} AS {name}_days_since_last",
            f"coalesce(sum(pow(2, -age / {choices.half_life})) {of_kind}, 0) AS {name}_intensity",
            f"count(*) FILTER (WHERE {is_kind} AND age <= 7) / 7.0 - count(*) FILTER"
            f" (WHERE {is_kind} AND age > 7 AND age <= 28) / 21.0 AS {name}_trend",
        ]
    for window, inside in windows(choices):
        listed_kinds = ", ".join(f"'{kind}'" for kind in choices.kinds)
        where = f"FILTER (WHERE {inside} AND kind IN ({listed_kinds}))"
        columns.append(f"coalesce(max(g.value) {where}, 0) AS funnel_depth_{window}")
    n = len(choices.kinds)
    named = f"CASE WHEN kind_rank >= {n} THEN 'other' ELSE kind END"
    local = f"occurred_at AT TIME ZONE '{choices.timezone}'"
    columns += [
        f"first({named} ORDER BY occurred_at, kind_rank) AS activity_first_kind",
        f"last({named} ORDER BY occurred_at, kind_rank) AS activity_last_kind",
        f"avg((hour({local}) >= 18 OR hour({local}) < 6)::INTEGER) AS evening_share",
        f"avg((isodow({local}) >= 6)::INTEGER) AS weekend_share",
    ]
    for role, usual in choices.email_rates.items():
        done = f"count(*) FILTER (WHERE kind = '{ROLES[role]}')"
        sent = "count(*) FILTER (WHERE kind = 'email_send')"
        columns.append(f"({done} + 5 * {usual}) / ({sent} + 5) AS email_{role}_rate")
    return (
        f"SELECT snapshot AS lead_id, instant AS as_of, {', '.join(columns)}"
        " FROM mine LEFT JOIN stages g ON g.key = kind GROUP BY ALL"
    )


def sessions(choices: Choices) -> str:
    inside = ", ".join(
        f"count(DISTINCT session) FILTER (WHERE {inside}) AS sessions_{window}"
        for window, inside in windows(choices)
    )
    return f"""
        WITH views AS (
            SELECT snapshot, instant, age, occurred_at, lag(occurred_at) OVER (
                PARTITION BY snapshot, instant ORDER BY occurred_at) AS previous
            FROM mine WHERE event_type = 'page_view'
        ), visits AS (
            SELECT *, sum(CASE WHEN epoch_us(occurred_at) - epoch_us(previous) <= {HALF_HOUR}
                THEN 0 ELSE 1 END) OVER (
                    PARTITION BY snapshot, instant ORDER BY occurred_at ROWS UNBOUNDED PRECEDING
                ) AS session
            FROM views
        )
        SELECT s.lead_id, s.as_of, {inside},
            count(session) / nullif(count(DISTINCT session), 0) AS views_per_session
        FROM snapshots s LEFT JOIN visits v ON v.snapshot = s.lead_id AND v.instant = s.as_of
        GROUP BY s.lead_id, s.as_of
    """


def gaps() -> str:
    return f"""
        SELECT snapshot AS lead_id, instant AS as_of, max(gap) AS longest_gap_days FROM (
            SELECT snapshot, instant, (epoch_us(occurred_at) - lag(epoch_us(occurred_at)) OVER (
                PARTITION BY snapshot, instant ORDER BY occurred_at)) / {DAY}.0 AS gap FROM mine
        ) GROUP BY snapshot, instant
    """


def buying_group() -> str:
    columns = ", ".join(
        f"count(DISTINCT e.lead_id) FILTER (WHERE age <= {days}) AS account_active_leads_{days}d,"
        f" count(e.lead_id) FILTER (WHERE age <= {days}) AS account_events_{days}d"
        for days in (30, 90)
    )
    names = ", ".join(f"'{rank}'" for rank in RANKS)
    return f"""
        SELECT s.lead_id, s.as_of, {columns},
            [{names}][max(t.value) FILTER (WHERE age <= 90) + 1] AS account_top_seniority
        FROM snapshots s LEFT JOIN seen e ON e.snapshot_lead = s.lead_id AND e.as_of = s.as_of
            AND e.lead_id <> s.lead_id AND e.own
            AND (SELECT created_at FROM leads c WHERE c.lead_id = e.lead_id) < s.as_of
        LEFT JOIN leads o ON o.lead_id = e.lead_id LEFT JOIN titles t ON t.key = o.job_title
        GROUP BY s.lead_id, s.as_of
    """


def account_facts() -> str:
    return f"""
        SELECT s.lead_id, s.as_of,
            (epoch_us(s.as_of) - epoch_us(any_value(m.created_at))) / {DAY}.0 AS lead_age_days,
            count(DISTINCT o.lead_id) FILTER (WHERE o.created_at < m.created_at)
                AS account_earlier_leads,
            count(DISTINCT coalesce('id ' || d.deal_id, 'row ' || d.row)) FILTER (WHERE d.won)
                AS account_wins,
            count(DISTINCT coalesce('id ' || d.deal_id, 'row ' || d.row)) FILTER (WHERE NOT d.won)
                AS account_losses
        FROM snapshots s JOIN leads m ON m.lead_id = s.lead_id
        LEFT JOIN leads o ON o.lead_id = m.lead_id OR o.account_id = m.account_id
        LEFT JOIN outcomes d ON d.closed_at < s.as_of AND (
            d.account_id = m.account_id OR (d.lead_id = o.lead_id AND o.created_at < s.as_of))
        GROUP BY s.lead_id, s.as_of
    """


def history() -> str:
    return f"""
        WITH touches AS (
            SELECT lead_id, decided_at AS at FROM feedback
            UNION ALL SELECT lead_id, opened_at FROM outcomes
            UNION ALL SELECT lead_id, closed_at FROM outcomes
        ), contacts AS (
            SELECT s.lead_id, s.as_of, t.at FROM snapshots s
            JOIN touches t ON t.lead_id = s.lead_id AND t.at < s.as_of
            UNION ALL SELECT snapshot, instant, occurred_at FROM mine WHERE kind = 'call'
        )
        SELECT s.lead_id, s.as_of,
            (SELECT count(*) FROM feedback f
                WHERE f.lead_id = s.lead_id AND f.decided_at < s.as_of) AS earlier_mqls,
            (SELECT count(*) FROM feedback f WHERE f.lead_id = s.lead_id
                AND f.decided_at < s.as_of AND NOT f.accepted) AS earlier_rejections,
            (SELECT count(*) FROM outcomes d WHERE d.lead_id = s.lead_id
                AND d.closed_at < s.as_of AND NOT d.won) AS times_recycled,
            (SELECT (epoch_us(s.as_of) - epoch_us(max(c.at))) / {DAY}.0 FROM contacts c
                WHERE c.lead_id = s.lead_id AND c.as_of = s.as_of) AS days_since_sales_touch
        FROM snapshots s
    """
