"""Follow-up: which training snapshots were in the hands of sales, and with what chance."""

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from leadlight.features.engines import DuckDBEngine
from leadlight.features.sql import literal, parquet, parquet_files
from leadlight.models.exploration import effective_rows, follow_up_weight

from .config import Config
from .status import lifecycle_runs, status_folder, status_parts
from .workspace import Workspace

_SNAPSHOT = ["lead_id", "as_of"]
_FOLLOWED = ("mql", "sql")


@dataclass(frozen=True)
class FollowedUp:
    """Training snapshots, weighted by the chance with which their leads were passed to sales.

    Attributes
    ----------
    frame : DataFrame of shape (n, any)
        With ``stands_for``, where training is to be weighted.
    notes : tuple of str
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


def with_follow_up(
    frame: pd.DataFrame, config: Config, engine: DuckDBEngine, snapshots: Path
) -> FollowedUp:
    """Add to a training frame ``stands_for``, where ``exploration.weigh_training`` asks for it.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Features of the snapshots.
    config : Config
    engine : DuckDBEngine
    snapshots : Path
        Parquet that ``training_snapshots`` wrote.

    Raises
    ------
    SchemaMismatchError
        A run's status is another project's or a newer leadlight's.
    WorkspaceError
        A run's status is gone.
    """
    if not config.lifecycle.exploration.weigh_training:
        return FollowedUp(frame)
    told = frame[_SNAPSHOT].merge(
        _chances(config, engine, snapshots), on=_SNAPSHOT, how="left", validate="1:1"
    )
    weight = follow_up_weight(
        told["followed"].eq(True).to_numpy(),
        told["propensity"].to_numpy(dtype=np.float64, na_value=np.nan),
        told["followed"].notna().to_numpy(),
    )
    return FollowedUp(frame.assign(stands_for=weight), (_sentence(weight),))


def _chances(config: Config, engine: DuckDBEngine, snapshots: Path) -> pd.DataFrame:
    """Return what the last run before each snapshot, or of its instant, made of its lead.

    Snapshots from before the first run are left out.
    """
    workspace = Workspace(config.workspace_directory)
    runs = [run.as_of for run in lifecycle_runs(config)]
    parts = [
        pd.DataFrame({"lead_id": [], "as_of": [], "followed": [], "propensity": []}).astype(
            {"lead_id": "str", "as_of": "datetime64[us, UTC]", "propensity": "float64"}
        )
    ]
    for start, end in zip_longest(runs, runs[1:]):
        until = f" AND as_of < {literal(end)}" if end is not None else ""
        these = (
            f"SELECT lead_id, as_of FROM {parquet(snapshots)}"
            f" WHERE as_of >= {literal(start)}{until}"
        )
        ((some,),) = engine.rows(f"SELECT count(*) FROM ({these})")
        if some:
            files = status_parts(status_folder(workspace, start), config.project)
            found: pa.Table = engine.table(
                "SELECT s.lead_id, s.as_of, b.propensity,"
                f" coalesce(b.state IN ({', '.join(map(literal, _FOLLOWED))}), FALSE) AS followed"
                f" FROM ({these}) s LEFT JOIN {parquet_files(files)} b USING (lead_id)"
            )
            parts.append(found.to_pandas())
    return pd.concat(parts[1:] or parts)


def _sentence(weight: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    teach = int(np.count_nonzero(weight))
    return (
        f"Learned from {teach:,} of {len(weight):,} snapshots, those that sales could have won, "
        f"weighted by the chance of being passed to sales; they are worth "
        f"{effective_rows(weight):,.0f} equal ones. They judge by the same weights; the volumes of "
        "a policy are those of all leads."
    )
