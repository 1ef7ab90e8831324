"""Secrets: read from the environment, and kept out of every text."""

import os
from urllib.parse import quote, unquote, urlsplit

from leadlight.features.errors import DeliveryError, did_you_mean

_LEAST = 4


def secret_of(variable: str, *, sink: str) -> str:
    """Return the secret that an environment variable holds.

    Raises
    ------
    DeliveryError
        It is not set.
    """
    found = os.environ.get(variable)
    if not found:
        raise DeliveryError(
            f"sink '{sink}': the environment variable {variable} is not set."
            + did_you_mean(variable, os.environ),
            hint=f"Set it (export {variable}=...) for the process that delivers.",
        )
    return found


def without_secrets(text: str, *secrets: str) -> str:
    """Return a text, on one line, with every secret in it blotted out.

    Examples
    --------
    >>> without_secrets("no such token: abcdef", "abcdef")
    'no such token: ***'
    """
    for secret in sorted({form for each in secrets for form in _forms(each)}, key=len)[::-1]:
        text = text.replace(secret, "***")
    return " ".join(text.split())


def _forms(secret: str) -> set[str]:
    """Return a secret as it may turn up: plain, quoted, or a URL's password alone."""
    forms = {secret, quote(secret, safe="")}
    if "://" in secret:
        password = urlsplit(secret).password
        forms |= {password, unquote(password)} if password else set()
    return {form for form in forms if len(form) >= _LEAST}
