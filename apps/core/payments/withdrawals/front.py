"""Withdrawals on the event loop: a request costs no thread while it waits for its list, the bank and the commit.

Plain requests only (`requests.plain_withdrawal`); any other goes through Django's middleware and the view, which answer
the same. What blocks is not done here: the pipeline has threads of its own, and so have the rate limits.
"""

import asyncio
import contextlib
import io
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import cache
from weakref import WeakKeyDictionary

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from core.body_limits import body_limit_bytes
from core.bridge import Environ
from core.problem_handler import problem_response, to_problem
from core.request_context import context_of, new_context
from etebar_common import logs, metrics, tracing
from payments.answers import Answer
from payments.request_log.writer import record_request
from payments.withdrawals.job import Job
from payments.withdrawals.pipeline import pipeline
from payments.withdrawals.representation import PATH
from payments.withdrawals.requests import command_of, count_request, is_limited, plain_withdrawal
from payments.withdrawals.services import answer_of

__all__ = ["PATH", "withdraw"]

_counting = ThreadPoolExecutor(8, thread_name_prefix="rate-limits")

Sent = tuple[int, list[tuple[str, str]], bytes]


class Waker:
    """Wakes futures of one event loop from other threads; one call wakes all that are ready."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: deque[asyncio.Future[None]] = deque()
        self._lock = threading.Lock()
        self._is_called = False

    def wake(self, future: asyncio.Future[None]) -> None:
        """Ends the future soon; may be called from any thread."""
        with self._lock:
            self._ready.append(future)
            if self._is_called:
                return
            self._is_called = True
        # a loop that is closed has nobody who waits
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake_ready)

    def _wake_ready(self) -> None:
        with self._lock:
            ready, self._ready = self._ready, deque()
            self._is_called = False
        for future in ready:
            _end(future)


_wakers: WeakKeyDictionary[asyncio.AbstractEventLoop, Waker] = WeakKeyDictionary()


def _waker() -> Waker:
    loop = asyncio.get_running_loop()
    if loop not in _wakers:
        _wakers[loop] = Waker(loop)
    return _wakers[loop]


async def withdraw(environ: Environ) -> Sent | None:
    """The answer to POST /api/v1/withdrawals; None when the request is not a plain one, which is then untouched."""
    length = str(environ.get("CONTENT_LENGTH", ""))
    if not length.isdecimal() or int(length) > body_limit_bytes(PATH):
        return None
    request = WSGIRequest(environ)
    logs.request_id.set(new_context(request).request_id)
    amount = plain_withdrawal(request)
    if amount is None:
        body: io.BytesIO = environ["wsgi.input"]
        body.seek(0)
        return None
    traceparent, tracestate = environ.get("HTTP_TRACEPARENT"), environ.get("HTTP_TRACESTATE")
    with metrics.in_progress(), tracing.server_span("POST", traceparent, tracestate) as span:
        sent = await _sent(request, amount)
        if span is not None:
            context = context_of(request)
            span.answered(PATH, sent[0], context.request_id, context.withdrawal_id)
        return _finished(request, sent)


async def _sent(request: HttpRequest, amount: Decimal) -> Sent:
    try:
        if is_limited():
            await asyncio.get_running_loop().run_in_executor(_counting, count_request, request)
        answer = await _answer(request, amount)
    except Exception as error:  # noqa: BLE001 - as a view's errors: nothing leaves in any other shape
        response = problem_response(to_problem(error))
        return response.status_code, list(response.items()), response.content
    return answer.status, list(answer.all_headers().items()), answer.body.encode()


async def _answer(request: HttpRequest, amount: Decimal) -> Answer:
    loop, waker = asyncio.get_running_loop(), _waker()
    done = loop.create_future()
    job = Job(command_of(request, amount), notify=lambda: waker.wake(done))
    # nothing is cancelled at the deadline: what is on its way goes on, and the answer says what is known
    alarm = loop.call_later(job.deadline - time.monotonic(), _end, done)
    pipeline().put([job])
    await done
    alarm.cancel()
    return answer_of(job)


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _finished(request: HttpRequest, sent: Sent) -> Sent:
    """Logged, and with the headers that Django's middleware gives every answer."""
    status, headers, body = sent
    context = context_of(request)
    record_request(request, context, status)
    metrics.request_answered("POST", PATH, status, context.seconds)
    own = [("X-Request-ID", context.request_id), ("Content-Length", str(len(body)))]
    return status, [*headers, *own, *_of_every_answer()], body


@cache
def _of_every_answer() -> tuple[tuple[str, str], ...]:
    response = HttpResponse()
    own = set(response.headers)
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware):
        response = middleware(lambda _: HttpResponse()).process_response(HttpRequest(), response)
    return tuple((name, value) for name, value in response.items() if name not in own)
