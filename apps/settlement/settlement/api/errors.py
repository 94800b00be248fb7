"""The one place where errors become answers: every exception is mapped to a registered problem."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from etebar_common.problems import (
    MEDIA_TYPE,
    DatabaseUnavailable,
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
    ValidationFailed,
)
from settlement.database import DATABASE_AWAY, is_away

RETRY_AFTER = {"Retry-After": "1"}


def to_problem(error: Exception) -> Problem:
    """The problem that an exception is."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            return _http(error)
        case _ if is_away(error):
            return DatabaseUnavailable(headers=RETRY_AFTER)
        case _:
            return InternalError()


def answer(problem: Problem) -> Response:
    # ASCII: a field name of the caller's may hold a lone surrogate, which UTF-8 cannot.
    body = json.dumps(problem.body(), ensure_ascii=True)
    return Response(body, status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


async def _respond(_request: Request, error: Exception) -> Response:
    return answer(to_problem(error))


def install(app: FastAPI) -> None:
    """Has every exception that handlers see answered by `to_problem`; the middleware does it for all others."""
    for kind in (Problem, RequestValidationError, HTTPException, *DATABASE_AWAY):
        app.add_exception_handler(kind, _respond)


def _http(error: HTTPException) -> Problem:
    """What the framework itself raises: unknown routes, wrong methods, bodies that it could not parse."""
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return NotFound(headers=headers)
        case 405:
            return MethodNotAllowed(headers=headers)
        case 400:
            return MalformedRequest("the body is not JSON in UTF-8")
        case _:
            return InternalError()


def _invalid(error: RequestValidationError) -> Problem:
    errors = error.errors()
    if any(item["type"] == "json_invalid" for item in errors):
        return MalformedRequest("the body is not JSON")
    return ValidationFailed(extensions={"errors": [_field_error(item) for item in errors]})


def _field_error(item: Mapping[str, Any]) -> dict[str, str]:
    return {"field": ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]), "detail": _detail(item)}


def _detail(item: Mapping[str, Any]) -> str:
    match item["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is not a field of this request"
        case "model_attributes_type" | "dict_type":
            return "must be a JSON object"
        case "value_error":
            return str(item["ctx"]["error"])
        case _:
            return str(item["msg"])
