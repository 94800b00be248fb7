"""What is known of the request at hand beside Django's own attributes."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpRequest
from rest_framework.request import Request

if TYPE_CHECKING:
    from payments.tokens.authentication import TokenUser


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
    def duration_ms(self) -> int:
        """Milliseconds since the request came in."""
        return int((time.monotonic() - self.started) * 1000)


def context_of(request: HttpRequest | Request) -> RequestContext:
    """The context that RequestContextMiddleware made."""
    inner = request._request if isinstance(request, Request) else request  # noqa: SLF001 - DRF gives no other way
    context: RequestContext = inner.etebar  # type: ignore[attr-defined]
    return context
