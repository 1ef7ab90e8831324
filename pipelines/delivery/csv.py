"""Scores as CSV, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from leadlight.features.publication import published_file

# OWASP, CSV injection: a cell that begins with one of these is run as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(scores: pa.Table, path: Path) -> None:
    """Write scores as one CSV file, all or nothing.

    The dialect is RFC 4180. Lists become one cell, parted by ``"; "``; times are ISO 8601 in UTC;
    a text that a spreadsheet would run as a formula gets a leading apostrophe.

    Parameters
    ----------
    scores : pyarrow.Table
    path : Path
    """
    with published_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(scores.column_names)
        for batch in scores.to_batches(max_chunksize=10_000):
            writer.writerows(_rows(batch))


def _rows(batch: pa.RecordBatch) -> Iterator[list[object]]:
    columns = [
        [spreadsheet_cell(value) for value in column.to_pylist()] for column in batch.columns
    ]
    for row in zip(*columns, strict=True):
        yield list(row)


def spreadsheet_cell(value: object) -> object:
    """Return a value as a cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> spreadsheet_cell("=1+1")
    "'=1+1"
    """
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
