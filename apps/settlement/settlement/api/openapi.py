"""FastAPI's document, made true: what every answer really looks like."""

from collections import defaultdict
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from etebar_common.openapi_examples import add_examples, problem_response
from etebar_common.problems import MEDIA_TYPE, Problem

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; docs/errors.md explains each.",
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                "additionalProperties": False,
            },
        },
        "differs": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": False,
}

LINES_SCHEMA: dict[str, Any] = {
    "type": "string",
    "description": "A line of JSON for each different member, a BatchResult, in the order in which they become known; "
    "by the deadline the others, as pending. A member without a line is not known: the answer broke off.",
}


def problem_responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """A route's `responses` for the problems that it may answer with."""
    by_status: dict[int, list[type[Problem]]] = defaultdict(list)
    for problem in problems:
        by_status[problem.status].append(problem)
    return {status: problem_response(same) for status, same in sorted(by_status.items())}


def install(app: FastAPI) -> None:
    """Has the app serve the cleaned document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _cleaned(
                get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the way that FastAPI documents


def _cleaned(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    schemas["Problem"] = PROBLEM_SCHEMA
    for never_sent in ("HTTPValidationError", "ValidationError"):
        schemas.pop(never_sent, None)
    for methods in document["paths"].values():
        for operation in methods.values():
            _drop_foreign_errors(operation["responses"])
    return add_examples(document)


def _drop_foreign_errors(responses: dict[str, Any]) -> None:
    """FastAPI adds a 422 of its own shape to whatever takes parameters; we answer in problems only."""
    errors = [status for status in responses if status >= "400"]
    foreign = [status for status in errors if MEDIA_TYPE not in responses[status]["content"]]
    for status in foreign:
        del responses[status]
