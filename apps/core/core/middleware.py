"""What every request gets: an id, a size limit, and a line in the request log."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse
from django.middleware import csrf, locale
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin

from core.body_limits import body_limit_bytes
from core.problem_handler import problem_response
from core.request_context import RequestContext, new_context
from etebar_common import logs, metrics, tracing
from etebar_common.problems import BodyTooLarge, MalformedRequest, Problem
from payments.request_log.writer import record_request

API_PREFIXES = ("/api/", "/internal/")
PROBES = frozenset({"/healthz", "/readyz"})


class RequestContextMiddleware:
    """Outermost: whatever happens inside, the answer carries X-Request-ID and API requests are logged and traced."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        context = new_context(request)
        token = logs.request_id.set(context.request_id)
        try:
            with metrics.in_progress():
                response = self._traced(request, context) if tracing.is_on() else self._answer(request, context)
        finally:
            logs.request_id.reset(token)
        response["X-Request-ID"] = context.request_id
        if request.path.startswith(API_PREFIXES):
            record_request(request, context, response.status_code)
        return response

    def _answer(self, request: HttpRequest, context: RequestContext) -> HttpResponse:
        response = self._refuse_body(request) or self._get_response(request)
        if request.path not in PROBES:
            metrics.request_answered(request.method or "", _route(request), response.status_code, context.seconds)
        return response

    def _traced(self, request: HttpRequest, context: RequestContext) -> HttpResponse:
        """The answer, within a span of the request if it is one to the API: not of probes and the admin's pages."""
        if not request.path.startswith(API_PREFIXES):
            return self._answer(request, context)
        meta = request.META
        method = request.method or ""
        with tracing.server_span(method, meta.get("HTTP_TRACEPARENT"), meta.get("HTTP_TRACESTATE")) as span:
            response = self._answer(request, context)
            if span is not None:
                span.answered(_route(request), response.status_code, context.request_id, context.withdrawal_id)
            return response

    @staticmethod
    def _refuse_body(request: HttpRequest) -> HttpResponse | None:
        problem = _body_problem(request) if request.path.startswith(API_PREFIXES) else None
        return problem_response(problem) if problem else None


class _OutsideApi(MiddlewareMixin):
    """Of what only people with a browser need; the API has neither sessions nor forms."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path.startswith(API_PREFIXES):
            return self.get_response(request)
        return super().__call__(request)


class AuthenticationMiddleware(_OutsideApi, auth.AuthenticationMiddleware):
    """Django's, outside the API."""


class LocaleMiddleware(_OutsideApi, locale.LocaleMiddleware):
    """Django's, outside the API, whose words are part of its contract."""

    def __call__(self, request: HttpRequest) -> Any:
        try:
            return super().__call__(request)
        finally:
            # the thread's next request may be one to the API, which asks for no language
            translation.deactivate()


class MessageMiddleware(_OutsideApi, messages.MessageMiddleware):
    """Django's, outside the API."""


class SessionMiddleware(_OutsideApi, sessions.SessionMiddleware):
    """Django's, outside the API."""


class CsrfViewMiddleware(_OutsideApi, csrf.CsrfViewMiddleware):
    """Django's, outside the API."""


def _route(request: HttpRequest) -> str:
    """The template of the request's address; a name that callers choose is in no label and no span."""
    return f"/{request.resolver_match.route}" if request.resolver_match else metrics.UNMATCHED


def _body_problem(request: HttpRequest) -> Problem | None:
    length = request.META.get("CONTENT_LENGTH")
    # Django reads as many bytes as Content-Length says: without it a body would count as empty
    if not length and "Transfer-Encoding" in request.headers:
        return MalformedRequest("send a Content-Length; chunked bodies are not read")
    length, limit = length or "0", body_limit_bytes(request.path)
    if length.isdecimal() and int(length) > limit:
        return BodyTooLarge(f"the body has {length} bytes; at most {limit} are taken")
    return None
