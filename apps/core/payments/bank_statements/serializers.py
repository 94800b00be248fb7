"""What requests about bank statements must look like, and their answers."""

from typing import Any

from rest_framework import serializers

from core.pagination import MAXIMUM_PAGE_SIZE
from core.serializers import AmountField, IdField, SignedAmountField, StrictSerializer, TextField
from payments.bank_statements.selectors import DIFFERENCES

ONE_OF_TWO = "give a line_id, or the withdrawal_id of a withdrawal that no line tells of"


class TextOfFileField(serializers.CharField):
    """A whole file as text: only its surrogates are no text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("is not a string")
        try:
            data.encode()
        except UnicodeEncodeError as error:
            raise serializers.ValidationError("is not Unicode text") from error
        return super().to_internal_value(data)


class StatementImportSerializer(StrictSerializer):
    content = TextOfFileField(help_text="The file as text: CSV with its header, or camt.053.")
    name = TextField(max_length=255, required=False, default="", allow_blank=True)
    period_from = serializers.DateField(required=False, default=None, allow_null=True, help_text="Inclusive.")
    period_to = serializers.DateField(
        required=False,
        default=None,
        allow_null=True,
        help_text="Inclusive. What is left out is taken from the file, else from its first and last line.",
    )


class ResolutionSerializer(StrictSerializer):
    line_id = IdField(required=False, default=None, allow_null=True)
    withdrawal_id = serializers.UUIDField(required=False, default=None, allow_null=True)
    reason = TextField(max_length=1000, help_text="What the difference is; it is kept.")

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of the two."""
        if (fields["line_id"] is None) == (fields["withdrawal_id"] is None):
            raise serializers.ValidationError({"line_id": [ONE_OF_TWO]})
        return fields


class DifferenceQuerySerializer(StrictSerializer):
    kind = serializers.ChoiceField(choices=[kind.value for kind in DIFFERENCES], required=False)
    resolved = serializers.BooleanField(required=False, allow_null=True, default=None)
    limit = serializers.IntegerField(min_value=1, max_value=MAXIMUM_PAGE_SIZE, required=False)
    cursor = TextField(max_length=40, pattern=r"^(w[0-9a-f-]{36}|[0-9]{19})$", expected="`next`", required=False)


class CountSerializer(serializers.Serializer[Any]):
    found = serializers.IntegerField()
    resolved = serializers.IntegerField()


class StatementSerializer(serializers.Serializer[Any]):
    """A statement that was imported."""

    statement_id = serializers.UUIDField()
    form = serializers.ChoiceField(choices=["csv", "camt.053"])
    name = serializers.CharField()
    digest = serializers.CharField(help_text="SHA-256 of the file.")
    period_from = serializers.DateField()
    period_to = serializers.DateField()
    line_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class StatementImportedSerializer(StatementSerializer):
    is_new = serializers.BooleanField(help_text="False for a file that was imported before: it is answered with that.")
    new_lines = serializers.IntegerField(help_text="Lines that no other statement had.")


class StatementReportSerializer(StatementSerializer):
    """A statement compared with the withdrawals as they are now."""

    matched = CountSerializer()
    different = CountSerializer(help_text="Amount, account or state are not the withdrawal's, or it came again.")
    extra = CountSerializer(help_text="Lines that name no withdrawal.")
    missing = CountSerializer(help_text="Settled within the period, and no line pays them.")
    other = CountSerializer(help_text="What came in and names no withdrawal.")


class StatementPageSerializer(serializers.Serializer[Any]):
    results = StatementSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class DifferenceSerializer(serializers.Serializer[Any]):
    """A line that is not as the withdrawals are, or a withdrawal that no line tells of."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in DIFFERENCES])
    differs = serializers.ListField(
        child=serializers.ChoiceField(choices=["amount", "account", "state", "again", "returned"])
    )
    line_id = serializers.IntegerField(allow_null=True)
    withdrawal_id = serializers.UUIDField(allow_null=True)
    booked_on = serializers.DateField(allow_null=True)
    reference = serializers.CharField()
    bank_reference = serializers.CharField()
    amount = SignedAmountField(allow_null=True, help_text="What left the account by the line.")
    account_masked = serializers.CharField()
    withdrawal_amount = AmountField(allow_null=True)
    withdrawal_state = serializers.CharField(allow_null=True)
    resolved = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True, help_text="How two people explained it.")


class DifferencePageSerializer(serializers.Serializer[Any]):
    results = DifferenceSerializer(many=True)
    next = serializers.CharField(allow_null=True)
