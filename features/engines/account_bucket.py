"""One bucket of whole accounts: its kept events and staged snapshots in, their features out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

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
from leadlight.features.titles import SENIORITIES

from .owned_events import EventOwners, KeptEvents, OwnedEvents

_INTEGERS = ("lead", "account", "occurred_at", "known_at", "kind", "detail")
_TYPES = (*((name, np.int64) for name in _INTEGERS), ("value", np.float64), ("own", np.bool_))

_BATCH = 500_000
_CELLS = 4_000_000
"""Values of features held in memory at once; a snapshot is never parted."""


class BucketRows(KeptEvents, Protocol):
    """The rows of a bucket, wherever they lie."""

    def snapshots(self) -> pa.Table:
        """Return the snapshots with their profile features, as ``profile_sql`` gives them."""

    def milestones(self) -> pa.Table | None:
        """Return the timeline's entries that are no events; None for none."""

    def owners(self) -> pa.Table | None:
        """Return whom the names' events belong to, as ``owners_sql`` gives it; None for none."""


@dataclass(frozen=True)
class AccountBucket:
    """A bucket in files; a folder may be missing, which stands for no rows.

    Attributes
    ----------
    snapshot_folder, milestone_folder, owner_folder : Path
        Folders of Parquet files.
    event_files : tuple of Path
    kinds : tuple of int
        See ``BucketRows``.
    """

    snapshot_folder: Path
    milestone_folder: Path
    owner_folder: Path
    event_files: tuple[Path, ...]
    kinds: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many kept events there are."""
        return sum(pq.read_metadata(file).num_rows for file in self.event_files)

    def snapshots(self) -> pa.Table:
        """Read the snapshots with their profile features."""
        return pq.read_table(self.snapshot_folder, partitioning=None)

    def milestones(self) -> pa.Table | None:
        """Read the timeline's entries that are no events; None for none."""
        return _read(self.milestone_folder)

    def owners(self) -> pa.Table | None:
        """Read whom the names' events belong to; None for none."""
        return _read(self.owner_folder)

    def events(self, *columns: str) -> Iterator[pa.RecordBatch]:
        """Stream kept events."""
        for file in self.event_files:
            with pq.ParquetFile(file) as source:
                yield from source.iter_batches(batch_size=_BATCH, columns=list(columns))


def _read(folder: Path) -> pa.Table | None:
    return pq.read_table(folder, partitioning=None) if folder.exists() else None


def bucket_features(
    bucket: BucketRows, definition: FeatureDefinition, *, events_at_once: int
) -> Iterator[pa.Table]:
    """Compute the features of a bucket's snapshots, ordered by ``as_of, position, lead_id``.

    Parameters
    ----------
    bucket : BucketRows
    definition : FeatureDefinition
    events_at_once : int
        A bucket of more events than this (it holds a giant account) is worked off some leads at
        a time, which gives the same features in bounded memory.

    Yields
    ------
    Table
        Some snapshots with the columns of ``KEYS``, then the features in the catalog's order.
    """
    frame = _ordered(bucket.snapshots())
    snapshots = Instants(*(frame[name].to_numpy() for name in ("_lead", "_account", "_as_of")))
    catalog = feature_catalog(definition)
    milestones = _milestones(bucket.milestones())
    events = OwnedEvents(bucket, EventOwners.of(bucket.owners()), definition, events_at_once)
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


def _milestones(rows: pa.Table | None) -> Timeline:
    if rows is None:
        return Timeline.of([])
    return Timeline(*(rows[name].to_numpy().astype(dtype, copy=False) for name, dtype in _TYPES))


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
