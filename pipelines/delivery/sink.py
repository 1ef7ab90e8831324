"""What every sink is: it takes a batch of changes and says what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One change as it is sent.

    Attributes
    ----------
    key : str
        The same through every attempt; no other change has it.
    lead_id : str
    values : mapping of str to object
        By field of ``FIELDS``.
    """

    key: str
    lead_id: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Batch:
    """Changes that are sent together.

    Attributes
    ----------
    number : str
        The same when the batch is sent again after a crash.
    as_of : datetime or None
        Of the scores, UTC.
    messages : tuple of Message
    """

    number: str
    as_of: datetime | None
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message.

    Attributes
    ----------
    lead_id : str
    kind : {"delivered", "again", "refused"}
        ``again`` says that it may succeed later, ``refused`` that it will not as it is.
    said : str
        The receiver's own words, if it was not delivered.
    """

    lead_id: str
    kind: Literal["delivered", "again", "refused"]
    said: str = ""


class TryAgainError(Exception):
    """The receiver could not be asked, or asks to wait: nothing of the batch is confirmed.

    Parameters
    ----------
    said : str
    after_seconds : float, optional
        How long the receiver asks to wait.
    """

    def __init__(self, said: str, after_seconds: float | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.after_seconds = after_seconds


class Sink(Protocol):
    """Where changes are sent."""

    @property
    def batch_size(self) -> int:
        """How many are sent together at most."""

    def send(self, batch: Batch) -> Sequence[Outcome]:
        """Send a batch, and say of each message what became of it.

        Raises
        ------
        TryAgainError
            Nothing is known to have arrived; later it may.
        DeliveryError
            The sink cannot be told anything until a person mends something.
        """

    def close(self) -> None:
        """Let go of connections."""


def delivered(batch: Batch) -> list[Outcome]:
    """Say that a whole batch arrived."""
    return [Outcome(message.lead_id, "delivered") for message in batch.messages]


def named(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return values under the sink's own names, in their order."""
    return {theirs: values[ours] for ours, theirs in names.items()}


def as_text(value: Any) -> str:
    """Write a value as CRMs read it: reasons in one text, times in ISO 8601, flags in lower case.

    Examples
    --------
    >>> as_text(["Visited the pricing page", "Seniority: director"])
    'Visited the pricing page; Seniority: director'
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value)
