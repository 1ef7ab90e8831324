"""Polars: the lazy interface on the streaming engine."""

from collections.abc import Iterator

import polars as pl
from features_task import DAY, HALF_LIFE, OTHER, SESSION_GAP, FeatureTask

age, at, now, kind_code = (pl.col(name) for name in ("age", "at", "now", "kind"))
WEEK, MONTH = 7 * DAY, 28 * DAY


def compute(task: FeatureTask) -> dict[str, str]:
    task.output.mkdir()
    snapshots = pl.scan_parquet(task.snapshots).select(
        "lead_id", "as_of", now=pl.col("as_of").dt.epoch("us")
    )
    next_day = pl.col("next") // DAY
    pairs = (
        snapshots.join(_flagged(task), on="lead_id")
        .filter(at < now)
        .with_columns(
            age=now - at,
            weight=2.0 ** ((at - now) / (HALF_LIFE * DAY)),
            last_of_day=~((pl.col("next") < now) & (next_day == at // DAY)).fill_null(value=False),
            last_of_detail=pl.col("detail").is_not_null()
            & ~(pl.col("next_same") < now).fill_null(value=False),
            last_of_session=pl.col("is_page")
            & ~((pl.col("next_page") < now) & (pl.col("next_page") - at <= SESSION_GAP)).fill_null(
                value=False
            ),
        )
    )
    columns = [column.alias(name) for name, column in _columns(task)]
    features = pairs.group_by("lead_id", "as_of").agg(columns)
    whole = snapshots.select("lead_id", "as_of").join(features, on=["lead_id", "as_of"], how="left")
    # A snapshot without events: nothing was counted, but there is no last time and no share.
    nothing = [name for name, _ in _columns(task) if _is_total(name)]
    whole.with_columns(pl.col(nothing).fill_null(0)).sink_parquet(
        task.output / "part-00000.parquet", engine="streaming"
    )
    return {"version": pl.__version__}


def _is_total(name: str) -> bool:
    return not name.endswith(("_days_since_last", "_kind", "_share", "gap_days", "per_session"))


def _flagged(task: FeatureTask) -> pl.LazyFrame:
    kind = pl.lit(len(task.kinds))
    for code, each in enumerate(task.kinds):
        is_kind = pl.col("event_type") == each.event_type
        if each.event_type == task.page_type:
            is_kind &= pl.col("detail").str.starts_with(each.stem)
        kind = pl.when(is_kind).then(pl.lit(code)).otherwise(kind)
    same_lead = pl.col("lead_id") == pl.col("lead_id").shift(-1)
    before = pl.col("lead_id") == pl.col("lead_id").shift(1)
    return (
        pl.scan_parquet(task.event_files)
        .select(
            "lead_id",
            "detail",
            "value",
            at=pl.col("occurred_at").dt.epoch("us"),
            kind=kind.cast(pl.Int8),
            is_page=pl.col("event_type") == task.page_type,
        )
        .sort("lead_id", "at")
        .with_columns(
            next=pl.when(same_lead).then(at.shift(-1)),
            gap=pl.when(before).then(at - at.shift(1)),
            next_same=at.shift(-1).over("lead_id", "detail"),
            next_page=at.shift(-1).over("lead_id", "is_page"),
        )
    )


def _columns(task: FeatureTask) -> Iterator[tuple[str, pl.Expr]]:
    stage = kind_code.replace_strict(
        list(range(len(task.kinds) + 1)), [*(kind.stage for kind in task.kinds), 0]
    )
    everything = pl.lit(value=True)
    for days, window in task.windows:
        inside = age <= days * DAY if days else age.is_not_null()
        yield f"activity_count_{window}", inside.sum()
        for name, flag in (
            ("active_days", "last_of_day"),
            ("activity_details", "last_of_detail"),
            ("sessions", "last_of_session"),
        ):
            yield f"{name}_{window}", (pl.col(flag) & inside).sum()
        yield f"activity_value_{window}", pl.when(inside).then(pl.col("value")).sum()
        yield f"funnel_depth_{window}", pl.when(inside).then(stage).max().fill_null(0)
    yield from _recency("activity", everything)
    for end, place in (("first", age.arg_max()), ("last", age.arg_min())):
        code = kind_code.get(place)
        yield (
            f"activity_{end}_kind",
            code.replace_strict(list(range(len(task.kinds) + 1)), [*task.names, OTHER]),
        )
    yield "longest_gap_days", pl.col("gap").max() / DAY
    hour, day = at // (DAY // 24) % 24, (at // DAY + 3) % 7
    yield "evening_share", ((hour >= 18) | (hour < 6)).mean()
    yield "weekend_share", (day >= 5).mean()
    sessions = pl.col("last_of_session").sum()
    yield "views_per_session", pl.col("is_page").sum() / sessions
    for code, name in enumerate(task.names):
        for days, window in task.windows:
            inside = (kind_code == code) & (age <= days * DAY) if days else kind_code == code
            yield f"{name}_count_{window}", inside.sum()
        yield from _recency(name, kind_code == code)


def _recency(name: str, which: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
    yield f"{name}_days_since_last", pl.when(which).then(age).min() / DAY
    yield f"{name}_intensity", pl.when(which).then(pl.col("weight")).sum()
    week = (which & (age <= WEEK)).sum()
    before = (which & (age > WEEK) & (age <= MONTH)).sum()
    yield f"{name}_trend", week / 7.0 - before / 21.0
