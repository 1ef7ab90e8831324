"""Leads that every explainer is shown: 90 features of a demo world, the same for all."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FEATURES = 90


@dataclass(frozen=True)
class ExplainCase:
    """A folder with labelled leads, as frames and encoded; needs nothing of leadlight to be read.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @classmethod
    def write(
        cls,
        folder: Path,
        frame: pd.DataFrame,
        matrix: NDArray[np.float64],
        features: Sequence[Any],
        taught: int,
    ) -> "ExplainCase":
        """Keep leads for processes and environments of their own.

        Parameters
        ----------
        folder : Path
        frame : DataFrame of n rows
            ``lead_id``, ``account_id``, ``label`` and the features.
        matrix : array of float64, shape (n, 90)
            A category as the position of its level; missing values are NaN.
        features : sequence of Feature, 90 of them
        taught : int
            The first rows teach, all others are explained.
        """
        frame.to_parquet(folder / "frame.parquet", index=False)
        np.save(folder / "matrix.npy", matrix)
        told = {"taught": taught, "features": [asdict(feature) for feature in features]}
        (folder / "case.json").write_text(json.dumps(told))
        return cls(folder)

    @property
    def taught(self) -> int:
        """Rows that teach."""
        return int(self._told["taught"])

    @property
    def features(self) -> list[dict[str, Any]]:
        """The features, as plain data."""
        return list(self._told["features"])

    @property
    def won(self) -> NDArray[np.bool_]:
        """Labels of all rows."""
        return self.frame()["label"].to_numpy(dtype=bool)

    def frame(self) -> pd.DataFrame:
        """Return all rows."""
        return pd.read_parquet(self.folder / "frame.parquet")

    def matrix(self) -> NDArray[np.float64]:
        """Return all rows, encoded."""
        return np.load(self.folder / "matrix.npy")

    @property
    def _told(self) -> dict[str, Any]:
        return json.loads((self.folder / "case.json").read_text())
