"""Writing the world's tables as files, several at a time, the same bytes each time."""

import gzip
import io
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

Export = Callable[[], Mapping[str, pa.Table]]


def _write_csv(table: pa.Table, path: Path) -> None:
    buffer = io.BytesIO()
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(quoting_style="needed"))
    text = buffer.getbuffer()
    # A fixed time in the header, so that the same world has the same bytes.
    path.write_bytes(gzip.compress(text, 1, mtime=0) if path.suffix == ".gz" else text)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table in the format that the path's ending names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        # Without Arrow's own schema, so that texts are texts for every reader.
        instants = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
        pq.write_table(
            table,
            path,
            store_schema=False,
            compression="zstd",
            use_dictionary=[name for name in table.column_names if name not in instants],
            column_encoding=dict.fromkeys(instants, "DELTA_BINARY_PACKED"),
        )
    else:
        _write_csv(table, path)


def write_exports(exports: Sequence[Export], directory: Path, workers: int | None = None) -> None:
    """Render and write exports below a directory, several at a time.

    Parameters
    ----------
    exports : sequence of callable
        Each returns tables by file name.
    directory : Path
    workers : int, optional
        Threads to use (default: one for each processor).
    """

    def write(export: Export) -> None:
        for name, table in export().items():
            write_table(table, directory / name)

    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for job in [pool.submit(write, export) for export in exports]:
            job.result()
