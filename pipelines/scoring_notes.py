"""What a person should know of a scoring run, in sentences."""

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from leadlight.features.catalog import feature_catalog
from leadlight.features.snapshots import SnapshotCounts

from .config import Config
from .prepare import scoring_plan
from .registry import RegisteredVersion


class SeenInScoring:
    """What the leads of a run show that training did not know, or no longer show.

    Parameters
    ----------
    champion : RegisteredVersion
    """

    def __init__(self, champion: RegisteredVersion) -> None:
        self._compiled = champion.decision.compiled
        self._kinds = {
            feature.name: feature.subject
            for feature in feature_catalog(champion.decision.definition)
            if feature.statistic == "count" and feature.lookback_days is None
        }
        self._silent = set(self._kinds.values())
        self._unseen: Counter[tuple[str, str]] = Counter()

    def look_at(self, frame: pd.DataFrame) -> None:
        """Take in a part of the feature table."""
        for name, values in self._compiled.unseen(frame).items():
            self._unseen.update({(name, value): rows for value, rows in values.items()})
        self._silent -= {kind for name, kind in self._kinds.items() if frame[name].any()}

    @property
    def unseen(self) -> tuple[str, ...]:
        """Say which categories are new, the five most frequent values of each feature."""
        by_feature: dict[str, list[str]] = {}
        for (name, value), rows in sorted(
            self._unseen.items(), key=lambda item: (-item[1], item[0])
        ):
            by_feature.setdefault(name, []).append(f"'{value}' ({rows:,} leads)")
        return tuple(
            f"{name}: training never saw {', '.join(values[:5])}"
            + (f" and {len(values) - 5} more" if len(values) > 5 else "")
            + "; scored as a rare value."
            for name, values in sorted(by_feature.items())
        )

    @property
    def silent(self) -> tuple[str, ...]:
        """Say which kinds of event training knew and no lead of today ever had."""
        return tuple(
            f"no lead of today ever had an event of the kind {kind}, which training knew: has its "
            "source stopped?"
            for kind in sorted(self._silent)
        )


def calibration_notes(champion: RegisteredVersion) -> tuple[str, ...]:
    """Say it where no probability of the scores is calibrated."""
    told = champion.decision.uncalibrated
    return () if told is None else (told,)


def plan_notes(config: Config, champion: RegisteredVersion) -> tuple[str, ...]:
    """Say where the configuration's snapshots are not those of the champion's training."""
    metadata = champion.decision.metadata
    if metadata["horizon_days"] is None:
        return ()
    kept, now = metadata["snapshots"], scoring_plan(config)
    return tuple(
        f"{name} is {now[name]} in the configuration but was {kept[name]} in training, which holds "
        "until the next `leadlight train`."
        for name in now
        if now[name] != kept[name]
    )


def count_notes(counts: SnapshotCounts) -> tuple[str, ...]:
    """Say who is not scored, and whose outcome is known already."""
    notes = []
    if counts.horizon_over_dropped:
        notes.append(
            f"{counts.horizon_over_dropped:,} leads are not scored: they reached the age at which "
            "leads are scored so long ago that their horizon is over."
        )
    if counts.labelled and counts.labelled == counts.rows:
        notes.append(
            f"All {counts.rows:,} rows have a known outcome, and most were in training: what they "
            "score is no forecast. Rows without a label would be scored alone."
        )
    elif counts.labelled:
        notes.append(f"{counts.labelled:,} rows have a known outcome and are not scored.")
    return tuple(notes)


def moves_in_words(moves: Mapping[str, int]) -> str:
    """Say how many leads moved from which state to which, the most frequent first."""
    ordered = sorted(moves.items(), key=lambda item: (-item[1], item[0]))
    said = [f"{count:,} {move.replace('>', ' to ')}" for move, count in ordered]
    return f"Moved: {', '.join(said)}." if said else "Nobody changed state."
