"""A session with Salesforce: paced, never waiting for ever, and its errors sorted in one place."""

from typing import Any

import requests

from leadlight.features.errors import DeliveryError

from .addresses import without_addresses
from .patience import NEXT_RUN, Pace, retry_after
from .secret import without_secrets
from .sink import TryAgainError

_MOST_WORDS = 300


class ExpiredError(TryAgainError):
    """Salesforce has forgotten who we are; whoever logs in again may go on."""


class SalesforceSession(requests.Session):
    """Requests to Salesforce.

    Parameters
    ----------
    sink : str
        Named in errors.
    per_second : float or None
        Requests at most.
    timeout_seconds : float
        How long to wait for an answer.
    *secrets : str
        Not to be told.

    Attributes
    ----------
    secrets : list of str
        The same; whoever logs in adds the token.
    """

    def __init__(
        self, sink: str, per_second: float | None, timeout_seconds: float, *secrets: str
    ) -> None:
        super().__init__()
        self._sink = sink
        self._pace = Pace(per_second)
        self._timeout = timeout_seconds
        self.secrets = list(secrets)

    def request(self, method: Any, url: Any, *what: Any, **options: Any) -> requests.Response:
        """Send one request.

        Raises
        ------
        TryAgainError
            No answer, or one that may be another later.
        ExpiredError
            The token is no longer taken.
        DeliveryError
            Salesforce will not have the request, now or later.
        """
        self._pace.wait()
        try:
            answer = super().request(method, url, *what, **{"timeout": self._timeout, **options})
        except requests.RequestException as error:
            raise TryAgainError(without_secrets(str(error), *self.secrets)) from None
        if answer.status_code >= 300:
            raise self._meaning_of(answer)
        return answer

    def _meaning_of(self, answer: requests.Response) -> Exception:
        code, said = self._words(answer)
        status = answer.status_code
        if "LIMIT_EXCEEDED" in code:
            return TryAgainError(said, NEXT_RUN)
        if status in {408, 429} or status >= 500:
            return TryAgainError(said, retry_after(answer.headers.get("Retry-After")))
        if code == "INVALID_SESSION_ID":
            return ExpiredError(said)
        return DeliveryError(
            f"sink '{self._sink}': Salesforce does not take our requests: {said}",
            hint="Check client id and secret, the client credentials flow of the app, and that its "
            "user may use the API and edit the object.",
        )

    def _words(self, answer: requests.Response) -> tuple[str, str]:
        """Return Salesforce's code of an error, and all that it says."""
        try:
            told = answer.json()
        except ValueError:
            told = {"message": answer.text}
        first = told[0] if isinstance(told, list) and told else told
        first = first if isinstance(first, dict) else {"message": str(first)}
        code = str(first.get("errorCode") or first.get("error") or "")
        message = str(first.get("message") or first.get("error_description") or "")
        said = f"HTTP {answer.status_code} {code} {message}"
        return code, without_addresses(without_secrets(said, *self.secrets))[:_MOST_WORDS]
