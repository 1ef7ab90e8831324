"""A case of bench-quality: rows in time order, and which of them teach and judge at each step.

Read in the environments of all contestants, so it imports only what each of them has.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Step:
    """One training: rows [0, train) teach, rows [first, last) are judged."""

    train: int
    first: int
    last: int


@dataclass(frozen=True)
class Case:
    """What all contestants are given.

    Attributes
    ----------
    name, story : str
        For the table, and what is split how, in words.
    horizon_days : int
    features : sequence of dict
        Fields of ``leadlight.features.catalog.Feature``.
    steps : sequence of Step
    folder : Path
        With ``rows.parquet`` (the training frame, in time order), ``case.json`` and, where the
        true probabilities are known, ``truth.npy`` of the judged rows.
    """

    name: str
    story: str
    horizon_days: int
    features: Sequence[dict[str, Any]]
    steps: Sequence[Step]
    folder: Path = field(compare=False)

    def columns(self, kind: str) -> list[str]:
        """Name the features of a kind, "numeric" or "category"."""
        return [each["name"] for each in self.features if each["kind"] == kind]

    @property
    def judged(self) -> np.ndarray:
        """Places of all judged rows, step after step."""
        return np.concatenate([np.arange(step.first, step.last) for step in self.steps])

    def rows(self) -> pd.DataFrame:
        """Load the frame, features as plain numbers and strings (missing: NaN and None)."""
        frame = pd.read_parquet(self.folder / "rows.parquet")
        for column in self.columns("category"):
            texts = frame[column].astype(object)
            frame[column] = texts.where(texts.notna(), None)
        for column in self.columns("numeric"):
            frame[column] = frame[column].astype(np.float64)
        return frame

    def truth(self) -> np.ndarray | None:
        """Return the true probability of each judged row, where it is known."""
        path = self.folder / "truth.npy"
        return np.load(path) if path.exists() else None

    def save(self, frame: pd.DataFrame, truth: np.ndarray | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(self.folder / "rows.parquet", index=False)
        if truth is not None:
            np.save(self.folder / "truth.npy", truth)
        content = {key: value for key, value in asdict(self).items() if key != "folder"}
        (self.folder / "case.json").write_text(json.dumps(content, indent=1, sort_keys=True))

    @classmethod
    def load(cls, folder: Path) -> "Case":
        data = json.loads((folder / "case.json").read_text())
        data["steps"] = [Step(**step) for step in data["steps"]]
        return cls(**data, folder=folder)

    def fingerprint(self) -> str:
        """Hash everything that a peer is given."""
        digest = hashlib.sha256()
        content = json.loads((self.folder / "case.json").read_text())
        # What else leadlight knows of a feature or a row is not given to its peers.
        features = [(each["name"], each["kind"]) for each in content["features"]]
        told = {"features": features, "steps": content["steps"]}
        digest.update(json.dumps(told, sort_keys=True).encode())
        given = ["lead_id", "label", *(each["name"] for each in self.features)]
        rows = pd.util.hash_pandas_object(self.rows()[given], index=False)
        digest.update(rows.to_numpy().tobytes())
        return digest.hexdigest()
