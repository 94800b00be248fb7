"""The path of every changing POST but withdrawals: validate, run once, answer."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.serializers import StrictSerializer, validated
from payments.answers import Answer, json_text
from payments.idempotency.identity import identity_of
from payments.idempotency.services import run_once


def answer_once(
    request: Request,
    serializer_class: type[StrictSerializer],
    act: Callable[..., dict[str, Any]],
    *,
    status: int | Callable[[dict[str, Any]], int] = 200,
    scope: Callable[[dict[str, Any]], str] | None = None,
) -> HttpResponse:
    """Runs `act` with the validated fields as keywords, at most once per Idempotency-Key, and answers with its members.

    `status` may depend on the members; `scope` says whose key it is when the caller has no token.
    """
    fields = validated(serializer_class, request.data)
    identity = identity_of(request, fields, scope=scope(fields) if scope else None)

    def answer() -> Answer:
        members = act(**fields)
        return Answer(status(members) if callable(status) else status, json_text(members))

    return run_once(identity, answer).response()
