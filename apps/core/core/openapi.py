"""Makes the OpenAPI document true: problems, keys, headers and closed objects are told for each route."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from etebar_common.headers import MAXIMUM_KEY_LENGTH
from etebar_common.money import AMOUNT_PATTERN
from etebar_common.problems import MEDIA_TYPE

KEY_HEADER = "Idempotency-Key"
ALWAYS = (400, 406, 429, 500, 503)
WITH_BODY = (413, 415, 422)


class FieldErrorSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457; docs/errors.md lists the codes."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(required=False)
    errors: Any = FieldErrorSerializer(many=True, required=False)
    differs = serializers.ListField(child=serializers.CharField(), required=False)


class ProblemAutoSchema(AutoSchema):
    """drf-spectacular's schema of a view; operation ids come from the path."""


def _key_parameter(*, required: bool) -> OpenApiParameter:
    return OpenApiParameter(
        KEY_HEADER,
        type={"type": "string", "minLength": 1, "maxLength": MAXIMUM_KEY_LENGTH, "pattern": r"^[!#-~]([ -~]*[!-~])?$"},
        location=OpenApiParameter.HEADER,
        required=required,
        description="Makes repeating the request safe: the first answer is given again.",
    )


def describe(
    summary: str,
    *,
    request: type[serializers.BaseSerializer[Any]] | None = None,
    query: type[serializers.BaseSerializer[Any]] | None = None,
    answers: Mapping[int, Any],
    problems: Sequence[int] = (),
    key: str | None = None,
    prefer: bool = False,
    staff: bool = False,
    public: bool = False,
) -> Callable[[Any], Any]:
    """Documents one operation; `key` is `required` or `optional` for operations that take an Idempotency-Key."""
    parameters: list[Any] = [_key_parameter(required=key == "required")] if key else []
    if query is not None:
        parameters.append(query)
    if prefer:
        parameters.append(
            OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="`respond-async`: answer 202 at once.")
        )
    statuses = {*ALWAYS, *problems, *(() if public else (401, 403)), *(WITH_BODY if request else ())}
    statuses |= {409, 422} if key else set()
    statuses |= {422} if query else set()
    refusals = {(status, MEDIA_TYPE): OpenApiResponse(ProblemSerializer) for status in sorted(statuses)}
    successes = {(status, "application/json"): serializer for status, serializer in answers.items()}
    tag = "staff" if staff else "merchant"
    options: dict[str, Any] = {"auth": []} if public else {}
    return extend_schema(
        summary=summary,
        request=request,
        parameters=parameters,
        responses={**successes, **refusals},
        tags=[tag],
        **options,
    )


def close_request_objects(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook: request bodies take no unknown members, amounts are patterns."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request"):
            schema["additionalProperties"] = False
    result["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    return result


__all__ = ["AMOUNT_PATTERN", "ProblemAutoSchema", "ProblemSerializer", "close_request_objects", "describe"]
