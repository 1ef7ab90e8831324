"""Files as sinks: CSV, XLSX, Parquet and JSON lines, each written whole or not at all."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadlight.features.errors import DeliveryError, says_disk_is_full
from leadlight.features.publication import is_abandoned, published_file

from .csv import write_csv
from .fields import FIELDS, FieldType
from .sink import Batch, Outcome, delivered, named
from .xlsx import write_xlsx

_TYPES: Mapping[FieldType, pa.DataType] = MappingProxyType(
    {
        "id": pa.string(),
        "number": pa.float64(),
        "whole": pa.int64(),
        "word": pa.string(),
        "text": pa.list_(pa.string()),
        "flag": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
)


def write_jsonl(table: pa.Table, path: Path) -> None:
    """Write a table as JSON lines, all or nothing; times are ISO 8601 in UTC."""
    with published_file(path) as partial, partial.open("w", encoding="utf-8") as file:
        for batch in table.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                file.write(json.dumps(row, ensure_ascii=False, default=_iso) + "\n")


def _iso(value: datetime) -> str:
    return value.isoformat()


def _write_parquet(table: pa.Table, path: Path) -> None:
    with published_file(path) as partial:
        pq.write_table(table, partial)


_WRITERS: Mapping[str, Callable[[pa.Table, Path], None]] = MappingProxyType(
    {"csv": write_csv, "xlsx": write_xlsx, "parquet": _write_parquet, "jsonl": write_jsonl}
)


@dataclass(frozen=True)
class FileSink:
    """A file, or one for each delivery of changes.

    Attributes
    ----------
    name : str
    kind : {"csv", "xlsx", "parquet", "jsonl"}
    path : Path
    names : mapping of str to str
        What each field is called in the file.
    """

    name: str
    kind: str
    path: Path
    names: Mapping[str, str]
    batch_size: int = 1_000_000

    def write(self, rows: pa.Table) -> None:
        """Write all leads in place of the earlier file.

        Parameters
        ----------
        rows : pyarrow.Table
            From ``deliverable``.
        """
        self._write(rows.select(list(self.names)).rename_columns(list(self.names.values())))

    def send(self, batch: Batch) -> Sequence[Outcome]:
        """Write the changes of a batch into a file of their own, the same one at each attempt."""
        as_of = f"{batch.as_of:%Y-%m-%d}" if batch.as_of else "undated"
        path = self.path.with_stem(f"{self.path.stem}.{as_of}.{batch.number[:12]}")
        schema = pa.schema(
            [(theirs, _TYPES[FIELDS[ours].type]) for ours, theirs in self.names.items()]
        )
        rows: list[dict[str, Any]] = [
            named(message.values, self.names) for message in batch.messages
        ]
        self._write(pa.Table.from_pylist(rows, schema=schema), path)
        return delivered(batch)

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, table: pa.Table, path: Path | None = None) -> None:
        target = path or self.path
        try:
            _sweep(target)
            _WRITERS[self.kind](table, target)
        except OSError as error:
            full = says_disk_is_full(error)
            why = "the disk is full" if full else error.strerror or str(error)
            raise DeliveryError(
                f"sink '{self.name}': cannot write {target}: {why}",
                hint="Free some space" if full else "Check the folder's owner and permissions",
            ) from error


def _sweep(path: Path) -> None:
    """Remove what a killed delivery left of this file."""
    for left in path.parent.glob(f".{path.name}.*.partial"):
        if is_abandoned(left):
            left.unlink(missing_ok=True)
