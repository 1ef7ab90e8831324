"""What changed since the run before: each cause by itself, through the kernel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.supposition import HAPPENINGS, HISTORY, put_off
from leadlight.models.decision import DecisionVersion
from leadlight.models.score_change import ScoreChange, StagedScores, split_change

from .kernel import LeadKernel


@dataclass(frozen=True)
class Run:
    """A lead as one run scored it.

    Attributes
    ----------
    as_of : datetime
        UTC.
    probability : float
    mql : bool
    decision_version : int
    """

    as_of: datetime
    probability: float
    mql: bool
    decision_version: int


def runs_of(scores: Path, lead_id: str, until: datetime) -> tuple[Run, ...]:
    """Return every run that scored a lead, oldest first.

    Parameters
    ----------
    scores : Path
        Folder of the partitions of scores.
    lead_id : str
    until : datetime
        Of the last run to tell.
    """
    columns = ["as_of", "probability", "mql", "decision_version"]
    rows: list[dict[str, Any]] = []
    for part in sorted(scores.glob("as_of=*/part-*.parquet")):
        found = pq.read_table(part, columns=columns, filters=pc.field("lead_id") == lead_id)
        rows += found.to_pylist()
    dated = (Run(**row) for row in rows if row["as_of"] is not None and row["as_of"] <= until)
    return tuple(sorted(dated, key=lambda run: run.as_of))


def change_between(
    kernel: LeadKernel, decisions: Mapping[int, DecisionVersion], before: Run, now: Run
) -> ScoreChange:
    """Split the change of a lead's score between two runs.

    Parameters
    ----------
    kernel : LeadKernel
    decisions : mapping of int to DecisionVersion
        Of both runs, by number.
    before, now : Run
    """
    earlier, later = decisions[before.decision_version], decisions[now.decision_version]
    since, until = before.as_of, now.as_of
    tables = kernel.tables
    without_news = put_off(tables, (*HAPPENINGS, HISTORY), since=since, until=until)
    without_edits = put_off(tables, (HISTORY,), since=since, until=until)
    newest = kernel.frame(later, tables, until)
    then = kernel.frame(earlier, tables, since)
    staged = StagedScores(
        recorded=earlier.points_of_probability(before.probability),
        then=_points(earlier, then),
        aged=_points(earlier, kernel.frame(earlier, without_news, until)),
        with_events=_points(earlier, kernel.frame(earlier, without_edits, until)),
        with_profile=_points(earlier, kernel.frame(earlier, tables, until)),
        with_model=_points(later, newest),
    )
    return split_change(
        staged,
        threshold_before=threshold_points(earlier, then),
        threshold_after=threshold_points(later, newest),
    )


def threshold_points(decision: DecisionVersion, frame: pd.DataFrame) -> float:
    """Return the points from which the lead of a frame of one row is an MQL."""
    least = decision.threshold.least(frame)
    return decision.points_of_probability(float(least if isinstance(least, float) else least[0]))


def _points(decision: DecisionVersion, frame: pd.DataFrame) -> float:
    margin = decision.judge(frame).margin
    return float(decision.reference.point_scale.points(margin)[0])
