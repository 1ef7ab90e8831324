"""One bucket of whole accounts: its kept events and staged snapshots in, their features out."""

from collections.abc import Iterator, Sequence
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
    group_columns,
    milestone_columns,
    sales_touches,
)
from leadlight.features.taxonomy import SENIORITIES

from .owned_events import EventOwners, OwnedEvents

_INTEGERS = ("lead", "account", "occurred_at", "known_at", "kind", "detail")
_TYPES = (*((name, np.int64) for name in _INTEGERS), ("value", np.float64), ("own", np.bool_))

_CELLS = 12_000_000
"""Values of features held in memory at once; a snapshot is never parted."""


@dataclass(frozen=True)
class AccountBucket:
    """Where a bucket lies; a folder may be missing, which stands for no rows.

    Attributes
    ----------
    snapshots : Path
        Folder of Parquet files: the snapshots with their profile features, as ``profile_sql``
        gives them.
    milestones : Path
        Folder of those of the timeline's entries that are no events.
    owners : Path
        Folder of whom the names' events belong to, as ``owners_sql`` gives it.
    events : tuple of Path
        Kept events, as ``filed_sql`` gives them.
    kinds : tuple of int
        The kernel's code for each of the kept kinds; -1 for one that does not count.
    """

    snapshots: Path
    milestones: Path
    owners: Path
    events: tuple[Path, ...]
    kinds: tuple[int, ...]


def bucket_features(
    bucket: AccountBucket, definition: FeatureDefinition, *, events_at_once: int
) -> Iterator[pa.Table]:
    """Compute the features of a bucket's snapshots, ordered by ``as_of, position, lead_id``.

    Parameters
    ----------
    bucket : AccountBucket
    definition : FeatureDefinition
    events_at_once : int
        A bucket of more events than this (it holds a giant account) is worked off some leads at
        a time, which gives the same features in bounded memory.

    Yields
    ------
    Table
        Some snapshots with the columns of ``KEYS``, then the features in the catalog's order.
    """
    frame = _ordered(pq.read_table(bucket.snapshots, partitioning=None))
    snapshots = Instants(*(frame[name].to_numpy() for name in ("_lead", "_account", "_as_of")))
    catalog = feature_catalog(definition)
    milestones = _milestones(bucket.milestones)
    owners = EventOwners.read(bucket.owners)
    events = OwnedEvents(bucket.events, owners, bucket.kinds, definition, events_at_once)
    group: dict[str, Column] = {}
    touches = [milestones]
    for part in range(events.parts):
        some = events.part(part).events
        group = added(group, group_columns(some, milestones, snapshots, catalog))
        touches.append(some.taken(np.isin(some.kind, sales_touches(definition))))
    facts = group | milestone_columns(Timeline.of(touches), snapshots, definition, catalog)
    rows = max(1, _CELLS // len(catalog))
    for start in range(0, max(len(snapshots), 1), rows):
        chunk = np.arange(start, min(start + rows, len(snapshots)))
        own = _behaviour(events, snapshots.taken(chunk), catalog)
        known = {name: values[chunk] for name, values in facts.items()}
        yield _assembled(frame.slice(start, len(chunk)), own | known, catalog)


def _behaviour(
    events: OwnedEvents, snapshots: Instants, catalog: Sequence[Feature]
) -> dict[str, Column]:
    if events.parts == 1:
        return behaviour_columns(events.part(0), snapshots, catalog)
    own: dict[str, Column] = {}
    for part in range(events.parts):
        mine = np.flatnonzero(snapshots.lead % events.parts == part)
        for name, values in behaviour_columns(
            events.part(part), snapshots.taken(mine), catalog
        ).items():
            own.setdefault(name, np.empty(len(snapshots), values.dtype))[mine] = values
    return own


def _ordered(frame: pa.Table) -> pa.Table:
    """Sort the snapshots; the leads of a bucket are numbered in the order of their ids."""
    keys = [(name, "ascending") for name in ("as_of", "position", "_lead")]
    return frame.take(pc.sort_indices(frame, sort_keys=keys))


def _milestones(folder: Path) -> Timeline:
    return Timeline.of(
        [
            Timeline(*(table[name].to_numpy().astype(dtype, copy=False) for name, dtype in _TYPES))
            for table in (
                pq.read_table(file, columns=[name for name, _ in _TYPES], partitioning=None)
                for file in sorted(folder.glob("*.parquet"))
            )
        ]
    )


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
