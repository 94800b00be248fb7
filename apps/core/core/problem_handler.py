"""The one place where errors become HTTP answers in core (RFC 9457)."""

import json
import logging
import sys
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import is_valid_path
from django.utils.translation import gettext
from django.views import csrf
from rest_framework import exceptions as drf
from rest_framework.views import set_rollback
from rest_framework_simplejwt import exceptions as jwt

from core.request_context import context_of
from etebar_common import problems
from etebar_common.problems import MEDIA_TYPE, Problem

logger = logging.getLogger(__name__)

ADMIN_PREFIX = "/admin/"


def render_body(problem: Problem) -> str:
    """The bytes of a problem as text; stored by refusals, so it must not vary between calls."""
    return json.dumps(problem.body(), ensure_ascii=False, separators=(",", ":"))


def problem_response(problem: Problem) -> HttpResponse:
    """The HTTP answer of a problem."""
    headers = dict(problem.headers)
    if problem.status == problems.NotAuthenticated.status:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="etebar"')
    return HttpResponse(render_body(problem), content_type=MEDIA_TYPE, status=problem.status, headers=headers)


def field_errors(detail: Any, prefix: str = "") -> list[dict[str, str]]:
    """DRF's nested error detail as a flat list of `{"field", "detail"}`."""
    if isinstance(detail, dict):
        return [
            item
            for name, inner in detail.items()
            for item in field_errors(inner, f"{prefix}.{name}".lstrip(".") if name != "non_field_errors" else prefix)
        ]
    if isinstance(detail, list):
        return [item for inner in detail for item in field_errors(inner, prefix)]
    return [{"field": prefix or "body", "detail": str(detail)}]


def to_problem(error: BaseException) -> Problem:  # noqa: C901, PLR0911, PLR0912 - a table: one line per kind of error
    """The registered problem that an exception stands for."""
    match error:
        case Problem():
            return error
        case drf.ValidationError():
            errors = field_errors(error.detail)
            named = ", ".join(sorted({item["field"] for item in errors}))
            return problems.ValidationFailed(f"not right: {named}", extensions={"errors": errors})
        case drf.ParseError():
            return problems.MalformedRequest(str(error.detail))
        case drf.NotAuthenticated():
            return problems.NotAuthenticated("expected an Authorization: Bearer header")
        case jwt.InvalidToken() | jwt.TokenError():
            return problems.TokenInvalid()
        case drf.AuthenticationFailed():
            return problems.CredentialsInvalid()
        case drf.PermissionDenied() | DjangoPermissionDenied():
            return problems.PermissionDenied()
        case drf.NotFound() | Http404():
            return problems.NotFound()
        case drf.MethodNotAllowed():
            return problems.MethodNotAllowed(str(error.detail))
        case drf.NotAcceptable():
            return problems.NotAcceptable()
        case drf.UnsupportedMediaType():
            return problems.UnsupportedMediaType(str(error.detail))
        case OperationalError() | InterfaceError():
            logger.error("database unavailable: %s", str(error).strip())
            return problems.DatabaseUnavailable(headers={"Retry-After": "2"})
        case _:
            logger.error("unhandled error", exc_info=error)
            return problems.InternalError()


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's EXCEPTION_HANDLER: nothing leaves a view in any other shape."""
    problem = to_problem(error)
    set_rollback()
    view = context.get("view")
    if isinstance(problem, problems.MethodNotAllowed) and view is not None:
        problem.headers["Allow"] = ", ".join(view.allowed_methods)
    return problem_response(problem)


def problem_page(request: HttpRequest, problem: Problem, advice: str = "") -> HttpResponse:
    """The same for a person with a browser, in their language; asks the database nothing, which may be what is away."""
    context = {"title": gettext(problem.title), "advice": advice, "request_id": context_of(request).request_id}
    page = render_to_string("console/problem.html", context)
    return HttpResponse(page, status=problem.status, headers=problem.headers)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's handler404
    return _answer(request, problems.NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, called while the error is being handled."""
    error = sys.exception()
    if isinstance(error, OperationalError | InterfaceError):
        return _answer(request, to_problem(error))
    return _answer(request, problems.InternalError())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's handler400
    return _answer(request, problems.MalformedRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - handler403
    return _answer(request, problems.PermissionDenied())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: the admin's people get Django's page, a program gets a problem."""
    if request.path.startswith(ADMIN_PREFIX):
        return csrf.csrf_failure(request, reason)
    return problem_response(problems.PermissionDenied(reason))


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The admin's people get a page, a program gets a problem, as everybody where there is no admin."""
    is_for_people = request.path.startswith(ADMIN_PREFIX) and is_valid_path(ADMIN_PREFIX)
    return problem_page(request, problem) if is_for_people else problem_response(problem)
