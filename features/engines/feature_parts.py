"""The parts of a feature table: one for each bucket, computed in parallel processes."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from loky import ProcessPoolExecutor, as_completed
from loky.process_executor import TerminatedWorkerError

from leadlight.features.definition import FeatureDefinition
from leadlight.features.errors import WorkspaceError, disk_is_full, says_disk_is_full
from leadlight.features.publication import published_file

from .account_bucket import AccountBucket, bucket_features

Tell = Callable[[int, int], None]
"""Called with the number of finished parts and of all."""

FEW_EVENTS = 400_000
"""Below this, a process of its own takes longer to start than to do its work."""


@dataclass(frozen=True)
class FeaturePart:
    """One part to compute.

    Attributes
    ----------
    bucket : AccountBucket
    definition : FeatureDefinition
    path : Path
        Where the part goes; it is there when it is complete.
    events_at_once : int
        See ``bucket_features``.
    """

    bucket: AccountBucket
    definition: FeatureDefinition
    path: Path
    events_at_once: int

    def write(self) -> None:
        """Compute the part, some snapshots at a time, and give it its name at the end.

        Raises
        ------
        WorkspaceError
            The disk is full.
        """
        chunks = bucket_features(self.bucket, self.definition, events_at_once=self.events_at_once)
        try:
            with published_file(self.path) as partial:
                first = next(chunks)
                # Numbers that hardly repeat gain nothing from a dictionary, and cost a third more.
                repeated = [
                    each.name for each in first.schema if not pa.types.is_float64(each.type)
                ]
                with pq.ParquetWriter(
                    partial,
                    first.schema,
                    compression="zstd",
                    use_dictionary=repeated,
                    write_statistics=False,
                ) as writer:
                    writer.write_table(first)
                    for chunk in chunks:
                        writer.write_table(chunk)
        except OSError as error:
            if says_disk_is_full(error):
                raise disk_is_full(self.path) from error
            raise


def write_parts(
    parts: Sequence[FeaturePart], *, processes: int | None = None, tell: Tell | None = None
) -> None:
    """Compute the parts that are not there yet.

    Parameters
    ----------
    parts : sequence of FeaturePart
    processes : int, optional
        Default: one for each core that this process may use.
    tell : callable, optional
        Told of each part that is finished.

    Raises
    ------
    WorkspaceError
        The disk is full, or a process was killed.
    """
    todo = [part for part in parts if not part.path.exists()]
    done = len(parts) - len(todo)
    for _ in _written(todo, processes or len(os.sched_getaffinity(0))):
        done += 1
        if tell is not None:
            tell(done, len(parts))


def _written(todo: Sequence[FeaturePart], processes: int) -> Iterator[None]:
    processes = min(processes, len(todo))
    if processes <= 1 or sum(part.bucket.size for part in todo) < FEW_EVENTS:
        for part in todo:
            part.write()
            yield
        return
    # The largest first, so that none works alone at the end.
    ordered = sorted(todo, key=lambda part: (-part.bucket.size, part.path.name))
    executor = ProcessPoolExecutor(max_workers=processes)
    try:
        for written in as_completed([executor.submit(part.write) for part in ordered]):
            written.result()
            yield
    except TerminatedWorkerError as error:
        raise WorkspaceError(
            "a process that computed features was killed, probably for want of memory",
            hint="Free some memory and run the same command again; it goes on from there.",
        ) from error
    finally:
        executor.shutdown(wait=True, kill_workers=True)
