"""What requests about repayments must look like, and their answers."""

from typing import Any

from rest_framework import serializers

from core.serializers import BIGINT_MAXIMUM, AmountField, IdField, StrictSerializer, TextField
from payments.models import Repayment
from payments.repayments.services import LONGEST_REFERENCE
from payments.withdrawals.serializers import PageQuerySerializer


class RepaymentSerializer(StrictSerializer):
    merchant_id = IdField()
    amount = AmountField(required=False)
    reference = TextField(
        max_length=LONGEST_REFERENCE,
        required=False,
        help_text="The bank's own: a payment has one, and is recorded once.",
    )
    statement_line_id = IdField(
        required=False, help_text="In place of amount and reference: a line of an imported statement that came in."
    )
    replaces = serializers.UUIDField(
        required=False, help_text="The reversed repayment of the same reference that this one takes the place of."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {"amount", "reference", "statement_line_id"} & attrs.keys()
        if given not in ({"amount", "reference"}, {"statement_line_id"}):
            raise serializers.ValidationError("give amount and reference, or statement_line_id alone")
        return attrs


class ReversalSerializer(StrictSerializer):
    reason = TextField(max_length=500, help_text="Why it was no repayment; it is kept.")


class RepaymentQuerySerializer(PageQuerySerializer):
    merchant_id = serializers.IntegerField(min_value=1, max_value=BIGINT_MAXIMUM, required=False)


class RepaymentAnswerSerializer(serializers.Serializer[Repayment]):
    """A repayment; `reversed_at` is null unless it was taken back."""

    repayment_id = serializers.UUIDField()
    merchant_id = serializers.IntegerField()
    amount = AmountField()
    reference = serializers.CharField()
    statement_line_id = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    reversed_at = serializers.DateTimeField(allow_null=True)
    reversal_reason = serializers.CharField()


class RepaymentPageSerializer(serializers.Serializer[Repayment]):
    results = RepaymentAnswerSerializer(many=True)
    next = serializers.CharField(allow_null=True)
