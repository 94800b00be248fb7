"""What requests about the pool must look like."""

from rest_framework import serializers

from core.serializers import AmountField, SignedAmountField, StrictSerializer, TextField
from payments.models import CreditPool


class TopUpSerializer(StrictSerializer):
    amount = AmountField()


class AdjustmentSerializer(StrictSerializer):
    amount = SignedAmountField(help_text='Signed: "-5.00" takes from the pool.')
    reason = TextField(max_length=1000, help_text="Why; it is kept with the adjustment.")


class PoolSerializer(serializers.Serializer[CreditPool]):
    available_amount = AmountField()
    funded_amount = AmountField(help_text="The sum of all top-ups.")
    adjusted_amount = SignedAmountField(help_text="The sum of all adjustments.")


class TopUpAnswerSerializer(PoolSerializer):
    top_up_id = serializers.UUIDField()
    amount = AmountField()
