"""What the main job is held against: a bare read of the same files, a bare fit of the same rows."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from leadlight.features.catalog import Feature
from leadlight.features.sql import literal
from leadlight.models.encoding import LeadEncoder, feature_kinds
from leadlight.pipelines.config import load_config
from leadlight.pipelines.prepare import load_frame
from leadlight.pipelines.workspace import Workspace

_REPEATS = 3


def scan_sources(config: Path) -> float:
    """Return the seconds that DuckDB takes to read every value of the raw files, CSV as text."""
    paths = [source.path for source in load_config(config).sources_list() if source.path]
    return _scan([_relation(path) for path in paths])


def scan_tables(config: Path) -> float:
    """Return the seconds that DuckDB takes to read every value of the canonical Parquet."""
    tables = Workspace(load_config(config).workspace_directory).tables
    return _scan([_relation(str(path)) for path in sorted(tables.glob("*.parquet"))])


def _relation(path: str) -> str:
    if path.endswith(".parquet"):
        return f"read_parquet({literal(path)})"
    return f"read_csv({literal(path)}, all_varchar = true)"


def _scan(relations: Sequence[str]) -> float:
    runs = []
    with duckdb.connect() as connection:
        for _ in range(_REPEATS):
            started = time.perf_counter()
            for relation in relations:
                # A hash needs each value, so no column can be skipped or counted from metadata.
                connection.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {relation}").fetchall()
            runs.append(time.perf_counter() - started)
    return statistics.median(runs)


def fit_plain(config: Path, features: Sequence[Feature], seed: int) -> float:
    """Return the seconds of one plain fit on all rows of the training frame, already encoded.

    On one thread, as leadlight fits: where another process has a core, the threads of a fit wait
    for each other busily, and a peer many times too slow would flatter.
    """
    workspace = Workspace(load_config(config).workspace_directory)
    frame = load_frame(workspace.features("training") / "parts")
    names = tuple(feature.name for feature in features)
    matrix = LeadEncoder(names, feature_kinds(features)).fit_transform(frame)
    won = frame["label"].to_numpy(dtype=bool)
    del frame
    started = time.perf_counter()
    with threadpool_limits(limits=1):
        HistGradientBoostingClassifier(random_state=seed).fit(matrix, won)
    return time.perf_counter() - started
