"""What one run is told to compute, and what it tells of itself; leadlight and its peers alike.

It needs nothing but Python, for some peers live in environments of their own.
"""

import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

DAY = 86_400_000_000  # microseconds
SESSION_GAP = 1_800_000_000
HALF_LIFE = 14.0
OTHER = "other"


@dataclass(frozen=True)
class TaskKind:
    """A kind of event that has features of its own.

    Attributes
    ----------
    name : str
    event_type : str
    stem : str
        What the detail begins with; empty where the event type alone tells the kind.
    stage : int
        How deep in the funnel it lies.
    """

    name: str
    event_type: str
    stem: str = ""
    stage: int = 0


@dataclass(frozen=True)
class FeatureTask:
    """One run.

    Attributes
    ----------
    folder : Path
        Of the canonical tables.
    snapshots : Path
    output : Path
        Folder of Parquet files to write; it does not exist.
    events : int
    kinds : tuple of TaskKind
        In order of name.
    lookbacks : tuple of int
        Days; all time comes on top.
    page_type : str
        The event type that views a page.
    definition : dict
        leadlight's feature definition, as plain data.
    columns : dict
        Of each canonical table.
    memory_limit : str
        Of leadlight's engine, as a user would set it.
    store : Path or None
        Where leadlight keeps events from one run to the next.
    """

    folder: Path
    snapshots: Path
    output: Path
    events: int
    kinds: tuple[TaskKind, ...]
    lookbacks: tuple[int, ...]
    page_type: str
    definition: dict[str, Any]
    columns: dict[str, tuple[str, ...]]
    memory_limit: str = "1GB"
    store: Path | None = None

    @property
    def windows(self) -> tuple[tuple[int | None, str], ...]:
        """Lookbacks in days, None for all time, each with its suffix in names."""
        return (*((days, f"{days}d") for days in self.lookbacks), (None, "all"))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the kinds."""
        return tuple(kind.name for kind in self.kinds)

    @property
    def event_files(self) -> str:
        """Where the events are, as a glob."""
        return str(self.folder / "events" / "*.parquet")

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), default=str))

    @classmethod
    def load(cls, path: str) -> "FeatureTask":
        data = json.loads(Path(path).read_text())
        for name in ("folder", "snapshots", "output", "store"):
            data[name] = data[name] and Path(data[name])
        data["kinds"] = tuple(TaskKind(**kind) for kind in data["kinds"])
        data["lookbacks"] = tuple(data["lookbacks"])
        return cls(**data)


@contextmanager
def telling(**facts: Any) -> Iterator[dict[str, Any]]:
    """Print, at the end of the block, its seconds by the clock and of the processors, and facts."""
    started, spent = time.perf_counter(), _processor_seconds()
    yield facts
    facts |= {"seconds": time.perf_counter() - started, "cpu": _processor_seconds() - spent}
    print(json.dumps(facts))


def _processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
