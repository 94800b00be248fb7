"""/api/v1/api-keys: no API key is let in here, so that one that leaked makes no other."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.serializers import NothingSerializer, StrictSerializer, TextField
from etebar_common.problems import ApiKeyLimit
from payments.answers import json_text, timestamp
from payments.api_keys import services
from payments.audit.services import merchant_actor
from payments.idempotency.act import answer_once
from payments.models import ApiKey
from payments.tokens.authentication import merchant_id_of
from payments.tokens.caller import SCOPES
from payments.tokens.permissions import IsMerchant

LONGEST_OVERLAP_HOURS = 7 * 24
LONGEST_LIFE = timedelta(days=3653)


class ApiKeyCreateSerializer(StrictSerializer):
    name = TextField(max_length=100, help_text="Which program has it.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(SCOPES), allow_empty=False, max_length=len(SCOPES), help_text="What it is for."
    )
    expires_at = serializers.DateTimeField(required=False, help_text="When it ends; without it, never.")

    def validate_expires_at(self, value: datetime) -> datetime:
        if value <= timezone.now():
            raise serializers.ValidationError("is over already")
        if value > timezone.now() + LONGEST_LIFE:
            raise serializers.ValidationError("expected within ten years; leave it out for a key that does not end")
        return value


class ApiKeyRotateSerializer(StrictSerializer):
    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=LONGEST_OVERLAP_HOURS, default=24, help_text="How long the key before is good."
    )


class ApiKeySerializer(serializers.Serializer[ApiKey]):
    """A key without its secret; `last_used_at` is a minute fine. Times are null for never."""

    id = serializers.CharField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(SCOPES))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    previous_until = serializers.DateTimeField(allow_null=True)


class NewApiKeySerializer(ApiKeySerializer):
    """`key` is shown this once: it is null when the answer is repeated for its Idempotency-Key."""

    key = serializers.CharField(allow_null=True)


class ApiKeysSerializer(serializers.Serializer[ApiKey]):
    results = ApiKeySerializer(many=True)


def api_key_members(key: ApiKey) -> dict[str, Any]:
    """The members of a key, but for the key itself."""
    return {
        "id": key.pk,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": timestamp(key.created_at),
        "expires_at": timestamp(key.expires_at),
        "last_used_at": timestamp(key.last_used_at),
        "previous_until": timestamp(key.previous_until),
    }


def answer_with_key(
    request: Request, serializer: type[StrictSerializer], make: Callable[..., tuple[ApiKey, str]], *, status: int
) -> HttpResponse:
    """As `answer_once`; the key is in the first answer alone, and not in the one that is stored."""
    made: list[str] = []

    def act(**fields: Any) -> dict[str, Any]:
        row, key = make(**fields)
        made.append(key)
        return {**api_key_members(row), "key": None}

    answer = answer_once(request, serializer, act, status=status)
    if made:
        answer.content = json_text({**json.loads(answer.content), "key": made[-1]}).encode()
    return answer


class ApiKeysView(APIView):
    permission_classes = (IsMerchant,)

    @describe(
        "Create an API key",
        request=ApiKeyCreateSerializer,
        answers={201: NewApiKeySerializer},
        conflicts=(ApiKeyLimit,),
        key="optional",
    )
    def post(self, request: Request) -> HttpResponse:
        """A key for a program, sent as `Authorization: Bearer etk_...`; it is shown this once."""
        make = partial(services.api_key_create, merchant_id=merchant_id_of(request), by=merchant_actor(request))
        return answer_with_key(request, ApiKeyCreateSerializer, make, status=201)

    @describe("List API keys", answers={200: ApiKeysSerializer})
    def get(self, request: Request) -> Response:
        """The merchant's keys that are not revoked, without their secrets."""
        found = services.api_keys_of(merchant_id_of(request))
        return Response({"results": [api_key_members(each) for each in found]})


class ApiKeyView(APIView):
    permission_classes = (IsMerchant,)

    @describe("Revoke an API key", answers={200: ApiKeySerializer}, problems=(404,), key="optional")
    def delete(self, request: Request, key_id: str) -> HttpResponse:
        """It is refused from now on; where it was seen a moment ago, within 5 seconds."""
        merchant_id, by = merchant_id_of(request), merchant_actor(request)

        def act() -> dict[str, Any]:
            return api_key_members(services.api_key_revoke(merchant_id=merchant_id, key_id=key_id, by=by))

        return answer_once(request, NothingSerializer, act)


class RotateView(APIView):
    permission_classes = (IsMerchant,)

    @describe(
        "Rotate an API key",
        request=ApiKeyRotateSerializer,
        answers={200: NewApiKeySerializer},
        problems=(404,),
        key="optional",
    )
    def post(self, request: Request, key_id: str) -> HttpResponse:
        """Another secret under the same id, shown this once; the one before is good for `overlap_hours`.

        Whoever lost the answer rotates again: until the current secret is used, the older one stays good, no longer
        than either `overlap_hours`. 0 ends all before at once.
        """
        merchant_id, by = merchant_id_of(request), merchant_actor(request)
        make = partial(services.api_key_rotate, merchant_id=merchant_id, key_id=key_id, by=by)
        return answer_with_key(request, ApiKeyRotateSerializer, make, status=200)
