"""What requests about the pool must look like."""

from rest_framework import serializers

from core.serializers import AmountField, StrictSerializer
from payments.models import CreditPool


class TopUpSerializer(StrictSerializer):
    amount = AmountField()


class PoolSerializer(serializers.Serializer[CreditPool]):
    available_amount = AmountField()
    funded_amount = AmountField(help_text="The sum of all top-ups.")


class TopUpAnswerSerializer(PoolSerializer):
    top_up_id = serializers.UUIDField()
    amount = AmountField()
