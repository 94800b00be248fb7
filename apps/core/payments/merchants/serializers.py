"""What requests about merchants must look like."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from core.environment import ENVIRONMENT
from core.serializers import AmountField, IdField, StrictSerializer, TextField
from etebar_common.bank_account import parse_bank_account
from payments.approvals.serializers import ApprovalSerializer
from payments.models import Merchant
from payments.withdrawals.serializers import PageQuerySerializer

MAXIMUM_PASSWORD_LENGTH = 128
USERNAME = r"^[\w.@+-]+$"  # as Django's UnicodeUsernameValidator


class PasswordField(TextField):
    """Kept as it is typed: spaces at its ends count."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=MAXIMUM_PASSWORD_LENGTH,
            write_only=True,
            style={"input_type": "password"},
            **kwargs,
        )


class BankAccountField(serializers.Field[str, str, str, Any]):
    """An account number that this installation's profile pays to, normalized."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("is not a string")
        try:
            return parse_bank_account(data, ENVIRONMENT.etebar_profile)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: str) -> str:
        return value


class RegisterSerializer(StrictSerializer):
    username = TextField(max_length=150, pattern=USERNAME, expected="letters, digits and @ . + - _")
    password = PasswordField()
    requested_credit = AmountField()
    bank_account = BankAccountField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            validate_password(attrs["password"], User(username=attrs["username"]))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from error
        return attrs


class CreditLimitSerializer(StrictSerializer):
    merchant_id = IdField()
    credit_limit = AmountField(allow_zero=True)


class MerchantDecisionSerializer(StrictSerializer):
    merchant_id = IdField()
    reason = TextField(max_length=500, required=False, default="", allow_blank=True)


class MerchantReferenceSerializer(StrictSerializer):
    merchant_id = IdField()


class MerchantQuerySerializer(PageQuerySerializer):
    state = serializers.ChoiceField(choices=Merchant.State.choices, required=False)
    username = TextField(max_length=150, required=False)


class MerchantSerializer(serializers.Serializer[Merchant]):
    """A merchant as answers show it; credit is null before approval."""

    merchant_id = serializers.IntegerField()
    username = serializers.CharField()
    state = serializers.ChoiceField(choices=Merchant.State.choices)
    state_reason = serializers.CharField()
    requested_credit = AmountField()
    bank_account = serializers.CharField(help_text="Masked.")
    wallet_account_id = serializers.UUIDField(allow_null=True)
    credit_limit = AmountField(allow_null=True)
    utilized_amount = AmountField(allow_null=True)
    available_credit = AmountField(allow_null=True)
    created_at = serializers.DateTimeField()


class MerchantLimitSerializer(MerchantSerializer):
    """The merchant, and the request that waits for a second person: the limit is above the threshold."""

    approval_request = ApprovalSerializer(allow_null=True)


class MerchantPageSerializer(serializers.Serializer[Merchant]):
    results = MerchantSerializer(many=True)
    next = serializers.CharField(allow_null=True)
