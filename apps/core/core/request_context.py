"""What is known of the request at hand beside Django's own attributes."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpRequest
from rest_framework.request import Request
from uuid_utils.compat import uuid7

from etebar_common.headers import parse_idempotency_key, parse_request_id
from etebar_common.problems import IdempotencyKeyInvalid

if TYPE_CHECKING:
    from payments.tokens.caller import TokenUser


@dataclass(slots=True)
class RequestContext:
    """`log_id` is the request's row in ApiRequestLog; `log_is_complete` when the money transaction wrote it whole.

    `idempotency_key` is None without a key and when the header is none.
    """

    log_id: UUID
    request_id: str
    started: float
    user: "TokenUser | None" = None
    idempotency_key: str | None = None
    withdrawal_id: UUID | None = None
    log_is_complete: bool = False

    @property
    def seconds(self) -> float:
        """Since the request came in."""
        return time.monotonic() - self.started

    @property
    def duration_ms(self) -> int:
        """The same in whole milliseconds."""
        return int(self.seconds * 1000)


def new_context(request: HttpRequest) -> RequestContext:
    """The context of a request that has just come; `context_of` gives it back."""
    log_id = uuid7()
    context = RequestContext(
        log_id=log_id,
        request_id=parse_request_id(request.META.get("HTTP_X_REQUEST_ID")) or log_id.hex,
        started=time.monotonic(),
        idempotency_key=_readable_key(request),
    )
    request.etebar = context  # type: ignore[attr-defined]
    return context


def _readable_key(request: HttpRequest) -> str | None:
    """The request's key for the log, also of a request that is refused before anyone asks for its key."""
    try:
        return parse_idempotency_key(request.META["HTTP_IDEMPOTENCY_KEY"])
    except (KeyError, IdempotencyKeyInvalid):
        return None


def context_of(request: HttpRequest | Request) -> RequestContext:
    """The context that `new_context` made."""
    inner = request._request if isinstance(request, Request) else request  # noqa: SLF001 - DRF gives no other way
    context: RequestContext = inner.etebar  # type: ignore[attr-defined]
    return context
