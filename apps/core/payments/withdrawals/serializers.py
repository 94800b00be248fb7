"""What requests about withdrawals must look like."""

from rest_framework import serializers

from core.pagination import MAXIMUM_PAGE_SIZE
from core.serializers import BIGINT_MAXIMUM, AmountField, StrictSerializer, TextField
from payments.models import Withdrawal


class WithdrawalCreateSerializer(StrictSerializer):
    amount = AmountField(help_text='A decimal string with at most two places, such as "1.00".')


class WithdrawalSerializer(serializers.Serializer[Withdrawal]):
    """A withdrawal as answers show it."""

    id = serializers.UUIDField()
    amount = AmountField()
    state = serializers.ChoiceField(choices=Withdrawal.State.choices)
    failure_code = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    finalized_at = serializers.DateTimeField(allow_null=True)


class PageQuerySerializer(StrictSerializer):
    """The query parameters that every list takes."""

    limit = serializers.IntegerField(min_value=1, max_value=MAXIMUM_PAGE_SIZE, required=False)
    cursor = TextField(max_length=500, required=False)


class WithdrawalQuerySerializer(PageQuerySerializer):
    state = serializers.ChoiceField(choices=Withdrawal.State.choices, required=False)
    created_from = serializers.DateTimeField(required=False, help_text="Inclusive.")
    created_to = serializers.DateTimeField(required=False, help_text="Exclusive.")


class StaffWithdrawalQuerySerializer(WithdrawalQuerySerializer):
    merchant_id = serializers.IntegerField(min_value=1, max_value=BIGINT_MAXIMUM, required=False)
    overdue = serializers.BooleanField(required=False, allow_null=True, default=None)


class WithdrawalPageSerializer(serializers.Serializer[Withdrawal]):
    results = WithdrawalSerializer(many=True)
    next = serializers.CharField(allow_null=True)
