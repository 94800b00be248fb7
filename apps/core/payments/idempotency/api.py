"""GET /api/v1/idempotency-keys?key=: what became of a key."""

from typing import Any

from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.serializers import StrictSerializer, TextField, validated
from etebar_common.headers import BARE_KEY_PATTERN, MAXIMUM_KEY_LENGTH
from etebar_common.problems import IdempotencyKeyUnknown
from payments.answers import timestamp
from payments.idempotency.selectors import KeyState, explain_key
from payments.tokens.authentication import caller_of
from payments.tokens.caller import WITHDRAWALS_READ


class KeyQuerySerializer(StrictSerializer):
    key = TextField(max_length=MAXIMUM_KEY_LENGTH, pattern=BARE_KEY_PATTERN, expected="a key in its bare form")


class KeySerializer(serializers.Serializer[Any]):
    """What became of a key; `answer_status` is the final answer's, null before there is one."""

    key = serializers.CharField()
    state = serializers.ChoiceField(choices=[(state.value, state.value) for state in KeyState])
    method = serializers.CharField(allow_null=True)
    path = serializers.CharField(allow_null=True)
    answer_status = serializers.IntegerField(allow_null=True)
    withdrawal_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField(allow_null=True)


class KeyView(APIView):
    permission_classes = (IsAuthenticated,)
    api_key_scope = WITHDRAWALS_READ

    @describe("Explain a key", query=KeyQuerySerializer, answers={200: KeySerializer}, problems=(404,))
    def get(self, request: Request) -> Response:
        """Whether a request with this key is running, pending, settled, failed, refused or done."""
        key = validated(KeyQuerySerializer, request.query_params)["key"]
        state, row = explain_key(scope=caller_of(request).idempotency_scope, key=key)
        if state is None:
            raise IdempotencyKeyUnknown("no request of yours with this key has left a trace; sending it will run it")
        return Response(
            {
                "key": key,
                "state": state.value,
                "method": row.method if row else None,
                "path": row.path if row else None,
                "answer_status": row.status if row else None,
                "withdrawal_id": str(row.withdrawal_id) if row and row.withdrawal_id else None,
                "created_at": timestamp(row.created_at) if row else None,
            }
        )
