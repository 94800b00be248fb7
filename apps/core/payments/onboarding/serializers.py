"""What the operator's requests must look like."""

from typing import Any

from rest_framework import serializers

from core.serializers import AmountField, IdField, StrictBooleanField, StrictSerializer, TextField
from payments.merchants.serializers import USERNAME, BankAccountField, PasswordField
from payments.models import Merchant
from payments.onboarding.desired import Deletion, DriftPolicy


class MerchantPutSerializer(StrictSerializer):
    uid = TextField(max_length=64)
    created_at = serializers.DateTimeField()
    generation = IdField()
    username = TextField(max_length=150, pattern=USERNAME, expected="letters, digits and @ . + - _")
    bank_account = BankAccountField(allow_null=True)
    requested_credit = AmountField(allow_zero=True)
    credit_limit = AmountField(allow_zero=True)
    approved = StrictBooleanField()
    suspended = StrictBooleanField()
    password = PasswordField(allow_null=True)
    credentials_version = IdField(
        allow_null=True, help_text="Rises with each password that is issued; null without a password."
    )
    drift_policy = serializers.ChoiceField(choices=[policy.value for policy in DriftPolicy])
    deletion = serializers.ChoiceField(choices=[each.value for each in Deletion], allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A password has a version; there is none for no password."""
        if (attrs["password"] is None) != (attrs["credentials_version"] is None):
            raise serializers.ValidationError({"credentials_version": "goes with a password, and a password with it"})
        return attrs | {"credentials_version": attrs["credentials_version"] or 0}


class TopUpPutSerializer(StrictSerializer):
    name = TextField(max_length=253)
    amount = AmountField()


class OpenApprovalSerializer(serializers.Serializer[Any]):
    """A limit above the threshold that waits for staff."""

    approval_id = serializers.UUIDField()
    credit_limit = AmountField()
    created_at = serializers.DateTimeField()


class DriftSerializer(serializers.Serializer[Any]):
    """A difference that is not the object's doing."""

    field = serializers.ChoiceField(choices=["credit_limit", "suspended", "bank_account"])
    expected = serializers.CharField()
    actual = serializers.CharField()
    corrected = serializers.BooleanField(help_text="Whether this call put it right.")
    detail = serializers.CharField()


class KeptMerchantSerializer(serializers.Serializer[Any]):
    """The merchant as it is, and how it differs from what the object wishes; null before it is registered."""

    merchant_id = serializers.IntegerField(allow_null=True)
    username = serializers.CharField()
    state = serializers.ChoiceField(choices=Merchant.State.choices, allow_null=True)
    state_reason = serializers.CharField()
    credit_limit = AmountField(allow_null=True)
    utilized_amount = AmountField(allow_null=True)
    available_credit = AmountField(allow_null=True)
    pending_amount = AmountField()
    has_credentials = serializers.BooleanField(help_text="A password is set, and the account is active.")
    approval_request = OpenApprovalSerializer(allow_null=True)
    drift = DriftSerializer(many=True)
    released = serializers.BooleanField(help_text="Core has done what `deletion` asks for.")
    waits_for = serializers.ListField(child=serializers.CharField(), help_text="Why `released` is not true yet.")


class KeptTopUpSerializer(serializers.Serializer[Any]):
    top_up_id = serializers.UUIDField()
    amount = AmountField()
    applied_at = serializers.DateTimeField()
    first = serializers.BooleanField(help_text="Whether this call made it.")


class PoolAmountsSerializer(serializers.Serializer[Any]):
    available_amount = AmountField()
    reserved_amount = AmountField(help_text="Of pending withdrawals.")
    settled_amount = AmountField()
    funded_amount = AmountField(help_text="The sum of all top-ups.")
