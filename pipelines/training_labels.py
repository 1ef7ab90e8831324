"""What training knows of a label besides won or not: when the win came, and what sales said."""

from pathlib import Path
from typing import Any

import pandas as pd

from leadlight.features.engines import DuckDBEngine
from leadlight.features.feedback import judged_snapshots_sql
from leadlight.features.sql import parquet
from leadlight.features.tables import CanonicalTables
from leadlight.models.feedback import feedback_evidence, feedback_weight

from .config import LabelSettings

_SNAPSHOT = ["lead_id", "as_of"]


def judged_snapshots(
    engine: DuckDBEngine, tables: CanonicalTables, snapshots: Path, label: LabelSettings
) -> pd.DataFrame:
    """Return each decision of sales with each training snapshot in whose horizon it fell.

    Returns
    -------
    DataFrame
        lead_id, as_of, decided_at, accepted, reason; empty without feedback.
    """
    sql = judged_snapshots_sql(tables, parquet(snapshots), label.horizon_days)
    judged: pd.DataFrame = engine.table(sql).to_pandas()
    return judged


def with_label_history(
    frame: pd.DataFrame, snapshots: Path, judged: pd.DataFrame, label: LabelSettings
) -> pd.DataFrame:
    """Add to a training frame ``win_after_days``, and ``weight`` where feedback is to be used.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Features of the snapshots.
    snapshots : Path
        Parquet that ``training_snapshots`` wrote.
    judged : DataFrame
        As ``judged_snapshots`` returns it.
    label : LabelSettings
    """
    told = pd.read_parquet(snapshots, columns=[*_SNAPSHOT, "win_after_days"])
    days = frame[_SNAPSHOT].merge(told, on=_SNAPSHOT, how="left", validate="1:1")
    frame = frame.assign(win_after_days=days["win_after_days"].astype("float64").to_numpy())
    if label.use_feedback:
        frame = frame.assign(weight=feedback_weight(frame, judged))
    return frame


def feedback_story(
    held_out: pd.DataFrame, judged: pd.DataFrame, seed: int
) -> dict[str, Any] | None:
    """Return the decisions of sales beside the held-out probabilities as plain data.

    None where no held-out lead was judged.
    """
    evidence = feedback_evidence(held_out, judged, seed=seed)
    return evidence.to_dict() if evidence else None
