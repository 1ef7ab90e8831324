"""The held-out window of a decision version: what every question about its threshold is asked of.

It is kept with the version: ids, dates, labels and scores of the last window that training set
apart; no names, no features. Questions about the threshold are answered from it in a moment, so
nothing here imports MLflow or a model unless it must.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leadlight.features.errors import ModelNotFoundError
from leadlight.models.policies import SEGMENT_COLUMN, Floors
from leadlight.models.threshold import ThresholdChoice

from .config import Config

HELD_OUT_FILE = "held_out.parquet"
DECISION_FILE = "decision.json"
_COLUMNS = (
    ("lead_id", pa.string()),
    ("account_id", pa.string()),
    ("as_of", pa.timestamp("us", tz="UTC")),
    ("label", pa.bool_()),
    ("stands_for", pa.float64()),
    ("probability", pa.float64()),
    ("fit_percentile", pa.float64()),
    ("engagement_percentile", pa.float64()),
    ("amount", pa.float64()),
    (SEGMENT_COLUMN, pa.string()),
)
_CHAMPION = """
    SELECT v.version, v.storage_location
    FROM registered_model_aliases a JOIN model_versions v
        ON v.name = a.name AND CAST(v.version AS TEXT) = CAST(a.version AS TEXT)
    WHERE a.name = ? AND a.alias = 'champion'
"""


@dataclass(frozen=True)
class HeldOutWindow:
    """A decision version's threshold and the snapshots that it was chosen on.

    Attributes
    ----------
    version : int
        Of the decision version.
    frame : DataFrame
        As ``choose_threshold`` takes it.
    threshold : ThresholdChoice
    floors : Floors
    metadata : dict
        Of the decision version.
    """

    version: int
    frame: pd.DataFrame
    threshold: ThresholdChoice
    floors: Floors
    metadata: dict[str, Any]

    @property
    def horizon_days(self) -> int:
        """Days within which a win counts; of a table without dates, none that matters."""
        return int(self.metadata["horizon_days"] or 90)

    @property
    def sampled_share(self) -> float:
        """Share of all leads that the snapshots are a sample of."""
        return float(self.metadata.get("sampled_share", 1.0))


def write_held_out(held_out: pd.DataFrame, directory: Path) -> None:
    """Keep a held-out window in the folder of its decision version.

    Parameters
    ----------
    held_out : DataFrame
        As training gives it, with the policies' columns; what is not a key, a label or a score is
        left out.
    directory : Path
    """
    schema = pa.schema([(name, type_) for name, type_ in _COLUMNS if name in held_out])
    table = pa.Table.from_pandas(
        held_out[schema.names].reset_index(drop=True), schema=schema, preserve_index=False
    )
    pq.write_table(table.replace_schema_metadata(None), directory / HELD_OUT_FILE)


def read_held_out(directory: Path) -> pd.DataFrame:
    """Read what ``write_held_out`` kept.

    Raises
    ------
    ModelNotFoundError
        The decision version has no held-out window, or it is damaged.
    """
    path = directory / HELD_OUT_FILE
    if not path.is_file():
        raise ModelNotFoundError(
            "the decision version keeps no held-out window: an earlier leadlight trained it",
            hint="Train again: leadlight train",
        )
    try:
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path, error) from error
    return frame


def champion_window(config: Config) -> HeldOutWindow:
    """Read the champion's threshold and held-out window.

    Raises
    ------
    ModelNotFoundError
        Nothing was trained yet, by this leadlight, or the artefact is damaged.
    """
    with _champion_directory(config) as (version, directory):
        path = directory / DECISION_FILE
        try:
            payload = json.loads(path.read_text(encoding="utf-8"))
            return HeldOutWindow(
                version=version,
                frame=read_held_out(directory),
                threshold=ThresholdChoice.from_dict(payload["threshold"]),
                floors=Floors(**payload["floors"]),
                metadata=dict(payload["metadata"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, ModelNotFoundError):
                raise
            raise _damaged(path, error) from error


@contextmanager
def _champion_directory(config: Config) -> Iterator[tuple[int, Path]]:
    """Yield the champion's number and the folder of its artefact."""
    local = _local_champion(config.tracking_uri, config.model_name)
    if local is not None:
        yield local
        return
    from .registry import registry_of  # noqa: PLC0415 - a second of import

    with registry_of(config).champion_directory() as found:
        yield found


def _local_champion(uri: str, name: str) -> tuple[int, Path] | None:
    """Look the champion up in a SQLite store; None where only MLflow itself can find it.

    MLflow takes more than a second to import, and a question about a threshold should be answered
    in two.
    """
    store = Path(uri.removeprefix("sqlite:///"))
    if not uri.startswith("sqlite:///") or not store.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            row = connection.execute(_CHAMPION, (name,)).fetchone()
    except sqlite3.Error:
        return None
    if row is None or not str(row[1]).startswith("file:"):
        return None
    directory = Path(unquote(urlparse(row[1]).path)) / "data" / "decision"
    return (int(row[0]), directory) if directory.is_dir() else None


def _damaged(path: Path, error: Exception) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"{path} cannot be read: {error}",
        hint="Train again, or restore the artefact store from its backup.",
    )
