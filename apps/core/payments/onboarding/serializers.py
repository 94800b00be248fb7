"""What the operator's requests must look like."""

from rest_framework import serializers

from core.serializers import AmountField, IdField, StrictBooleanField, StrictSerializer, TextField
from payments.merchants.serializers import USERNAME, BankAccountField, PasswordField
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
    drift_policy = serializers.ChoiceField(choices=[policy.value for policy in DriftPolicy])
    deletion = serializers.ChoiceField(choices=[each.value for each in Deletion], allow_null=True)


class TopUpPutSerializer(StrictSerializer):
    name = TextField(max_length=253)
    amount = AmountField()
