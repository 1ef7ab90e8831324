"""Patience: how often, how fast, and how long a receiver is asked."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from .sink import Batch, Outcome, Sink, TryAgainError

# A nightly job does not sit for longer; what is left waits in the outbox for the next run.
_LONGEST_WAIT = 120.0
NEXT_RUN = 86_400.0
"""Seconds that no run sits out: what is left is for the next one."""


@dataclass
class Pace:
    """Keeps requests apart, so that there are at most so many a second.

    Attributes
    ----------
    per_second : float or None
        None: as fast as they go.
    """

    per_second: float | None
    _next: float = 0.0

    def wait(self) -> None:
        """Wait until the next request may go."""
        if self.per_second is None:
            return
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.per_second


def send_patiently(
    sink: Sink, batch: Batch, attempts: int, settle: Callable[[Sequence[Outcome]], None]
) -> str:
    """Send a batch; what may succeed later is sent again, each time after a longer, random wait.

    Returns why it gave up, in the receiver's words, or nothing if all is settled.

    A receiver that says how long to wait (Retry-After) is obeyed, up to two minutes.

    Parameters
    ----------
    sink : Sink
    batch : Batch
    attempts : int
    settle : callable
        Told of the outcomes of each attempt that are final, before the next one.

    References
    ----------
    M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """
    left = batch

    def attempt() -> None:
        nonlocal left
        outcomes = sink.send(left)
        final = [outcome for outcome in outcomes if outcome.kind != "again"]
        settle(final)
        settled = {outcome.lead_id for outcome in final}
        left = Batch(
            left.number,
            left.as_of,
            tuple(message for message in left.messages if message.lead_id not in settled),
        )
        if left.messages:
            raise TryAgainError(_said(outcomes))

    try:
        Retrying(
            stop=_stop(attempts),
            wait=_wait,
            retry=retry_if_exception_type(TryAgainError),
            sleep=time.sleep,
            reraise=True,
        )(attempt)
    except TryAgainError as error:
        return error.said
    return ""


def retry_after(header: str | None) -> float | None:
    """Read a Retry-After header: seconds, or an HTTP date (RFC 9110, section 10.2.3).

    Examples
    --------
    >>> retry_after("7")
    7.0
    """
    if not header:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


def _said(outcomes: Sequence[Outcome]) -> str:
    return next((each.said for each in outcomes if each.kind == "again"), "no answer for all leads")


_backoff = wait_random_exponential(multiplier=1, max=30)


def _asked_wait(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.after_seconds if isinstance(error, TryAgainError) else None


def _wait(state: RetryCallState) -> float:
    asked = _asked_wait(state)
    return _backoff(state) if asked is None else asked + _backoff(state) / 10


def _stop(attempts: int) -> Callable[[RetryCallState], bool]:
    enough = stop_after_attempt(attempts)

    def stop(state: RetryCallState) -> bool:
        return enough(state) or (_asked_wait(state) or 0) > _LONGEST_WAIT

    return stop
