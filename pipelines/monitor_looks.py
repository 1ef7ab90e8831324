"""Looks: what each run of the monitor saw, kept for the next ones to compare with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.features.errors import WorkspaceError
from leadlight.models.drift import Bins
from leadlight.models.event_streams import EarlierLook

from .workspace import Workspace, write_text

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Look:
    """What one run saw.

    Attributes
    ----------
    as_of : datetime
        UTC.
    decision_version : int
    last_day : date
    newest : mapping of event type to date
    events_read, events_repeated : int
        At the door: rows of events, and those that it took for repeated.
    bins : mapping of feature to plain Bins
    counts : mapping of feature to counts by bin
    """

    as_of: datetime
    decision_version: int
    last_day: date
    newest: Mapping[str, date]
    events_read: int
    events_repeated: int
    bins: Mapping[str, Bins]
    counts: Mapping[str, NDArray[np.float64]]

    def earlier(self) -> EarlierLook:
        """Return what the next run's streams are compared with."""
        return EarlierLook(self.last_day, self.newest)


def keep_look(workspace: Workspace, look: Look) -> None:
    """Keep a look; another one as of the same instant replaces it."""
    payload = {
        "format_version": _FORMAT,
        "as_of": look.as_of.isoformat(),
        "decision_version": look.decision_version,
        "last_day": look.last_day.isoformat(),
        "newest": {kind: day.isoformat() for kind, day in sorted(look.newest.items())},
        "events_read": look.events_read,
        "events_repeated": look.events_repeated,
        "bins": {name: bins.to_dict() for name, bins in look.bins.items()},
        "counts": {name: counts.tolist() for name, counts in look.counts.items()},
    }
    name = f"as_of={look.as_of:%Y-%m-%dT%H-%M-%S}.json"
    write_text(workspace.looks / name, json.dumps(payload, sort_keys=True) + "\n")


def earlier_looks(workspace: Workspace, before: datetime) -> list[Look]:
    """Return the looks as of earlier instants, the newest last, at most sixty.

    Raises
    ------
    WorkspaceError
        A look is damaged.
    """
    end = f"as_of={before:%Y-%m-%dT%H-%M-%S}.json"
    names = sorted(path.name for path in workspace.looks.glob("as_of=*.json"))
    looks = []
    for name in [name for name in names if name < end][-60:]:
        path = workspace.looks / name
        try:
            looks.append(_look(json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, KeyError, TypeError) as error:
            raise WorkspaceError(
                f"{path} cannot be read: {error!r}",
                hint="Remove the file; only what it remembered is lost.",
            ) from error
    return looks


def comparable_counts(
    looks: Sequence[Look], look: Look, days: int = 7
) -> list[Mapping[str, NDArray[np.float64]]]:
    """Return the counts of looks by the same version and bins, at least a week older."""
    bins = {name: it.to_dict() for name, it in look.bins.items()}
    return [
        each.counts
        for each in looks
        if each.decision_version == look.decision_version
        and (look.as_of - each.as_of).days >= days
        and {name: it.to_dict() for name, it in each.bins.items()} == bins
    ]


def _look(data: dict[str, Any]) -> Look:
    return Look(
        as_of=datetime.fromisoformat(data["as_of"]),
        decision_version=int(data["decision_version"]),
        last_day=date.fromisoformat(data["last_day"]),
        newest={kind: date.fromisoformat(day) for kind, day in data["newest"].items()},
        events_read=int(data["events_read"]),
        events_repeated=int(data["events_repeated"]),
        bins={name: Bins.from_dict(bins) for name, bins in data["bins"].items()},
        counts={
            name: np.asarray(counts, dtype=np.float64) for name, counts in data["counts"].items()
        },
    )
