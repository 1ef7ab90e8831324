"""pandas: one merge, then a pivot for each window."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from features_task import DAY, HALF_LIFE, OTHER, SESSION_GAP, FeatureTask

WEEK, MONTH = 7 * DAY, 28 * DAY
FLAGS = {
    "active_days": "last_of_day",
    "activity_details": "last_of_detail",
    "sessions": "last_of_session",
}


def compute(task: FeatureTask) -> None:
    task.output.mkdir()
    snapshots = pd.read_parquet(task.snapshots, columns=["lead_id", "as_of"])
    snapshots["now"] = snapshots["as_of"].dt.as_unit("us").astype("int64")
    snapshots["row"] = np.arange(len(snapshots))
    pairs = _pairs(snapshots, _flagged(task))
    columns = dict(_columns(task, pairs, len(snapshots)))
    result = pd.concat([snapshots[["lead_id", "as_of"]], pd.DataFrame(columns)], axis=1)
    result.to_parquet(task.output / "part-00000.parquet")


def _flagged(task: FeatureTask) -> pd.DataFrame:
    events = pd.read_parquet(task.folder / "events")
    events["at"] = events.pop("occurred_at").dt.as_unit("us").astype("int64")
    events["is_page"] = events["event_type"] == task.page_type
    detail = events["detail"].fillna("")
    are = [
        (events["event_type"] == kind.event_type)
        & (detail.str.startswith(kind.stem) if kind.event_type == task.page_type else True)
        for kind in task.kinds
    ]
    events["kind"] = np.select(are, list(range(len(are))), default=len(are)).astype("int8")
    events = events.drop(columns="event_type").sort_values(["lead_id", "at"], ignore_index=True)
    of_lead = events.groupby("lead_id", sort=False)["at"]
    events["next"] = of_lead.shift(-1)
    events["gap"] = events["at"] - of_lead.shift(1)
    for name, by in (("next_same", "detail"), ("next_page", "is_page")):
        events[name] = events.groupby(["lead_id", by], sort=False)["at"].shift(-1)
    return events


def _pairs(snapshots: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    pairs = snapshots[["lead_id", "row", "now"]].merge(events, on="lead_id")
    pairs = pairs[pairs["at"] < pairs["now"]]
    at, now, following = pairs["at"], pairs["now"], pairs["next_page"]
    same_day = pairs["next"] // DAY == at // DAY
    return pairs.assign(
        age=now - at,
        weight=np.exp2((at - now) / (HALF_LIFE * DAY)),
        last_of_day=~((pairs["next"] < now) & same_day),
        last_of_detail=pairs["detail"].notna() & ~(pairs["next_same"] < now),
        last_of_session=pairs["is_page"] & ~((following < now) & (following - at <= SESSION_GAP)),
    )


def _columns(
    task: FeatureTask, pairs: pd.DataFrame, rows: int
) -> Iterator[tuple[str, "pd.Series | np.ndarray"]]:
    everyone = pd.RangeIndex(rows)

    def counted(some: pd.DataFrame) -> pd.DataFrame:
        table = some.groupby(["row", "kind"]).size().unstack(fill_value=0)
        return table.reindex(index=everyone, columns=range(len(task.kinds) + 1), fill_value=0)

    stages = np.array([*(kind.stage for kind in task.kinds), 0])
    for days, window in task.windows:
        some = pairs[pairs["age"] <= days * DAY] if days else pairs
        count = counted(some)
        yield f"activity_count_{window}", count.sum(axis=1)
        sums = some.groupby("row")[[*FLAGS.values(), "value"]].sum().reindex(everyone, fill_value=0)
        for name, flag in FLAGS.items():
            yield f"{name}_{window}", sums[flag]
        yield f"activity_value_{window}", sums["value"]
        yield f"funnel_depth_{window}", ((count.to_numpy() > 0) * stages).max(axis=1)
        for code, name in enumerate(task.names):
            yield f"{name}_count_{window}", count[code]
    whole = pairs.groupby("row")
    yield from _ends(task, pairs, whole, everyone)
    yield from _recency(task, pairs, counted, everyone)
    yield "longest_gap_days", _longest_gap(pairs, everyone)
    hour, day = pairs["at"] // (DAY // 24) % 24, (pairs["at"] // DAY + 3) % 7
    shares = pd.DataFrame(
        {"evening_share": (hour >= 18) | (hour < 6), "weekend_share": day >= 5}
    ).groupby(pairs["row"])
    yield from shares.mean().reindex(everyone).items()
    views = whole[["is_page", "last_of_session"]].sum().reindex(everyone)
    yield "views_per_session", views["is_page"] / views["last_of_session"].replace(0, np.nan)


def _longest_gap(pairs: pd.DataFrame, everyone: pd.RangeIndex) -> pd.Series:
    return (pairs.groupby("row")["gap"].max() / DAY).reindex(everyone)


def _ends(
    task: FeatureTask, pairs: pd.DataFrame, whole: "pd.api.typing.DataFrameGroupBy",
    everyone: pd.RangeIndex,
) -> Iterator[tuple[str, pd.Series]]:  # fmt: skip
    names = dict(enumerate([*task.names, OTHER]))
    for name, at in (("first", whole["age"].idxmax()), ("last", whole["age"].idxmin())):
        codes = pairs.loc[at, ["row", "kind"]].set_index("row")["kind"]
        yield f"activity_{name}_kind", codes.map(names).reindex(everyone)


def _recency(
    task: FeatureTask, pairs: pd.DataFrame, counted: "object", everyone: pd.RangeIndex
) -> Iterator[tuple[str, pd.Series]]:
    age = pairs["age"]
    week, before = counted(pairs[age <= WEEK]), counted(pairs[(age > WEEK) & (age <= MONTH)])
    by_kind = pairs.groupby(["row", "kind"])
    last = by_kind["age"].min().unstack().reindex(index=everyone) / DAY
    weight = by_kind["weight"].sum().unstack().reindex(index=everyone).fillna(0)
    trend = week / 7 - before / 21
    for code, name in enumerate(task.names):
        yield f"{name}_days_since_last", last.get(code, pd.Series(np.nan, everyone))
        yield f"{name}_intensity", weight.get(code, pd.Series(0.0, everyone))
        yield f"{name}_trend", trend[code]
    yield "activity_days_since_last", last.min(axis=1)
    yield "activity_intensity", weight.sum(axis=1)
    yield "activity_trend", trend.sum(axis=1)
