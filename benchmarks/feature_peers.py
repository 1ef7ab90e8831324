"""The common features as peers compute them: staged DuckDB SQL, Polars, pandas, featuretools.

A script of its own that imports nothing of leadlight, because some peers live in environments of
their own: ``python feature_peers.py PEER FOLDER OUTPUT KIND...``. Each computes, for any kind of
event and for each: counts over four windows, days since the last, decayed intensity, trend; for any
kind: active days, distinct details and the sum of values over four windows.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WINDOWS = (7, 30, 90, None)
DAY = 86_400_000_000
HALF_LIFE = 14.0


def window(days: int | None) -> str:
    return "all" if days is None else f"{days}d"


def staged_sql(folder: Path, output: Path, kinds: Sequence[str]) -> None:
    """One join of events and snapshots, one aggregation; distinct days and details by flags."""
    import duckdb  # noqa: PLC0415

    def where(*conditions: str) -> str:
        told = [condition for condition in conditions if condition]
        return f" FILTER (WHERE {' AND '.join(told)})" if told else ""

    columns = []
    for kind in ("", *kinds):
        name, is_kind = kind or "activity", f"event_type = '{kind}'" if kind else ""
        for days in WINDOWS:
            inside = f"age <= {days * DAY}" if days else ""
            columns.append(f"count(age){where(is_kind, inside)} AS {name}_count_{window(days)}")
            if not kind:
                w = window(days)
                columns += [
                    f"count(age){where('last_of_day', inside)} AS active_days_{w}",
                    f"count(age){where('last_of_detail', inside)} AS activity_details_{w}",
                    f"coalesce(sum(value){where(inside)}, 0) AS activity_value_{w}",
                ]
        last = f"min(age){where(is_kind)}"
        columns += [
            f"{last} / {DAY}.0 AS {name}_days_since_last",
            f"coalesce(sum(decayed){where(is_kind)}, 0) AS {name}_intensity",
            f"count(age){where(is_kind, f'age <= {7 * DAY}')} / 7.0"
            f" - count(age){where(is_kind, f'age > {7 * DAY}', f'age <= {28 * DAY}')} / 21.0"
            f" AS {name}_trend",
        ]
    with duckdb.connect(config={"threads": 2, "memory_limit": "12GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        connection.execute(f"""
            COPY (
                WITH flagged AS (
                    SELECT lead_id, epoch_us(occurred_at) AS happened, event_type, value, detail,
                        lead(epoch_us(occurred_at)) OVER (
                            PARTITION BY lead_id, epoch_us(occurred_at) // {DAY} ORDER BY occurred_at
                        ) AS next_of_day,
                        lead(epoch_us(occurred_at)) OVER (
                            PARTITION BY lead_id, detail ORDER BY occurred_at) AS next_of_detail
                    FROM read_parquet('{folder}/events/*.parquet')
                ), pairs AS (
                    SELECT s.lead_id, s.as_of, epoch_us(s.as_of) - happened AS age, event_type, value,
                        pow(2, -(epoch_us(s.as_of) - happened) / ({HALF_LIFE} * {DAY})) AS decayed,
                        coalesce(next_of_day >= epoch_us(s.as_of), TRUE) AS last_of_day,
                        detail IS NOT NULL AND coalesce(next_of_detail >= epoch_us(s.as_of), TRUE)
                            AS last_of_detail
                    FROM read_parquet('{folder}/snapshots.parquet') s
                    LEFT JOIN flagged e ON e.lead_id = s.lead_id AND happened < epoch_us(s.as_of)
                )
                SELECT lead_id, as_of, {", ".join(columns)} FROM pairs GROUP BY lead_id, as_of
            ) TO '{output}' (FORMAT parquet)
        """)


def polars(folder: Path, output: Path, kinds: Sequence[str]) -> None:
    """The lazy interface on the streaming engine."""
    import polars as pl  # noqa: PLC0415

    at = pl.col("occurred_at").dt.epoch("us")
    events = (
        pl.scan_parquet(folder / "events" / "*.parquet")
        .with_columns(at=at, day=at // DAY)
        .sort("lead_id", "at")
        .with_columns(
            next_of_day=pl.col("at").shift(-1).over("lead_id", "day"),
            next_of_detail=pl.col("at").shift(-1).over("lead_id", "detail"),
        )
        .select("lead_id", "at", "event_type", "value", "detail", "next_of_day", "next_of_detail")
    )
    snapshots = pl.scan_parquet(folder / "snapshots.parquet").select(
        "lead_id", "as_of", moment=pl.col("as_of").dt.epoch("us")
    )
    moment = pl.col("moment")
    pairs = (
        snapshots.join(events, on="lead_id")
        .filter(pl.col("at") < moment)
        .with_columns(age=moment - pl.col("at"))
        .with_columns(
            decayed=(2.0 ** (-pl.col("age") / (HALF_LIFE * DAY))),
            last_of_day=(pl.col("next_of_day") >= moment).fill_null(value=True),
            last_of_detail=pl.col("detail").is_not_null()
            & (pl.col("next_of_detail") >= moment).fill_null(value=True),
        )
    )
    age = pl.col("age")
    columns = []
    for kind in ("", *kinds):
        name = kind or "activity"
        is_kind = pl.col("event_type") == kind if kind else pl.lit(value=True)
        for days in WINDOWS:
            inside = (age <= days * DAY) if days else pl.lit(value=True)
            columns.append((is_kind & inside).sum().alias(f"{name}_count_{window(days)}"))
            if not kind:
                w = window(days)
                columns += [
                    (pl.col("last_of_day") & inside).sum().alias(f"active_days_{w}"),
                    (pl.col("last_of_detail") & inside).sum().alias(f"activity_details_{w}"),
                    pl.col("value").filter(inside).sum().alias(f"activity_value_{w}"),
                ]
        week = (is_kind & (age <= 7 * DAY)).sum()
        before = (is_kind & (age > 7 * DAY) & (age <= 28 * DAY)).sum()
        columns += [
            (age.filter(is_kind).min() / DAY).alias(f"{name}_days_since_last"),
            pl.col("decayed").filter(is_kind).sum().alias(f"{name}_intensity"),
            (week / 7.0 - before / 21.0).alias(f"{name}_trend"),
        ]
    features = pairs.group_by("lead_id", "as_of").agg(columns)
    snapshots.select("lead_id", "as_of").join(
        features, on=["lead_id", "as_of"], how="left"
    ).sink_parquet(output, engine="streaming")


def pandas(folder: Path, output: Path, kinds: Sequence[str]) -> None:
    """One merge, then a pivot for each window."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    events = pd.read_parquet(folder / "events")
    events = events.sort_values(["lead_id", "occurred_at"], ignore_index=True)
    events["event_type"] = pd.Categorical(events["event_type"], categories=list(kinds))
    events["day"] = events["occurred_at"].dt.floor("D")
    by_day = events.groupby(["lead_id", "day"], sort=False)["occurred_at"]
    by_detail = events.groupby(["lead_id", "detail"], sort=False)["occurred_at"]
    events["next_of_day"], events["next_of_detail"] = by_day.shift(-1), by_detail.shift(-1)
    snapshots = pd.read_parquet(folder / "snapshots.parquet", columns=["lead_id", "as_of"])
    snapshots["row"] = np.arange(len(snapshots))
    pairs = snapshots.merge(events, on="lead_id")
    pairs = pairs[pairs["occurred_at"] < pairs["as_of"]]
    age = (pairs["as_of"] - pairs["occurred_at"]).dt.total_seconds() / 86_400
    pairs = pairs.assign(
        age=age,
        decayed=np.exp2(-age / HALF_LIFE),
        last_of_day=~(pairs["next_of_day"] < pairs["as_of"]),
        last_of_detail=pairs["detail"].notna() & ~(pairs["next_of_detail"] < pairs["as_of"]),
    )
    features = pd.DataFrame(index=snapshots["row"])

    def counted(some: "pd.DataFrame") -> "pd.DataFrame":
        table = some.groupby(["row", "event_type"], observed=False).size().unstack()
        return table.reindex(features.index, columns=list(kinds)).fillna(0)

    found = {}
    for days in WINDOWS:
        w = window(days)
        some = pairs[pairs["age"] <= days] if days else pairs
        table = counted(some)
        found |= {f"{kind}_count_{w}": table[kind] for kind in kinds}
        found[f"activity_count_{w}"] = table.sum(axis=1)
        sums = some.groupby("row")[["last_of_day", "last_of_detail", "value"]].sum()
        sums = sums.reindex(features.index).fillna(0)
        found[f"active_days_{w}"] = sums["last_of_day"]
        found[f"activity_details_{w}"] = sums["last_of_detail"]
        found[f"activity_value_{w}"] = sums["value"]
    week = counted(pairs[pairs["age"] <= 7])
    before = counted(pairs[(pairs["age"] > 7) & (pairs["age"] <= 28)])
    grouped = pairs.groupby(["row", "event_type"], observed=False)
    last = grouped["age"].min().unstack().reindex(features.index)
    decayed = grouped["decayed"].sum().unstack().reindex(features.index).fillna(0)
    for kind in kinds:
        found[f"{kind}_days_since_last"] = last[kind]
        found[f"{kind}_intensity"] = decayed[kind]
        found[f"{kind}_trend"] = week[kind] / 7 - before[kind] / 21
    found["activity_days_since_last"] = last.min(axis=1)
    found["activity_intensity"] = decayed.sum(axis=1)
    found["activity_trend"] = week.sum(axis=1) / 7 - before.sum(axis=1) / 21
    result = pd.concat([snapshots[["lead_id", "as_of"]], pd.DataFrame(found)], axis=1)
    result.to_parquet(output)


