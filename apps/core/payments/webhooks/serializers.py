"""What requests about webhooks must look like, and their answers."""

from typing import Any

from rest_framework import serializers

from core.serializers import StrictBooleanField, StrictSerializer, TextField
from payments.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.webhooks.events import OF_WITHDRAWALS, TYPES
from payments.webhooks.targets import TargetRefused, target_of
from payments.withdrawals.serializers import PageQuerySerializer

LONGEST_URL = 500
# what is sent as it is given, and no more than an address: no spaces, no other letters
URL_PATTERN = r"^https?://[!-~]+$"


class UrlField(TextField):
    """The address of a receiver."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            pattern=URL_PATTERN,
            expected="a URL in ASCII, such as https://shop.example/etebar",
            max_length=LONGEST_URL,
            help_text="https, a public address, port 443 or 8443. In the sandbox also http and any port.",
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> str:
        url = super().to_internal_value(data)
        try:
            target_of(url)
        except TargetRefused as error:
            raise serializers.ValidationError(str(error)) from error
        return url


def _event_types() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(OF_WITHDRAWALS),
        required=False,
        max_length=len(OF_WITHDRAWALS),
        help_text="What it is told of; empty for everything.",
    )


class EndpointCreateSerializer(StrictSerializer):
    url = UrlField()
    event_types = _event_types()
    description = TextField(max_length=200, required=False, allow_blank=True)


class EndpointChangeSerializer(StrictSerializer):
    url = UrlField(required=False)
    event_types = _event_types()
    description = TextField(max_length=200, required=False, allow_blank=True)
    enabled = StrictBooleanField(required=False)


class DeliveryQuerySerializer(PageQuerySerializer):
    state = serializers.ChoiceField(WebhookDelivery.State.choices, required=False)


class EndpointSerializer(serializers.Serializer[WebhookEndpoint]):
    """An endpoint; `failing_since` is null while its last delivery was taken, `dead` counts what was given up.

    10,000 dead stand for that many or more.
    """

    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.ChoiceField(OF_WITHDRAWALS))
    state = serializers.ChoiceField(("enabled", "disabled"))
    state_reason = serializers.CharField()
    failing_since = serializers.DateTimeField(allow_null=True)
    dead = serializers.IntegerField()
    previous_secret_until = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class EndpointsSerializer(serializers.Serializer[WebhookEndpoint]):
    results = EndpointSerializer(many=True)


class SecretSerializer(serializers.Serializer[WebhookEndpoint]):
    """The secrets that sign now, the newest first."""

    secrets = serializers.ListField(child=serializers.CharField())


class DeliverySerializer(serializers.Serializer[WebhookDelivery]):
    """A delivery; `event_id` is the header webhook-id, the same at each attempt."""

    id = serializers.IntegerField()
    event_id = serializers.CharField()
    type = serializers.ChoiceField(TYPES)
    withdrawal_id = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(WebhookDelivery.State.choices)
    attempts = serializers.IntegerField()
    occurred_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class DeliveryPageSerializer(serializers.Serializer[WebhookDelivery]):
    results = DeliverySerializer(many=True)
    next = serializers.CharField(allow_null=True)


class AttemptSerializer(serializers.Serializer[WebhookAttempt]):
    number = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    duration_ms = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class DeliveryLogSerializer(DeliverySerializer):
    """A delivery with its attempts, the first one first."""

    log = AttemptSerializer(many=True)


class ReplayedSerializer(serializers.Serializer[WebhookDelivery]):
    """How many are sent again: at most 10,000 at a time, the oldest first. Ask again until there are none."""

    replayed = serializers.IntegerField()
