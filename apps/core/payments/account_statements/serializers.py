"""What requests about statements must look like, and their answers."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from rest_framework import serializers

from core.serializers import AmountField, StrictSerializer
from payments.account_statements.selectors import YEARS
from payments.ledger.api import LedgerEntrySerializer
from payments.models import LedgerEntry

LONGEST = timedelta(days=366)
FORMS = ("json", "csv", "pdf")


class FormSerializer(StrictSerializer):
    form = serializers.ChoiceField(choices=FORMS, required=False, default="json", help_text="`csv`, `pdf`: a file.")
    language = serializers.ChoiceField(
        choices=[code for code, _ in settings.LANGUAGES], required=False, default="en", help_text="Of the `pdf`."
    )


class StatementQuerySerializer(FormSerializer):
    period_from = serializers.DateField(help_text="The first day, in the installation's time zone.")
    period_to = serializers.DateField(help_text="The last one, at most a year after.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("period_from", "period_to"):
            if attrs[name].year not in YEARS:
                raise serializers.ValidationError({name: f"expected a year from {YEARS[0]} to {YEARS[-1]}"})
        length = attrs["period_to"] - attrs["period_from"]
        if not timedelta(0) <= length < LONGEST:
            raise serializers.ValidationError({"period_to": "expected a day from period_from on, within a year"})
        return attrs


class StatementBalanceSerializer(serializers.Serializer[LedgerEntry]):
    used = AmountField(allow_zero=True)
    credit_limit = AmountField(allow_zero=True, allow_null=True, help_text="Null before approval.")


class StatementTotalSerializer(serializers.Serializer[LedgerEntry]):
    kind = serializers.ChoiceField(choices=LedgerEntry.Kind.choices)
    count = serializers.IntegerField()
    amount = serializers.CharField(help_text="Signed: what it adds to the use.")


class StatementLimitSerializer(serializers.Serializer[LedgerEntry]):
    at = serializers.DateTimeField()
    credit_limit = AmountField(allow_zero=True)


class AccountStatementSerializer(serializers.Serializer[LedgerEntry]):
    """Opening and all entries' amounts make closing; entries are in the order of their numbers."""

    merchant_id = serializers.IntegerField()
    period_from = serializers.DateField()
    period_to = serializers.DateField()
    time_zone = serializers.CharField()
    opening = StatementBalanceSerializer()
    closing = StatementBalanceSerializer()
    totals = StatementTotalSerializer(many=True)
    limits = StatementLimitSerializer(many=True, help_text="Set within the period.")
    entries = LedgerEntrySerializer(many=True)