def featuretools(folder: Path, output: Path, kinds: Sequence[str]) -> None:
    """Deep feature synthesis with cutoff times: counts and sums over four windows, by kind."""
    import featuretools as ft  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    events = pd.read_parquet(folder / "events")
    for column in ("occurred_at",):
        events[column] = events[column].dt.tz_localize(None)
    events["event_id"] = range(len(events))
    leads = pd.read_parquet(folder / "leads.parquet")[["lead_id"]]
    times = pd.read_parquet(folder / "snapshots.parquet")[["lead_id", "as_of"]]
    times["time"] = times.pop("as_of").dt.tz_localize(None)
    entities = ft.EntitySet("world")
    entities.add_dataframe(dataframe_name="leads", dataframe=leads, index="lead_id")
    entities.add_dataframe(
        dataframe_name="events",
        dataframe=events[["event_id", "lead_id", "occurred_at", "event_type", "value"]],
        index="event_id",
        time_index="occurred_at",
        logical_types={"event_type": "Categorical"},
    )
    entities.add_relationship("leads", "lead_id", "events", "lead_id")
    entities.add_interesting_values(
        dataframe_name="events", values={"event_type": list(kinds)}
    )
    tables = []
    for days in WINDOWS:
        table, _ = ft.dfs(
            entityset=entities,
            target_dataframe_name="leads",
            cutoff_time=times,
            training_window=f"{days} days" if days else None,
            agg_primitives=["count"],
            where_primitives=["count"],
            trans_primitives=[],
            n_jobs=1,
        )
        tables.append(table.add_suffix(f" {window(days)}"))
    pd.concat(tables, axis=1).to_parquet(output)


PEERS: dict[str, Callable[[Path, Path, Sequence[str]], None]] = {
    "staged SQL": staged_sql,
    "Polars": polars,
    "pandas": pandas,
    "featuretools": featuretools,
}

if __name__ == "__main__":
    started, cpu = time.perf_counter(), time.process_time()
    PEERS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
    told = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    print(json.dumps(told))
