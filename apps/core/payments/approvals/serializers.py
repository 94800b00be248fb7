"""What requests about approvals must look like, and their answers."""

from rest_framework import serializers

from core.serializers import AmountField, SignedAmountField, StrictSerializer, TextField
from payments.models import ApprovalRequest, OutcomeDecision
from payments.withdrawals.serializers import PageQuerySerializer


class ApprovalDecisionSerializer(StrictSerializer):
    approval_id = serializers.UUIDField()
    reason = TextField(max_length=500, required=False, default="", allow_blank=True)


class OutcomeSerializer(StrictSerializer):
    outcome = serializers.ChoiceField(choices=ApprovalRequest.Outcome.choices)
    evidence = TextField(max_length=1000, help_text="How it is known; both people stand for it.")
    bank_reference = TextField(max_length=140, help_text="Where the bank has it: a statement, a message, a ticket.")


class ApprovalQuerySerializer(PageQuerySerializer):
    state = serializers.ChoiceField(choices=ApprovalRequest.State.choices, required=False)
    kind = serializers.ChoiceField(choices=ApprovalRequest.Kind.choices, required=False)


class ApprovalSerializer(serializers.Serializer[ApprovalRequest]):
    """What somebody asked for and somebody else decides; which members it has depends on its kind."""

    approval_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ApprovalRequest.Kind.choices)
    state = serializers.ChoiceField(choices=ApprovalRequest.State.choices)
    merchant_id = serializers.IntegerField(allow_null=True)
    credit_limit = AmountField(allow_null=True)
    amount = SignedAmountField(allow_null=True, help_text="Of an adjustment of the pool, signed.")
    withdrawal_id = serializers.UUIDField(allow_null=True)
    statement_line_id = serializers.IntegerField(allow_null=True, help_text="Of a difference to the bank's statement.")
    outcome = serializers.ChoiceField(choices=ApprovalRequest.Outcome.choices, allow_null=True)
    result = serializers.ChoiceField(
        choices=OutcomeDecision.Result.choices,
        allow_null=True,
        help_text="Of an approved outcome: null until settlement has taken it; overtaken: the bank's answer stands.",
    )
    bank_reference = serializers.CharField()
    grounds = serializers.CharField(help_text="Why it is asked for.")
    requested_for = serializers.CharField(help_text="`staff:<username>` or `operator:<namespace>/<name>`.")
    reason = serializers.CharField(help_text="What the decider said.")
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class ApprovalPageSerializer(serializers.Serializer[ApprovalRequest]):
    results = ApprovalSerializer(many=True)
    next = serializers.CharField(allow_null=True)
