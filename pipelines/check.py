"""The check: sources to validated tables, and the leak audit where there are labels."""

from dataclasses import dataclass

from leadlight.features.validation import DoorReport

from .config import Config
from .leak_audit import AuditedLeaks, audit_labelled
from .prepare import engine_of, open_door
from .progress import Progress


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes
    ----------
    door : DoorReport
    leaks : AuditedLeaks
    """

    door: DoorReport
    leaks: AuditedLeaks


def check(config: Config, progress: Progress) -> Checked:
    """Read and validate all sources into the workspace's canonical tables, and audit them.

    Raises
    ------
    SourceError
        A source cannot be read.
    DataQualityError
        The share of bad rows passes a rule's limit; the quarantine is written, nothing else.
    """
    with engine_of(config) as engine:
        door = open_door(config, engine, progress)
        with progress.stage("Auditing leaks"):
            leaks = audit_labelled(config, engine, door.tables)
    return Checked(door, leaks)
