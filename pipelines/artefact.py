"""A decision version on disk: readable JSON and plain arrays, never a pickle."""

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadlight.features.errors import ModelNotFoundError
from leadlight.models.decision import DecisionVersion

from .held_out import DECISION_FILE, write_held_out

ARRAYS_FILE = "tables.npz"
TRAINING_FILE = "training.json"
_DAMAGE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)


def save_decision(
    decision: DecisionVersion,
    training: dict[str, Any],
    held_out: pd.DataFrame,
    directory: Path,
) -> None:
    """Write a decision version and the story of its training into an empty folder.

    Parameters
    ----------
    decision : DecisionVersion
    training : dict
        Plain data: evaluation, candidates, windows, importance, data quality.
    directory : Path
    """
    payload, arrays = decision.to_payload()
    (directory / DECISION_FILE).write_text(to_json(payload), encoding="utf-8")
    (directory / TRAINING_FILE).write_text(to_json(training), encoding="utf-8")
    with (directory / ARRAYS_FILE).open("wb") as file:
        np.savez(file, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    write_held_out(held_out, directory)


def load_decision(directory: Path) -> DecisionVersion:
    """Read a decision version.

    Raises
    ------
    ModelNotFoundError
        The folder does not hold one, or it is damaged.
    """
    try:
        payload = json.loads((directory / DECISION_FILE).read_text(encoding="utf-8"))
        with (
            # Opened here, so that a damaged file is closed too.
            (directory / ARRAYS_FILE).open("rb") as opened,
            np.load(opened, allow_pickle=False) as file,
        ):
            arrays = {name: file[name] for name in file.files}
    except _DAMAGE as error:
        raise _damaged(directory, error) from error
    return DecisionVersion.from_payload(payload, arrays)


def load_training(directory: Path) -> dict[str, Any]:
    """Read the story of a decision version's training.

    Raises
    ------
    ModelNotFoundError
        The folder does not hold one, or it is damaged.
    """
    try:
        story: dict[str, Any] = json.loads((directory / TRAINING_FILE).read_text(encoding="utf-8"))
    except _DAMAGE as error:
        raise _damaged(directory, error) from error
    return story


def _damaged(directory: Path, error: Exception) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"the decision version in {directory} cannot be read: {error}",
        hint="Train again, or restore the artefact store from its backup.",
    )


def to_json(data: object) -> str:
    """Render plain data the same way each time."""
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
