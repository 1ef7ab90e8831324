"""The points-card job: the champion, distilled on the feature table that taught it."""

from pathlib import Path

import numpy as np
import pandas as pd

from leadlight.features.catalog import labelled
from leadlight.features.errors import ModelNotFoundError
from leadlight.models.points_card import PointsCard, Signal, card_of, distil
from leadlight.models.policies import Floors
from leadlight.models.threshold import ThresholdChoice

from .config import Config
from .held_out import champion_window
from .prepare import load_frame
from .registry import registry_of
from .workspace import Workspace

_KEYS = ["lead_id", "as_of"]


def champion_card(config: Config) -> PointsCard:
    """Distil the champion, and measure the card on the champion's held-out window.

    Raises
    ------
    ModelNotFoundError
        Nothing was trained yet, or the feature table of the champion's training is gone.
    NotEnoughDataError
        No signal tells hot leads from cold ones.
    """
    window = champion_window(config)
    champion = registry_of(config).version(window.version)
    rules = champion.training.get("rules")
    parts = Workspace(config.workspace_directory).features("training") / "parts"
    if not parts.exists():
        raise _gone(parts)
    frame = load_frame(parts)
    held = window.frame.drop(columns="label").merge(
        frame, on=_KEYS, how="left", indicator=True, validate="1:1", suffixes=("", "_feature")
    )
    held["label"] = window.frame["label"].to_numpy()
    if (held["_merge"] != "both").any():
        raise _gone(parts)
    score = held["probability"].to_numpy(dtype=np.float64)
    mql = _mqls(held, window.threshold, window.floors)
    if rules:
        return card_of(tuple(Signal(**rule["signal"]) for rule in rules), held, score, mql)
    taught = _before(frame, window.frame)
    return distil(
        labelled(champion.decision.features, config.wording),
        taught,
        champion.decision.compiled.margin(taught),
        held,
        # Of the model that was judged: the champion has been taught by these leads since.
        score,
        mql,
    )


def _mqls(
    held: pd.DataFrame, threshold: ThresholdChoice, floors: Floors
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    passes = held["probability"].to_numpy() >= threshold.least(held)
    for family in ("fit", "engagement"):
        percentile = held[f"{family}_percentile"].to_numpy(dtype=np.float64, na_value=np.nan)
        passes = passes & ~(percentile < getattr(floors, family))
    return np.asarray(passes, dtype=bool)


def _before(frame: pd.DataFrame, held_out: pd.DataFrame) -> pd.DataFrame:
    """Return the snapshots before the held-out window; without dates, those outside of it."""
    if held_out["as_of"].notna().any():
        is_before = frame["as_of"] < held_out["as_of"].min()
    else:
        is_before = ~frame["lead_id"].isin(held_out["lead_id"])
    before: pd.DataFrame = frame.loc[is_before]
    return before


def _gone(parts: Path) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"the feature table in {parts} is not that of the champion's training",
        hint="Train again, then export the card: leadlight train",
    )
