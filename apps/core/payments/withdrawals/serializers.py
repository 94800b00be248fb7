"""What requests about withdrawals must look like."""

from typing import Any

from rest_framework import serializers

from core.pagination import MAXIMUM_PAGE_SIZE
from core.serializers import BIGINT_MAXIMUM, AmountField, AnyListField, StrictBooleanField, StrictSerializer, TextField
from payments.models import Withdrawal
from payments.withdrawals.bulk import LARGEST_BULK


class WithdrawalCreateSerializer(StrictSerializer):
    amount = AmountField(help_text='A decimal string with at most two places, such as "1.00".')


class BulkCreateSerializer(StrictSerializer):
    atomic = StrictBooleanField(default=False, help_text="All of them or none.")
    withdrawals = AnyListField(
        min_length=1, max_length=LARGEST_BULK, help_text="Each is answered for itself, also when it is not right."
    )


class BulkResultSerializer(serializers.Serializer[Any]):
    idempotency_key = serializers.CharField(allow_null=True)
    status = serializers.IntegerField()
    replayed = serializers.BooleanField()
    body = serializers.JSONField(help_text="The withdrawal, or a problem.")


class BulkSummarySerializer(serializers.Serializer[Any]):
    settled = serializers.IntegerField()
    pending = serializers.IntegerField()
    refused = serializers.IntegerField()
    unknown = serializers.IntegerField(help_text="Repeat these with the same keys.")


class BulkSerializer(serializers.Serializer[Any]):
    results: Any = BulkResultSerializer(many=True)
    summary = BulkSummarySerializer()


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


class WithdrawalFilterSerializer(StrictSerializer):
    """The query parameters that choose withdrawals."""

    state = serializers.ChoiceField(choices=Withdrawal.State.choices, required=False)
    created_from = serializers.DateTimeField(required=False, help_text="Inclusive.")
    created_to = serializers.DateTimeField(required=False, help_text="Exclusive.")
    amount_from = AmountField(required=False, help_text="Inclusive.")
    amount_to = AmountField(required=False, help_text="Inclusive.")


class WithdrawalQuerySerializer(PageQuerySerializer, WithdrawalFilterSerializer):
    """The same, of a list."""


class StaffWithdrawalQuerySerializer(WithdrawalQuerySerializer):
    merchant_id = serializers.IntegerField(min_value=1, max_value=BIGINT_MAXIMUM, required=False)
    overdue = serializers.BooleanField(required=False, allow_null=True, default=None)


class WithdrawalPageSerializer(serializers.Serializer[Withdrawal]):
    results = WithdrawalSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class WithdrawalTotalSerializer(serializers.Serializer[Withdrawal]):
    count = serializers.IntegerField()
    amount = AmountField(allow_zero=True)


class WithdrawalTotalsSerializer(serializers.Serializer[Withdrawal]):
    """Of the withdrawals that the filters choose, by state."""

    pending = WithdrawalTotalSerializer()
    settled = WithdrawalTotalSerializer()
    failed = WithdrawalTotalSerializer()
