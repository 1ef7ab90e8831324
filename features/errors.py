"""The one tree of errors a user can cause, each with what is wrong, where, and what to do.

A domain error is also the builtin that a caller of the library would catch
(``ConfigError`` is a ``ValueError``), so neither audience has to learn the other's names.
"""

import errno
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any


class LeadlightError(Exception):
    """Something a user can cause and mend.

    Parameters
    ----------
    message : str
        What is wrong and where (file, column, row, lead).
    hint : str, optional
        What to do next; shown on its own line.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigError(LeadlightError, ValueError):
    """The configuration file says something that cannot be meant."""


class SourceError(LeadlightError, ValueError):
    """A source cannot be read: file missing, wrong format, delimiter or encoding, no connection."""


class ColumnNotFoundError(SourceError, KeyError):
    """A mapped or required column is not in the source."""

    __str__ = LeadlightError.__str__


class DataQualityError(LeadlightError, ValueError):
    """The share of bad rows passes a rule's limit; the quarantine tells which rows."""


class NotEnoughDataError(LeadlightError, ValueError):
    """Too few rows, wins or mature snapshots to train or to evaluate honestly."""


class TooEarlyError(NotEnoughDataError):
    """So few wins are known, or in so short a time, that no model can be learned and checked."""


class NoSignalError(LeadlightError, ValueError):
    """Nothing in the data tells leads that convert from leads that do not.

    Parameters
    ----------
    found : str
        What shows it, in a sentence: the interval of the AUC, the gain over the base rate.
    tried : sequence of str
        Sentences: which candidates, features and windows were tried.
    evaluation : mapping
        Plain data: the evaluation of the last window, as a decision version would tell it.
    """

    exit_code = 3

    def __init__(self, found: str, *, tried: Sequence[str], evaluation: Mapping[str, Any]) -> None:
        super().__init__(
            f"no usable signal: {found}",
            hint="Nothing was registered, and the champion stays as it was. Give a longer history, "
            "or more of what leads did and who they are.",
        )
        self.tried = tuple(tried)
        self.evaluation = dict(evaluation)


class ImpossiblePolicyError(LeadlightError, ValueError):
    """No threshold answers the team's question; the best that can be had is told instead.

    Parameters
    ----------
    found : str
        What was asked, why it cannot be, and the best that can, with figures.
    best : mapping
        Plain data: the best that can be had; empty where nothing can.
    """

    def __init__(self, found: str, *, best: Mapping[str, Any]) -> None:
        super().__init__(
            found, hint="Nothing was changed. Ask for less, or choose by capacity or top_share."
        )
        self.best = dict(best)


class SchemaMismatchError(LeadlightError, ValueError):
    """The data to score does not have the shape that the model was trained on."""


class ModelNotFoundError(LeadlightError, LookupError):
    """No decision version is registered where one was asked for."""


class LeadNotFoundError(LeadlightError, LookupError):
    """A lead id is not among the leads, or was not scored."""


class WorkspaceError(LeadlightError, OSError):
    """The workspace cannot be read or written: disk full, no permission, held by another run."""

    __str__ = LeadlightError.__str__


class DeliveryError(LeadlightError, RuntimeError):
    """A sink cannot be told: no credentials, no such table or property; what is for it waits."""

    exit_code = 5


class MassChangeError(LeadlightError, RuntimeError):
    """So many leads would change their state that a person has to confirm it first."""

    exit_code = 6


class MissingExtraError(LeadlightError, ImportError):
    """An optional package is needed; the hint names the extra that brings it."""

    __str__ = LeadlightError.__str__


_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_NO_ROOM_WORDS = ("No space left", "File too large", "disk is full", "disk I/O error")


def disk_is_full(what: object) -> WorkspaceError:
    """Return the error of a disk with no room for ``what``."""
    return WorkspaceError(
        f"the disk is full: cannot write {what}",
        hint="Free some space and run the same command again; nothing was published.",
    )


def says_disk_is_full(error: BaseException) -> bool:
    """Whether an error of whatever library means that the disk has no room left."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return True
    return any(words in str(error) for words in _NO_ROOM_WORDS)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known word, or an empty string.

    Parameters
    ----------
    word : str
        What the user wrote.
    known : iterable of str
        What would have been understood.

    Examples
    --------
    >>> did_you_mean("timestmp", ["timestamp", "lead_id"])
    " Did you mean 'timestamp'?"
    """
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean '{by_lower[near[0]]}'?" if near else ""
