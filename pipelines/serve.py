"""The scoring service: one lead over HTTP, while somebody waits."""

import asyncio
import hmac
import ipaddress
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from leadlight.features.errors import ConfigError, LeadlightError, MissingExtraError

from .config import Config
from .live import LiveScores, News

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

TOKEN = "LEADLIGHT_TOKEN"  # noqa: S105 - the name of a variable, not its value
_REFRESH_SECONDS = 30
_LARGEST_BODY = 4_000_000
_LEAST_TOKEN = 16

Row = dict[str, str | int | float | bool | None]


class Sent(BaseModel):
    """What a caller sends of a lead."""

    model_config = ConfigDict(extra="forbid")

    lead: Annotated[Row, Field(description="lead_id, and whatever is new of the lead")]
    account: Annotated[Row, Field(description="What is new of its account")] = {}
    events: Annotated[list[Row], Field(description="Events since the last night")] = []
    as_of: Annotated[
        AwareDatetime | None, Field(description="As of when; default: now", examples=["2026-01-31"])
    ] = None


def serve(config: Config, *, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Answer ``POST /score`` until interrupted.

    Parameters
    ----------
    config : Config
    host : str
        Beyond loopback, callers must send the token that the environment variable
        ``LEADLIGHT_TOKEN`` holds: ``Authorization: Bearer ...``.
    port : int

    Raises
    ------
    ConfigError
        Exposed without a token, or with one that can be guessed.
    MissingExtraError
        The extra ``serve`` is not installed.
    ModelNotFoundError
        Nothing was trained yet.
    """
    token = token_for(host, os.environ)
    try:
        import uvicorn  # noqa: PLC0415
    except ImportError as error:
        raise _missing_extra() from error
    with LiveScores(config) as scores:
        uvicorn.run(application(scores, token), host=host, port=port, log_level="warning")


def token_for(host: str, environ: Mapping[str, str]) -> str | None:
    """Return the token that callers must send; None on loopback without one.

    Raises
    ------
    ConfigError
        Exposed without a token, or with one that can be guessed.
    """
    token = environ.get(TOKEN) or None
    if token is None and not _is_loopback(host):
        raise ConfigError(
            f"--host {host} can be reached from outside, and {TOKEN} is not set",
            hint=f"Set {TOKEN} to a secret of at least {_LEAST_TOKEN} characters; callers send it "
            "as `Authorization: Bearer ...`.",
        )
    if token is not None and len(token) < _LEAST_TOKEN:
        raise ConfigError(
            f"{TOKEN} has fewer than {_LEAST_TOKEN} characters",
            hint="python -c 'import secrets; print(secrets.token_urlsafe())' makes one.",
        )
    return token


def application(scores: LiveScores, token: str | None) -> "FastAPI":
    """Return the service as an ASGI application.

    Parameters
    ----------
    scores : LiveScores
        Closed by whoever opened it.
    token : str or None
        That callers must send; None: nobody is asked.

    Raises
    ------
    MissingExtraError
        The extra ``serve`` is not installed.
    """
    try:
        from fastapi import FastAPI  # noqa: PLC0415
    except ImportError as error:
        raise _missing_extra() from error
    # The interactive pages would load scripts from elsewhere.
    app = FastAPI(title="leadlight", docs_url=None, redoc_url=None, lifespan=_refreshing(scores))
    app.middleware("http")(_guard(token))
    app.exception_handler(LeadlightError)(_refuse)

    @app.post("/score")
    def score(sent: Sent) -> dict[str, Any]:
        """Score one lead: probability, grade, MQL, percentiles and reasons."""
        news = News(sent.lead, sent.account, sent.events)
        moment = (sent.as_of or datetime.now(UTC)).astimezone(UTC)
        return {name: _plain(value) for name, value in scores.score(news, moment).items()}

    @app.get("/health")
    def health() -> dict[str, Any]:
        """Say that the service is up, and which decision version scores."""
        return {"status": "ok", "decision_version": scores.version}

    return app


def _refreshing(
    scores: LiveScores,
) -> "Callable[[FastAPI], AbstractAsyncContextManager[None]]":
    """Take up new champions and tables while the service runs."""

    async def forever() -> None:
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            # A run of the door in the middle of its work is read at the next look.
            with suppress(LeadlightError, OSError):
                await asyncio.to_thread(scores.refresh)

    @asynccontextmanager
    async def lifespan(_: "FastAPI") -> AsyncIterator[None]:
        task = asyncio.create_task(forever())
        yield
        task.cancel()

    return lifespan


def _guard(
    token: str | None,
) -> "Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]":
    """Turn away callers without the token, and bodies that no lead needs."""
    from fastapi.responses import JSONResponse  # noqa: PLC0415

    async def guard(
        request: "Request", go_on: "Callable[[Request], Awaitable[Response]]"
    ) -> "Response":
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token is not None and not hmac.compare_digest(given.encode(), token.encode()):
            return JSONResponse({"error": "the token is missing or wrong"}, 401)
        length = request.headers.get("content-length")
        if request.method == "POST" and (length is None or not length.isdigit()):
            return JSONResponse({"error": "say the body's length (Content-Length)"}, 411)
        if length is not None and int(length) > _LARGEST_BODY:
            return JSONResponse({"error": f"the body is over {_LARGEST_BODY:,} bytes"}, 413)
        return await go_on(request)

    return guard


def _refuse(_: "Request", error: Exception) -> "Response":
    from fastapi.responses import JSONResponse  # noqa: PLC0415

    hint = error.hint if isinstance(error, LeadlightError) else None
    message = error.message if isinstance(error, LeadlightError) else "refused"
    return JSONResponse({"error": message, "hint": hint}, 422)


def _plain(value: Any) -> Any:
    """Turn a number that is none into null, as JSON has it."""
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and number != number else number  # noqa: PLR0124


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _missing_extra() -> MissingExtraError:
    return MissingExtraError(
        "`leadlight serve` needs the extra 'serve'", hint="pip install 'leadlight[serve]'"
    )
