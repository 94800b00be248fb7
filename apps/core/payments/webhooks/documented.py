"""The events as the OpenAPI document tells them: what a receiver is sent, and answers."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, OpenApiWebhook, extend_schema
from rest_framework import serializers

from payments.withdrawals.serializers import WithdrawalSerializer

SIGNED = (
    "Signed by Standard Webhooks: `webhook-id`, the same each time the event is sent, `webhook-timestamp` and "
    "`webhook-signature`. It comes at least once, in no order, until a 2xx is answered within 10 seconds."
)


class WithdrawalEventSerializer(serializers.Serializer[Any]):
    """`data` is the withdrawal as it was then."""

    type = serializers.CharField(help_text="`withdrawal.` and its state.")
    timestamp = serializers.DateTimeField()
    data: Any = WithdrawalSerializer()


class TestEventDataSerializer(serializers.Serializer[Any]):
    webhook_id = serializers.UUIDField()


class TestEventSerializer(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="`webhook.test`")
    timestamp = serializers.DateTimeField()
    data: Any = TestEventDataSerializer()


def _event(name: str, summary: str, message: type[serializers.Serializer[Any]]) -> OpenApiWebhook:
    taken = OpenApiResponse(description="It was taken; anything else is a failure, and the event comes again.")
    told = extend_schema(summary=summary, description=SIGNED, request=message, responses={200: taken}, tags=["events"])
    return OpenApiWebhook(name, told)


PENDING = _event("withdrawal.pending", "A withdrawal was accepted", WithdrawalEventSerializer)
SETTLED = _event("withdrawal.settled", "The bank has paid", WithdrawalEventSerializer)
FAILED = _event("withdrawal.failed", "The bank has refused", WithdrawalEventSerializer)
TEST = _event("webhook.test", "A test was asked for", TestEventSerializer)
