"""featuretools: deep feature synthesis at cutoff times, about a hundred features of its own kind.

It has no decayed sums, trends, sessions or active days; the counts are those of the others.
"""

import featuretools as ft
import pandas as pd
from features_task import FeatureTask

KIND, NAME = "kind", "activity"


def compute(task: FeatureTask) -> dict[str, str]:
    task.output.mkdir()
    leads = pd.read_parquet(task.folder / "leads.parquet", columns=["lead_id"])
    times = pd.read_parquet(task.snapshots, columns=["lead_id", "as_of"])
    times["time"] = times.pop("as_of").dt.tz_localize(None)
    entities = ft.EntitySet("world")
    entities.add_dataframe(dataframe_name="leads", dataframe=leads, index="lead_id")
    entities.add_dataframe(
        dataframe_name="events",
        dataframe=_events(task),
        index="event_id",
        time_index="occurred_at",
        logical_types={KIND: "Categorical", "detail": "Categorical"},
    )
    entities.add_relationship("leads", "lead_id", "events", "lead_id")
    entities.add_interesting_values(dataframe_name="events", values={KIND: list(task.names)})
    found = {}
    features = 0
    for days, window in task.windows:
        table, definitions = ft.dfs(
            entityset=entities,
            target_dataframe_name="leads",
            cutoff_time=times,
            cutoff_time_in_index=True,
            include_cutoff_time=False,
            training_window=f"{days} days" if days else None,
            agg_primitives=["count", "sum", "num_unique", "time_since_last"],
            where_primitives=["count", "time_since_last"],
            trans_primitives=[],
            max_depth=1,
        )
        features += len(definitions)
        found[f"activity_count_{window}"] = table["COUNT(events)"]
        for name in task.names:
            column = f"COUNT(events WHERE {KIND} = {name})"
            if column in table:
                found[f"{name}_count_{window}"] = table[column]
    result = pd.DataFrame(found).fillna(0).reset_index(names=["lead_id", "as_of"])
    result["as_of"] = result["as_of"].dt.tz_localize("UTC")
    result.to_parquet(task.output / "part-00000.parquet")
    return {"version": ft.__version__, "features": features}


def _events(task: FeatureTask) -> pd.DataFrame:
    events = pd.read_parquet(task.folder / "events")
    events["occurred_at"] = events["occurred_at"].dt.tz_localize(None)
    events[KIND] = "other"
    for kind in task.kinds:
        is_kind = events["event_type"] == kind.event_type
        if kind.event_type == task.page_type:
            is_kind &= events["detail"].fillna("").str.startswith(kind.stem)
        events.loc[is_kind, KIND] = kind.name
    events["event_id"] = range(len(events))
    return events.drop(columns="event_type")
