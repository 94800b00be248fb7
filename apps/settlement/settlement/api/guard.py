"""What is asked of every request before FastAPI reads it: a token, a media type, a body of bearable size."""

import asyncio
import hmac
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from etebar_common.problems import (
    BodyTooLarge,
    InternalTokenMissing,
    InternalTokenWrong,
    MalformedRequest,
    RequestTooSlow,
    UnsupportedMediaType,
    ValidationFailed,
)
from settlement import metrics
from settlement.settings import Settings

TOKEN_HEADER = "X-Internal-Token"  # noqa: S105 - the header's name
MAXIMUM_BODY_BYTES = 1024 * 1024
# core sends whole bodies at once
BODY_DEADLINE_SECONDS = 10.0

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that checks the token first, so that a stranger's body is not even read."""

    maximum_body_bytes = MAXIMUM_BODY_BYTES

    def get_route_handler(self) -> Handler:
        handle = self.unguarded()
        has_body = self.body_field is not None

        async def guarded(request: Request) -> Response:
            authenticate(request)
            if has_body:
                require_json(request)
                request = await buffered(request, self.maximum_body_bytes)
            return await handle(request)

        return guarded

    def unguarded(self) -> Handler:
        """What handles a request that was let in, with its body read."""
        return super().get_route_handler()


def authenticate(request: Request) -> None:
    """Raises unless the X-Internal-Token is one of the two valid ones, always comparing with both."""
    settings: Settings = request.app.state.settings
    presented = request.headers.get(TOKEN_HEADER, "").encode("latin-1")
    if not presented:
        metrics.TOKEN_REJECTIONS.labels("missing").inc()
        raise InternalTokenMissing
    current = settings.internal_token
    valid = (current, settings.internal_token_next or current)
    matches = [hmac.compare_digest(presented, token.get_secret_value().encode()) for token in valid]
    if not any(matches):
        metrics.TOKEN_REJECTIONS.labels("wrong").inc()
        raise InternalTokenWrong


def require_json(request: Request) -> None:
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("Content-Type must be application/json")


def refuse_repeated_parameters(request: Request) -> None:
    """Raises for a query parameter that comes more than once: which of its values counts would be a guess."""
    counts = Counter(name for name, _ in request.query_params.multi_items())
    errors = [{"field": name, "detail": "is given more than once"} for name, count in counts.items() if count > 1]
    if errors:
        raise ValidationFailed(extensions={"errors": errors})


async def buffered(request: Request, maximum_bytes: int) -> Request:
    """The request with its body read.

    BodyTooLarge as soon as it is known to be, by its header or by counting; RequestTooSlow.
    """
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > maximum_bytes:
        raise BodyTooLarge(f"at most {maximum_bytes} bytes are read")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > maximum_bytes:
                    raise BodyTooLarge(f"at most {maximum_bytes} bytes are read")
    except TimeoutError:
        raise RequestTooSlow(f"the body did not come within {BODY_DEADLINE_SECONDS:g} s") from None
    if not body:
        raise MalformedRequest("the body is empty")

    async def replay() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return Request(request.scope, replay)
