"""Around every request: its id, its line in the logs, and a problem for whatever nobody else answered."""

import logging
import re
import time
from datetime import UTC, datetime
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etebar_common import logs, metrics, tracing
from etebar_common.headers import parse_request_id
from etebar_common.problems import InternalError
from settlement.api.errors import answer, to_problem
from settlement.request_log import LoggedRequest, RequestLog

logger = logging.getLogger("settlement.requests")

PROBES = frozenset({"/healthz", "/readyz"})
MAXIMUM_PATH_LENGTH = 300
MAXIMUM_ADDRESS_LENGTH = 64
_UNPRINTABLE = re.compile(r"[^ -~]", re.ASCII)


class RequestMiddleware:
    def __init__(self, app: ASGIApp, request_log: RequestLog) -> None:
        self._app = app
        self._request_log = request_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, send)
        if not tracing.is_on() or exchange.path in PROBES:
            await self._answer(exchange, scope, receive)
            return
        traceparent, tracestate = exchange.headers.get("traceparent"), exchange.headers.get("tracestate")
        with tracing.server_span(exchange.method, traceparent, tracestate) as span:
            await self._answer(exchange, scope, receive)
            if span is not None:
                span.answered(exchange.route, exchange.status, exchange.request_id, exchange.logged().withdrawal_id)

    async def _answer(self, exchange: "Exchange", scope: Scope, receive: Receive) -> None:
        token = logs.request_id.set(exchange.request_id)
        try:
            with metrics.in_progress():
                await self._app(scope, receive, exchange.send)
        except Exception as error:
            if exchange.status:
                # its beginning is out, its end never will be
                exchange.status = InternalError.status
                raise
            problem = to_problem(error)
            logger.exception("%s %s ended in %s", exchange.method, exchange.path, problem.code)
            await answer(problem)(scope, receive, exchange.send)
        finally:
            self._log(exchange)
            logs.request_id.reset(token)

    def _log(self, exchange: "Exchange") -> None:
        entry = exchange.logged()
        is_probe = entry.path in PROBES
        logger.log(
            logging.DEBUG if is_probe else logging.INFO,
            "request",
            extra={
                "method": entry.method,
                "path": entry.path,
                "status": entry.status,
                "duration_ms": entry.duration_ms,
                "remote_address": entry.remote_address,
                "withdrawal_id": str(entry.withdrawal_id) if entry.withdrawal_id else None,
                "withdrawal_count": entry.withdrawal_count,
            },
        )
        if not is_probe:
            self._request_log.add(entry)
            metrics.request_answered(entry.method, exchange.route, entry.status, entry.duration_ms / 1000)


class Exchange:
    """One request and its answer, as far as the logs tell of them."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._started = time.perf_counter()
        self.at = datetime.now(UTC)
        self.headers = Headers(scope=scope)
        self.request_id = parse_request_id(self.headers.get("X-Request-ID")) or uuid4().hex
        self.method = _printable(scope["method"])[:20]
        self.path = _printable(scope["path"])[:MAXIMUM_PATH_LENGTH]
        self.status = 0

    @property
    def route(self) -> str:
        """The template of the address, once it is known; a name that callers choose is in no label and no span."""
        return getattr(self._scope.get("route"), "path", metrics.UNMATCHED)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-ID"] = self.request_id
        await self._send(message)

    def logged(self) -> LoggedRequest:
        # The routes leave these in the request's state; a request that was refused before has none.
        state = self._scope.get("state", {})
        client = self._scope.get("client")
        return LoggedRequest(
            at=self.at,
            method=self.method,
            path=self.path,
            status=self.status,
            request_id=self.request_id,
            duration_ms=round((time.perf_counter() - self._started) * 1000, 3),
            remote_address=_printable(client[0])[:MAXIMUM_ADDRESS_LENGTH] if client else None,
            withdrawal_id=state.get("withdrawal_id"),
            withdrawal_count=state.get("withdrawal_count", 0),
        )


def _printable(text: str) -> str:
    """PostgreSQL takes no NUL and a log line no control character."""
    return _UNPRINTABLE.sub("?", text)
