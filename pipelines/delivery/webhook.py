"""A webhook as a sink: one signed request for each change (Standard Webhooks)."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import urllib3

from leadlight.features.errors import DeliveryError
from leadlight.pipelines.config_delivery import WebhookSinkSettings

from .patience import Pace, retry_after
from .secret import secret_of, without_secrets
from .sink import Batch, Message, Outcome, TryAgainError, named

_PREFIX = "whsec_"
# Too early, too many, and a request that took too long: the same one may pass later.
_LATER = {408, 409, 425, 429}
_NOT_US = {401, 403, 404, 405, 410}
_MOST_WORDS = 300


class WebhookSink:
    """Posts each change as JSON, signed, with the change's key as its id.

    A receiver that remembers ids (``webhook-id``, and the same as ``Idempotency-Key``) takes each
    change once, however often it is sent.

    Parameters
    ----------
    settings : WebhookSinkSettings
    names : mapping of str to str
        What each field is called in the request.

    References
    ----------
    Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec
    """

    batch_size = 50

    def __init__(self, settings: WebhookSinkSettings, names: Mapping[str, str]) -> None:
        self._settings = settings
        self._names = names
        self._secret = secret_of(settings.secret, sink=settings.name)
        self._key = _signing_key(self._secret, settings.name)
        self._pace = Pace(settings.per_second)
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(settings.timeout_seconds), retries=False
        )

    def send(self, batch: Batch) -> Sequence[Outcome]:
        """Send one request after the other; the first that has to wait ends the attempt."""
        outcomes: list[Outcome] = []
        for message in batch.messages:
            try:
                outcomes.append(self._post(message))
            except TryAgainError:
                if not outcomes:
                    raise
                return outcomes
        return outcomes

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def _post(self, message: Message) -> Outcome:
        body = self._body(message)
        self._pace.wait()
        try:
            answer = self._http.request(
                "POST", self._settings.url, body=body, headers=self._headers(message.key, body)
            )
        except urllib3.exceptions.HTTPError as error:
            raise TryAgainError(without_secrets(str(error), self._secret)) from None
        said = self._words(answer)
        if answer.status < 300:
            return Outcome(message.lead_id, "delivered")
        if answer.status in _LATER or answer.status >= 500:
            raise TryAgainError(said, retry_after(answer.headers.get("Retry-After")))
        if answer.status in _NOT_US or answer.status < 400:
            raise DeliveryError(
                f"sink '{self._settings.name}': the receiver does not take our requests: {said}",
                hint="Check the address, the signing secret and this machine's clock.",
            )
        return Outcome(message.lead_id, "refused", said)

    def _body(self, message: Message) -> bytes:
        as_of = message.values["as_of"]
        told: dict[str, Any] = {
            "type": "lead.scored",
            "timestamp": as_of.isoformat() if as_of else None,
            "data": named(message.values, self._names),
        }
        return json.dumps(told, ensure_ascii=False, default=lambda at: at.isoformat()).encode()

    def _headers(self, key: str, body: bytes) -> dict[str, str]:
        now = int(time.time())
        return {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "webhook-id": key,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(self._key, key, now, body),
        }

    def _words(self, answer: urllib3.BaseHTTPResponse) -> str:
        text = answer.data.decode("utf-8", "replace")[:_MOST_WORDS]
        return without_secrets(f"HTTP {answer.status} {answer.reason or ''} {text}", self._secret)


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign a request: ``v1,`` and the HMAC-SHA256 of id, time and body in base64.

    Parameters
    ----------
    key : bytes
    message_id : str
    timestamp : int
        Seconds since 1970.
    body : bytes

    Examples
    --------
    >>> signature(base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ...           "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _signing_key(secret: str, sink: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise DeliveryError(
            f"sink '{sink}': the signing secret is not in base64",
            hint="It looks like whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.",
        ) from None
