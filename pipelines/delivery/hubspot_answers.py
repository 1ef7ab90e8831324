"""HubSpot's answers: what became of each lead of a batch, and in which words it was refused."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .addresses import without_addresses
from .secret import without_secrets
from .sink import Message, Outcome

# Locked, a request too early or too many, and an account that HubSpot moves: later may do.
LATER = frozenset({408, 423, 425, 429, 477})
_LATER_CATEGORIES = ("RATE_LIMIT", "INTERNAL", "TIMEOUT", "UNAVAILABLE", "LOCKED")
_MOST_WORDS = 300


def read_body(body: str | bytes | None) -> dict[str, Any]:
    """Read an answer as JSON; what is none (a proxy's page) becomes a message."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
    try:
        told = json.loads(text)
    except ValueError:
        return {"message": text}
    return told if isinstance(told, dict) else {"message": text}


def words_of(error: Mapping[str, Any], *secrets: str) -> str:
    """Return what HubSpot says of an error, without addresses and secrets.

    Every part of it is optional, as HubSpot's guide to errors has it.
    """
    details = [each.get("message") for each in error.get("errors") or () if isinstance(each, dict)]
    said = dict.fromkeys(filter(None, [error.get("category"), error.get("message"), *details]))
    return without_addresses(without_secrets(": ".join(map(str, said)), *secrets))[:_MOST_WORDS]


def sort_answer(
    messages: Sequence[Message],
    sent_as: Mapping[str, str],
    answer: Mapping[str, Any],
    *secrets: str,
) -> list[Outcome]:
    """Say of each message of a half-failed batch what became of it.

    HubSpot names a lead by the trace id that was sent with it, or by the id it was sent as. Of
    whom it says nothing is sent again: writing the same twice does no harm.

    Parameters
    ----------
    messages : sequence of Message
    sent_as : mapping of str to str
        The id that each lead was sent as, by lead.
    answer : mapping
        With ``results`` and ``errors`` (207, multi-status).
    *secrets : str
        Not to be told.
    """
    lead_of = {message.key: message.lead_id for message in messages}
    lead_of |= {sent_as[message.lead_id].lower(): message.lead_id for message in messages}
    told: dict[str, Outcome] = {}
    nameless: list[tuple[bool, str]] = []
    for error in answer.get("errors") or ():
        kind, said = _is_passing(error), words_of(error, *secrets)
        about = {lead_of[name] for name in _names_in(error) if name in lead_of}
        told |= {lead: _failed(lead, passing=kind, said=said) for lead in about}
        if not about:
            nameless.append((kind, said))
    for result in answer.get("results") or ():
        for name in _names_in(result):
            if name in lead_of:
                told.setdefault(lead_of[name], Outcome(lead_of[name], "delivered"))
    rest = [message.lead_id for message in messages if message.lead_id not in told]
    # As many errors without a name as leads without an answer: they are theirs.
    passing = len(nameless) != len(rest) or any(later for later, _ in nameless)
    said = nameless[0][1] if nameless else "HubSpot did not say what became of it"
    told |= {lead: _failed(lead, passing=passing, said=said) for lead in rest}
    return [told[message.lead_id] for message in messages]


def _failed(lead: str, *, passing: bool, said: str) -> Outcome:
    return Outcome(lead, "again" if passing else "refused", said)


def _is_passing(error: Mapping[str, Any]) -> bool:
    status = str(error.get("status") or "")
    if status.isdigit() and (int(status) in LATER or int(status) >= 500):
        return True
    return any(word in str(error.get("category") or "").upper() for word in _LATER_CATEGORIES)


def _names_in(told: Mapping[str, Any]) -> Iterable[str]:
    """Return every id in a result or an error that may be of one that was sent."""
    yield from (str(told[name]).lower() for name in ("objectWriteTraceId", "id") if told.get(name))
    for values in (told.get("context") or {}).values():
        yield from (
            str(value).lower() for value in (values if isinstance(values, list) else [values])
        )
    yield from (str(value).lower() for value in (told.get("properties") or {}).values() if value)
