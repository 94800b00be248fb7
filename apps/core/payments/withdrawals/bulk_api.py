"""POST /api/v1/withdrawals/bulk."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from core.openapi import describe
from core.rate_limits import MerchantRateLimit
from core.request_context import context_of
from core.serializers import validated
from etebar_common.problems import BulkAborted, RequestInProgress, ValidationFailed
from payments.answers import Answer
from payments.tokens.authentication import caller_of, merchant_id_of
from payments.tokens.caller import WITHDRAWALS_WRITE
from payments.tokens.permissions import IsMerchant
from payments.withdrawals import examples
from payments.withdrawals.bulk import command_of, withdrawals_create, withdrawals_create_atomically
from payments.withdrawals.serializers import BulkCreateSerializer, BulkSerializer

MULTI_STATUS = 207
_STATES = {201: "settled", 202: "pending"}
FIRST_SERVER_ERROR = 500


class BulkView(APIView):
    permission_classes = (IsMerchant,)
    api_key_scope = WITHDRAWALS_WRITE

    @describe(
        "Withdraw many",
        request=BulkCreateSerializer,
        answers={207: BulkSerializer},
        conflicts=(BulkAborted,),
        examples=examples.BULK,
    )
    def post(self, request: Request) -> HttpResponse:
        """Makes up to 1,000 withdrawals; each has its own key and is answered as if it had come alone.

        207: `results` has one answer for each, in their order: its status, whether it is a replay, and its body. To
        repeat the request is safe: what was answered is answered again, item by item. With `atomic`, funds are reserved
        for all or for none: 409 `bulk_aborted` then says why, and no key is used up.
        """
        body = validated(BulkCreateSerializer, request.data)
        items: list[Any] = body["withdrawals"]
        # the request itself was counted when it came
        MerchantRateLimit.count(str(request.user.pk), len(items) - 1)
        caller, merchant_id, context = caller_of(request), merchant_id_of(request), context_of(request)
        entries = [command_of(item, caller, merchant_id, context) for item in items]
        if not body["atomic"]:
            return _multi_status(items, withdrawals_create(entries))
        _refuse_repeated_keys(items)
        answers, is_reserved = withdrawals_create_atomically(entries)
        if not is_reserved:
            raise BulkAborted(extensions={"results": json.loads(orjson.dumps(_results(items, answers)))})
        return _multi_status(items, answers)


def _refuse_repeated_keys(items: Sequence[Any]) -> None:
    keys = Counter(key for item in items if isinstance(key := _key(item), str))
    repeated = sorted(key for key, count in keys.items() if count > 1)
    if repeated:
        errors = [{"field": "withdrawals", "detail": f"the key {key} is given {keys[key]} times"} for key in repeated]
        raise ValidationFailed("an atomic request has each key once", extensions={"errors": errors})


def _key(item: Any) -> Any:
    return item.get("idempotency_key") if isinstance(item, dict) else None


def _results(items: Sequence[Any], answers: Sequence[Answer]) -> list[dict[str, Any]]:
    return [
        {
            "idempotency_key": key if isinstance(key := _key(item), str) else None,
            "status": answer.status,
            "replayed": answer.replayed,
            "body": orjson.Fragment(answer.body),
        }
        for item, answer in zip(items, answers, strict=True)
    ]


def _state(answer: Answer) -> str:
    """Refused is what certainly moved nothing; of what was not decided, or runs elsewhere, nothing is known."""
    if answer.status >= FIRST_SERVER_ERROR or f'"code":"{RequestInProgress.code}"' in answer.body:
        return "unknown"
    return _STATES.get(answer.status, "refused")


def _multi_status(items: Sequence[Any], answers: Sequence[Answer]) -> HttpResponse:
    states = Counter(_state(answer) for answer in answers)
    summary = {state: states[state] for state in ("settled", "pending", "refused", "unknown")}
    content = orjson.dumps({"results": _results(items, answers), "summary": summary})
    return HttpResponse(content, content_type="application/json", status=MULTI_STATUS)
