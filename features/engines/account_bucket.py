"""One bucket of whole accounts: the staged timeline and snapshots in, their features out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.catalog import KEYS, Feature, feature_catalog
from leadlight.features.definition import FeatureDefinition
from leadlight.features.kernel import (
    Column,
    Instants,
    Timeline,
    added,
    behaviour_columns,
    by_lead_and_time,
    group_columns,
    milestone_columns,
    sales_touches,
)
from leadlight.features.taxonomy import SENIORITIES

_INTEGERS = ("lead", "account", "occurred_at", "known_at", "kind", "detail")
_COLUMNS = [*_INTEGERS, "value", "own"]


@dataclass(frozen=True)
class AccountBucket:
    """Where a bucket is staged; a folder may be missing, which stands for no rows.

    Attributes
    ----------
    snapshots, events, milestones : Path
        Folders of Parquet files: the snapshots with their profile features as ``profile_sql``
        gives them, and the timeline.
    """

    snapshots: Path
    events: Path
    milestones: Path

    @classmethod
    def of(cls, staged: Path, bucket: int) -> "AccountBucket":
        """Return where a bucket lies in the folder in which all are staged."""
        return cls(
            staged / "snapshots" / f"_bucket={bucket}",
            staged / "events" / f"bucket={bucket}",
            staged / "milestones" / f"bucket={bucket}",
        )


def bucket_features(
    bucket: AccountBucket, definition: FeatureDefinition, *, events_at_once: int
) -> pa.Table:
    """Compute the features of a bucket's snapshots, ordered by ``as_of, position, lead_id``.

    Parameters
    ----------
    bucket : AccountBucket
    definition : FeatureDefinition
    events_at_once : int
        A bucket of more events than this (it holds a giant account) is worked off some leads at
        a time, which gives the same features in bounded memory.

    Returns
    -------
    Table
        The columns of ``KEYS``, then the features in the catalog's order.
    """
    frame = _ordered(pq.read_table(bucket.snapshots, partitioning=None))
    snapshots = Instants(*(frame[name].to_numpy() for name in ("_lead", "_account", "_as_of")))
    catalog = feature_catalog(definition)
    milestones = _timeline(bucket.milestones)
    parts = max(1, -(-_rows(bucket.events) // events_at_once))
    own: dict[str, Column] = {}
    group: dict[str, Column] = {}
    touches = [milestones]
    for part in range(parts):
        events = by_lead_and_time(_timeline(bucket.events, part, parts))
        mine = np.flatnonzero(snapshots.lead % parts == part)
        seen = behaviour_columns(events, snapshots.taken(mine), definition, catalog)
        for name, values in seen.items():
            own.setdefault(name, np.empty(len(snapshots), values.dtype))[mine] = values
        group = added(group, group_columns(events, milestones, snapshots, catalog))
        touches.append(events.taken(np.isin(events.kind, sales_touches(definition))))
    facts = milestone_columns(_all(touches), snapshots, definition, catalog)
    return _assembled(frame, own | group | facts, catalog)


def _rows(folder: Path) -> int:
    return sum(pq.read_metadata(file).num_rows for file in folder.glob("*.parquet"))


def _ordered(frame: pa.Table) -> pa.Table:
    """Sort the snapshots; the leads of a bucket are numbered in the order of their ids."""
    keys = [(name, "ascending") for name in ("as_of", "position", "_lead")]
    return frame.take(pc.sort_indices(frame, sort_keys=keys))


def _timeline(folder: Path, part: int = 0, parts: int = 1) -> Timeline:
    """Load the entries of every ``parts``-th lead."""
    batches = []
    for file in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(file) as source:
            for batch in source.iter_batches(batch_size=1_000_000, columns=_COLUMNS):
                if parts > 1:
                    lead = batch["lead"].to_numpy()
                    batch = batch.filter(pa.array(lead % parts == part))  # noqa: PLW2901
                batches.append(batch)
    if not batches:
        none = np.empty(0, np.int64)
        return Timeline(none, none, none, none, none, none, np.empty(0), np.empty(0, bool))
    table = pa.Table.from_batches(batches)
    integers = {name: table[name].to_numpy().astype(np.int64, copy=False) for name in _INTEGERS}
    value = table["value"].to_numpy().astype(np.float64, copy=False)
    return Timeline(**integers, value=value, own=table["own"].to_numpy())


def _all(timelines: Sequence[Timeline]) -> Timeline:
    whole = timelines[0]
    for more in timelines[1:]:
        whole = whole.joined(more)
    return whole


def _assembled(
    frame: pa.Table, computed: dict[str, Column], catalog: Sequence[Feature]
) -> pa.Table:
    """Put the columns of the snapshots and of the kernel into the catalog's order."""
    columns = {name: frame[name] for name in KEYS}
    for feature in catalog:
        if feature.name not in computed:
            columns[feature.name] = frame[feature.name]
        elif feature.statistic == "account_top_seniority":
            # A rank of -1, for none, takes the name at the end.
            names = np.array([*SENIORITIES, None], dtype=object)
            columns[feature.name] = pa.array(names[computed[feature.name]], pa.string())
        elif feature.kind == "category":
            columns[feature.name] = pa.array(computed[feature.name], pa.string())
        else:
            columns[feature.name] = pa.array(computed[feature.name])
    return pa.table(columns)
