"""The event store: what is kept of the events from one run to the next, and where."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from leadlight.features.publication import published_file
from leadlight.features.sql import parquet_files

from .event_kinds import EventKind


@dataclass(frozen=True)
class StoredFile:
    """A file of events, told from others by its content.

    Attributes
    ----------
    name : str
    size : int
        Bytes.
    modified : int
        Nanoseconds since 1970.
    digest : str
        SHA-256 of the content.
    """

    name: str
    size: int
    modified: int
    digest: str

    @classmethod
    def of(cls, path: Path, known: Self | None) -> Self:
        """Describe a file.

        Parameters
        ----------
        known : StoredFile or None
            The file that was held under this name; one of the same size and time is not read.
        """
        stat = path.stat()
        if known and (known.size, known.modified) == (stat.st_size, stat.st_mtime_ns):
            return known
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path.name, stat.st_size, stat.st_mtime_ns, digest)

    @property
    def content(self) -> tuple[str, str]:
        """What tells it from other files."""
        return self.name, self.digest


@dataclass(frozen=True)
class StoredPart:
    """Files of events that are filed together.

    Attributes
    ----------
    files : tuple of StoredFile
    number : int
        Name of the store's folder.
    runs : int
        Times that events of the part were filed: once all, then those of new names.
    """

    files: tuple[StoredFile, ...]
    number: int
    runs: int = 0


@dataclass(frozen=True)
class EventStore:
    """What a store holds.

    Attributes
    ----------
    folder : Path
        ``events/3/bucket=7/run-00000-0.parquet`` and so on: by the number of the part and by
        bucket, with the columns of ``filed_sql``.
    buckets : int
    kinds : tuple of EventKind
        By code.
    parts : tuple of StoredPart
    codes : int
        Codes of names given so far.
    names : int
        Names whose events are filed.
    version : int
        Counts the states that the store was in.
    filed : int
        Events that were read and filed to bring the store to this state, not those it held.
    """

    folder: Path
    buckets: int
    kinds: tuple[EventKind, ...] = ()
    parts: tuple[StoredPart, ...] = ()
    codes: int = 0
    names: int = 0
    version: int = 0
    filed: int = 0

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The files of events that are filed."""
        return tuple(file for part in self.parts for file in part.files)

    def bucket(self, number: int) -> tuple[Path, ...]:
        """Return the files of a bucket, in order."""
        return tuple(
            path
            for part in self.parts
            for path in sorted(self.home(part).glob(f"bucket={number}/*.parquet"))
        )

    def home(self, part: StoredPart) -> Path:
        """Return where the events of a part are."""
        return self.folder / "events" / str(part.number)

    @property
    def names_file(self) -> Path:
        """Where the names are: ``name, of_account, bucket, code``."""
        return self.folder / f"names-{self.version}.parquet"

    @property
    def relation(self) -> str:
        """All kept events, for SQL."""
        files = [path for bucket in range(self.buckets) for path in self.bucket(bucket)]
        if not files:
            return (
                "(SELECT 0::BIGINT AS name, 0::BIGINT AS occurred_at,"
                " 0::BIGINT AS known_at, 0::SMALLINT AS kind, 0::BIGINT AS detail,"
                " 0::DOUBLE AS value LIMIT 0)"
            )
        return parquet_files(files)

    @property
    def identity(self) -> str:
        """What tells the content of one store from another's, as text."""
        return json.dumps([self.buckets, sorted(file.digest for file in self.files)])

    def save(self, key: str) -> None:
        """Write down what the store holds: from here on, it holds it."""
        data = asdict(self) | {"key": key}
        del data["folder"], data["filed"]
        with published_file(self.folder / "store.json") as path:
            path.write_text(json.dumps(data))

    @classmethod
    def load(cls, folder: Path, key: str) -> Self | None:
        """Return what a folder holds; None where it is not a store made under this key."""
        try:
            data: dict[str, Any] = json.loads((folder / "store.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if data.pop("key") != key:
            return None
        data["kinds"] = tuple(EventKind(**each) for each in data["kinds"])
        data["parts"] = tuple(
            StoredPart(tuple(StoredFile(**file) for file in each.pop("files")), **each)
            for each in data["parts"]
        )
        return cls(folder=folder, **data)
