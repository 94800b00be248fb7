"""How an approval request looks in JSON."""

from typing import Any

from etebar_common.money import CENT
from payments.answers import timestamp
from payments.models import ApprovalRequest


def approval_members(asked: ApprovalRequest) -> dict[str, Any]:
    """The members of a request."""
    return {
        "approval_id": str(asked.pk),
        "kind": asked.kind,
        "state": asked.state,
        "merchant_id": asked.merchant_id,
        "credit_limit": str(asked.credit_limit.quantize(CENT)),
        "requested_for": asked.requested_for,
        "reason": asked.reason,
        "created_at": timestamp(asked.created_at),
        "decided_at": timestamp(asked.decided_at),
    }
