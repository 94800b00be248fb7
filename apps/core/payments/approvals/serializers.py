"""What requests about approvals must look like, and their answers."""

from rest_framework import serializers

from core.serializers import AmountField, StrictSerializer, TextField
from payments.models import ApprovalRequest
from payments.withdrawals.serializers import PageQuerySerializer


class ApprovalDecisionSerializer(StrictSerializer):
    approval_id = serializers.UUIDField()
    reason = TextField(max_length=500, required=False, default="", allow_blank=True)


class ApprovalQuerySerializer(PageQuerySerializer):
    state = serializers.ChoiceField(choices=ApprovalRequest.State.choices, required=False)


class ApprovalSerializer(serializers.Serializer[ApprovalRequest]):
    """A limit above the threshold that somebody asked for."""

    approval_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ApprovalRequest.Kind.choices)
    state = serializers.ChoiceField(choices=ApprovalRequest.State.choices)
    merchant_id = serializers.IntegerField()
    credit_limit = AmountField()
    requested_for = serializers.CharField(help_text="`staff:<username>` or `operator:<namespace>/<name>`.")
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class ApprovalPageSerializer(serializers.Serializer[ApprovalRequest]):
    results = ApprovalSerializer(many=True)
    next = serializers.CharField(allow_null=True)
