"""Staged DuckDB SQL: buckets of leads on disk, and for each one pass with conditional aggregates.

Distinct days and details, and sessions, come from "the last of them before the snapshot" flags, so
that nothing is counted with DISTINCT.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
from features_task import DAY, HALF_LIFE, OTHER, SESSION_GAP, FeatureTask

EVENTS_PER_BUCKET = 700_000
WEEK, MONTH = 7 * DAY, 28 * DAY


def compute(task: FeatureTask) -> None:
    task.output.mkdir()
    stage = task.output.parent / "staged"
    stage.mkdir()
    buckets = max(1, round(task.events / EVENTS_PER_BUCKET))
    config = {"memory_limit": "2GB", "temp_directory": str(stage / "spill")}
    with duckdb.connect(config=config) as database:
        database.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        for table, sql in (("events", _events_sql(task)), ("snapshots", _snapshots_sql(task))):
            database.execute(
                f"COPY (SELECT *, hash(lead_id) % {buckets} AS bucket FROM ({sql}))"
                f" TO '{stage / table}' (FORMAT parquet, PARTITION_BY (bucket))"
            )
        for bucket in range(buckets):
            features = _features_sql(task, stage, bucket)
            path = task.output / f"part-{bucket:05d}.parquet"
            database.execute(f"COPY ({features}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def _events_sql(task: FeatureTask) -> str:
    whens = " ".join(
        f"WHEN event_type = '{kind.event_type}'"
        + (f" AND starts_with(detail, '{kind.stem}')" if kind.event_type == task.page_type else "")
        + f" THEN {code}"
        for code, kind in enumerate(task.kinds)
    )
    return f"""
        SELECT lead_id, epoch_us(occurred_at) AS happened, detail, value,
            (CASE {whens} ELSE {len(task.kinds)} END)::TINYINT AS kind,
            event_type = '{task.page_type}' AS is_page
        FROM read_parquet('{task.event_files}')
    """


def _snapshots_sql(task: FeatureTask) -> str:
    return f"SELECT lead_id, as_of, epoch_us(as_of) AS now FROM read_parquet('{task.snapshots}')"


def _features_sql(task: FeatureTask, stage: Path, bucket: int) -> str:
    events, snapshots = (
        f"read_parquet('{stage}/{table}/bucket={bucket}/*.parquet', hive_partitioning = false)"
        for table in ("events", "snapshots")
    )
    columns = ", ".join(f"{sql} AS {name}" for name, sql in _columns(task))
    return f"""
        WITH flagged AS (
            SELECT *, lead(happened) OVER of_lead AS next_one,
                happened - lag(happened) OVER of_lead AS gap,
                lead(happened) OVER of_detail AS next_same,
                lead(happened) OVER of_pages AS next_page
            FROM {events}
            WINDOW of_lead AS (PARTITION BY lead_id ORDER BY happened),
                of_detail AS (PARTITION BY lead_id, detail ORDER BY happened),
                of_pages AS (PARTITION BY lead_id, is_page ORDER BY happened)
        ), pairs AS (
            SELECT s.lead_id, s.as_of, now - happened AS age, happened, kind, is_page, value, gap,
                pow(2.0, (happened - now) / {HALF_LIFE * DAY}) AS weight,
                next_one IS NULL OR next_one >= now
                    OR next_one // {DAY} <> happened // {DAY} AS last_of_day,
                detail IS NOT NULL AND (next_same IS NULL OR next_same >= now) AS last_of_detail,
                is_page AND (next_page IS NULL OR next_page >= now
                    OR next_page - happened > {SESSION_GAP}) AS last_of_session
            FROM {snapshots} s LEFT JOIN flagged e ON e.lead_id = s.lead_id AND happened < now
        )
        SELECT lead_id, as_of, {columns} FROM pairs GROUP BY lead_id, as_of
    """


def _columns(task: FeatureTask) -> Iterator[tuple[str, str]]:
    stages = " ".join(f"WHEN {code} THEN {kind.stage}" for code, kind in enumerate(task.kinds))
    for days, window in task.windows:
        inside = f"age <= {days * DAY}" if days else "TRUE"
        yield f"activity_count_{window}", f"count(age) FILTER ({inside})"
        for name, flag in (
            ("active_days", "last_of_day"),
            ("activity_details", "last_of_detail"),
            ("sessions", "last_of_session"),
        ):
            yield f"{name}_{window}", f"count(age) FILTER ({flag} AND {inside})"
        yield f"activity_value_{window}", f"coalesce(sum(value) FILTER ({inside}), 0)"
        depth = f"coalesce(max(CASE kind {stages} ELSE 0 END) FILTER ({inside}), 0)"
        yield f"funnel_depth_{window}", depth
    yield from _recency("activity", "TRUE")
    names = [*task.names, OTHER]
    yield "activity_first_kind", f"{names}[arg_max(kind, age) + 1]"
    yield "activity_last_kind", f"{names}[arg_min(kind, age) + 1]"
    yield "longest_gap_days", f"max(gap) / {DAY}.0"
    hour, day = f"happened // {DAY // 24} % 24", f"(happened // {DAY} + 3) % 7"
    yield "evening_share", f"count(age) FILTER ({hour} >= 18 OR {hour} < 6) / count(age)"
    yield "weekend_share", f"count(age) FILTER ({day} >= 5) / count(age)"
    sessions = "nullif(count(age) FILTER (last_of_session), 0)"
    yield "views_per_session", f"count(age) FILTER (is_page) / {sessions}"
    for code, name in enumerate(task.names):
        for days, window in task.windows:
            inside = f"AND age <= {days * DAY}" if days else ""
            yield f"{name}_count_{window}", f"count(age) FILTER (kind = {code} {inside})"
        yield from _recency(name, f"kind = {code}")


def _recency(name: str, which: str) -> Iterator[tuple[str, str]]:
    yield f"{name}_days_since_last", f"min(age) FILTER ({which}) / {DAY}.0"
    yield f"{name}_intensity", f"coalesce(sum(weight) FILTER ({which}), 0)"
    week = f"count(age) FILTER ({which} AND age <= {WEEK})"
    before = f"count(age) FILTER ({which} AND age > {WEEK} AND age <= {MONTH})"
    yield f"{name}_trend", f"{week} / 7.0 - {before} / 21.0"
