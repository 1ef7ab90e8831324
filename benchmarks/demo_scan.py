"""A bare DuckDB, reading every value of the files that a job reads."""

import statistics
import time
from collections.abc import Sequence

import duckdb

_REPEATS = 3


def scan(paths: Sequence[str]) -> float:
    """Return the seconds to read every value, CSV as text; the median of three runs.

    Parameters
    ----------
    paths : sequence of str
        Files or globs: ``.parquet``, or any text with a delimiter.
    """
    runs = []
    with duckdb.connect() as connection:
        for _ in range(_REPEATS):
            started = time.perf_counter()
            for path in paths:
                # A hash needs each value, so no column can be skipped or counted from metadata.
                query = f"SELECT bit_xor(hash(COLUMNS(*))) FROM {_relation(path)}"
                connection.execute(query, [path]).fetchall()
            runs.append(time.perf_counter() - started)
    return statistics.median(runs)


def _relation(path: str) -> str:
    return "read_parquet(?)" if path.endswith(".parquet") else "read_csv(?, all_varchar = true)"
