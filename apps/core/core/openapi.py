"""Makes the OpenAPI document true: problems, keys, headers, examples and closed objects are told for each route."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from core.serializers import AmountField, SignedAmountField, TextField
from etebar_common.headers import BARE_KEY_PATTERN, MAXIMUM_KEY_LENGTH
from etebar_common.money import (
    AMOUNT_PATTERN,
    POSITIVE_AMOUNT_PATTERN,
    POSITIVE_OR_NEGATIVE_PATTERN,
    SIGNED_AMOUNT_PATTERN,
)
from etebar_common.openapi_examples import CONFLICTS, add_examples, operations, share_problems
from etebar_common.problems import (
    MEDIA_TYPE,
    BankStatementInvalid,
    CredentialsInvalid,
    IdempotencyKeyReused,
    InternalTokenMissing,
    InternalTokenWrong,
    OperatorTokenWrong,
    OtpInvalid,
    OtpNeeded,
    Problem,
    RequestInProgress,
    ScopeMissing,
    StatementTooLong,
)

KEY_HEADER = "Idempotency-Key"
# what only settlement refuses, and what only one of core's two APIs does
OF_SETTLEMENT = (InternalTokenMissing, InternalTokenWrong)
OF_THE_OPERATOR = (*OF_SETTLEMENT, OperatorTokenWrong)
OF_PEOPLE = (*OF_SETTLEMENT, CredentialsInvalid, OtpInvalid, OtpNeeded, ScopeMissing)
# refusals that few operations answer with, though others answer with their status
ONLY_AT: dict[type[Problem], Callable[[dict[str, Any]], bool]] = {
    BankStatementInvalid: lambda operation: operation["operationId"] == "import_a_bank_statement",
    IdempotencyKeyReused: lambda operation: any(
        parameter["name"] == KEY_HEADER for parameter in operation.get("parameters", [])
    ),
    # what is a file, too, is a statement
    StatementTooLong: lambda operation: "application/pdf" in operation["responses"].get("200", {}).get("content", {}),
}
ALWAYS = (400, 406, 429, 500, 503)
PAGED = (404, 422)
WITH_BODY = (408, 413, 415, 422)


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
    """drf-spectacular's schema of a view."""

    def get_operation_id(self) -> str:
        """The summary in snake case, as clients that are generated from the document name their functions."""
        return re.sub(r"[^a-z]+", "_", str(self.get_summary()).lower()).strip("_")


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names the security scheme of TokenAuthentication."""

    target_class = "payments.tokens.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002 - the base's signature
        told = "An access token of `/api/v1/auth/token`; of merchants, an API key with the route's scope, too."
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": told}


class OperatorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names the security scheme of OperatorAuthentication."""

    target_class = "payments.onboarding.authentication.OperatorAuthentication"
    name = "operator"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002 - the base's signature
        return {"type": "http", "scheme": "bearer"}


class AmountFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An amount is a string by pattern."""

    target_class = AmountField

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:  # noqa: ARG002
        may_be_zero = direction == "response" or self.target.allow_zero
        return {"type": "string", "pattern": AMOUNT_PATTERN if may_be_zero else POSITIVE_AMOUNT_PATTERN}


class SignedAmountFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An amount with a sign is a string by pattern."""

    target_class = SignedAmountField

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:  # noqa: ARG002
        pattern = SIGNED_AMOUNT_PATTERN if direction == "response" else POSITIVE_OR_NEGATIVE_PATTERN
        return {"type": "string", "pattern": pattern}


class BankAccountFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An account number has check digits: a format says more than a pattern could."""

    target_class = "payments.merchants.serializers.BankAccountField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:  # noqa: ARG002
        return {"type": "string", "format": "bank-account", "example": "IRTEST0000000000001"}


class TextFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Text of one line is a string by pattern."""

    target_class = TextField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:  # noqa: ARG002
        field = self.target
        schema: dict[str, Any] = {"type": "string", "pattern": field.pattern, "maxLength": field.max_length}
        return schema if field.allow_blank else schema | {"minLength": 1}


def _key_parameter(*, required: bool) -> OpenApiParameter:
    return OpenApiParameter(
        KEY_HEADER,
        type={"type": "string", "minLength": 1, "maxLength": MAXIMUM_KEY_LENGTH, "pattern": BARE_KEY_PATTERN},
        location=OpenApiParameter.HEADER,
        required=required,
        description="Makes repeating the request safe: the first answer is given again.",
    )


def _replayed_header(statuses: list[int]) -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotency-Replayed",
        type={"type": "string", "const": "true"},
        location=OpenApiParameter.HEADER,
        response=statuses,
        description="The key was used before: this is the first answer again, and nothing was done.",
    )


PREFER = OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="`respond-async`: answer 202 at once.")
LOCATION = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, response=[202], description="Where the outcome will be told."
)


def describe(
    summary: str,
    *,
    description: str | None = None,
    request: type[serializers.BaseSerializer[Any]] | None = None,
    query: type[serializers.BaseSerializer[Any]] | None = None,
    answers: Mapping[int, Any],
    problems: Sequence[int] = (),
    conflicts: Sequence[type[Problem]] = (),
    key: str | None = None,
    prefer: bool = False,
    staff: bool = False,
    public: bool = False,
    tag: str | None = None,
    files: Sequence[str] = (),
    examples: Sequence[OpenApiExample] = (),
) -> Callable[[Any], Any]:
    """Documents one operation, described by `description` or its docstring.

    `problems` are statuses, `conflicts` what its 409 may be. `key` is `required` or `optional` for operations that take
    an Idempotency-Key; `tag` says who calls it, when that is neither merchants nor staff. `files` are media types of
    the same answer as a file.
    """
    parameters: list[Any] = []
    if key:
        conflicts = (*conflicts, RequestInProgress)
        parameters += [_key_parameter(required=key == "required"), _replayed_header(list(answers))]
    if query is not None:
        parameters.append(query)
    if prefer:
        parameters += [PREFER, LOCATION]
    statuses = {*ALWAYS, *problems, *(() if public else (401, 403)), *(WITH_BODY if request else ())}
    statuses |= {409} if conflicts else set()
    statuses |= {422} if key else set()
    statuses |= set(PAGED) if query else set()
    refusals = {(status, MEDIA_TYPE): OpenApiResponse(ProblemSerializer) for status in sorted(statuses)}
    successes: dict[Any, Any] = {(status, "application/json"): serializer for status, serializer in answers.items()}
    for media_type in files:
        successes[200, media_type] = OpenApiTypes.STR if media_type.startswith("text/") else OpenApiTypes.BINARY
    options: dict[str, Any] = {"auth": []} if public else {}
    return extend_schema(
        summary=summary,
        description=description,
        request=request,
        parameters=parameters,
        responses={**successes, **refusals},
        examples=examples,
        tags=[tag or ("staff" if staff else "merchant")],
        extensions={CONFLICTS: [problem.code for problem in conflicts]} if conflicts else {},
        **options,
    )


def close_request_objects(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook: request bodies take no unknown members, amounts are patterns."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request"):
            schema["additionalProperties"] = False
    return result


def tell_examples_and_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook: what values look like, and which codes a refusal may have."""
    is_operators = any("operator" in operation["tags"] for operation in operations(result))
    without = OF_PEOPLE if is_operators else OF_THE_OPERATOR
    return add_examples(share_problems(result, without=without, only_at=ONLY_AT))
