"""What is asked of a delivery, and what it did."""

from dataclasses import dataclass
from typing import Any

from .outbox import Plan, Waiting


@dataclass(frozen=True)
class Wanted:
    """What of the difference is to be sent; a file that is a snapshot is always written whole.

    Attributes
    ----------
    limit : int or None
        At most so many changes for each sink.
    only_state_changes : bool
        Only leads whose MQL state the sink would learn.
    retry_refused : bool
        Dead letters once more.
    confirm : bool
        Even if the states of many leads change.
    """

    limit: int | None = None
    only_state_changes: bool = False
    retry_refused: bool = False
    confirm: bool = False

    def of(self, planned: Plan) -> list[Waiting]:
        """Return the changes of a plan that are wanted, the ones of most worth first."""
        wanted = [
            change
            for change in planned.send
            if not self.only_state_changes or planned.changes_state(change)
        ]
        return wanted[: self.limit]


@dataclass(frozen=True)
class SinkReport:
    """What a sink was told, or would be.

    Attributes
    ----------
    sink, kind : str
    changes : tuple of dict
        Plain data: ``lead_id`` and ``key``; ``score``, ``grade`` and ``state``; and the same with
        ``_before``, None where the lead is new to the sink.
    delivered : int
        Of the changes.
    newly_refused : int
    waiting : int
        Changes that the next delivery sends.
    refused : dict of str to str
        Dead letters, also of earlier deliveries: the receiver's own words by lead.
    problem : str
        Why the sink was left before its end; empty if it was not.
    """

    sink: str
    kind: str
    changes: tuple[dict[str, Any], ...]
    delivered: int
    newly_refused: int
    waiting: int
    refused: dict[str, str]
    problem: str = ""


@dataclass(frozen=True)
class Delivered:
    """A finished delivery.

    Attributes
    ----------
    dry_run : bool
    sinks : tuple of SinkReport
    opted_out, erased : int
        Leads that have a score and were not passed on to anyone.
    notes : tuple of str
        What a person should know of the scores.
    """

    dry_run: bool
    sinks: tuple[SinkReport, ...]
    opted_out: int
    erased: int
    notes: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every sink took all that it was sent this time."""
        return not any(report.problem or report.newly_refused for report in self.sinks)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {**vars(self), "sinks": [vars(report) for report in self.sinks]}


def changes_in_words(planned: Plan, changes: list[Waiting]) -> tuple[dict[str, Any], ...]:
    """Return changes as plain data, with what the sink had before."""
    told = []
    for change in changes:
        now = change.standing
        before = planned.before.get(now.lead_id)
        row: dict[str, Any] = {"lead_id": now.lead_id, "key": change.key}
        for name in ("score", "grade", "state"):
            row[name] = getattr(now, name)
            row[f"{name}_before"] = getattr(before, name) if before else None
        told.append(row)
    return tuple(told)
