"""How an approval request looks in JSON."""

from decimal import Decimal
from typing import Any

from etebar_common.money import CENT
from payments.answers import timestamp
from payments.approvals.decisions import Kind, merchant_id_of
from payments.models import ApprovalRequest


def approval_members(asked: ApprovalRequest) -> dict[str, Any]:
    """The members of a request."""
    return {
        "approval_id": str(asked.pk),
        "kind": asked.kind,
        "state": asked.state,
        "merchant_id": merchant_id_of(asked),
        "credit_limit": _amount(asked.credit_limit) if asked.kind == Kind.CREDIT_LIMIT else None,
        "amount": _amount(asked.amount),
        "withdrawal_id": str(asked.withdrawal_id) if asked.withdrawal_id else None,
        "statement_line_id": asked.statement_line_id,
        "outcome": asked.outcome or None,
        "result": _result_of(asked),
        "bank_reference": asked.bank_reference,
        "grounds": asked.grounds,
        "requested_for": asked.requested_for,
        "reason": asked.reason,
        "created_at": timestamp(asked.created_at),
        "decided_at": timestamp(asked.decided_at),
    }


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount.quantize(CENT))


def _result_of(asked: ApprovalRequest) -> str | None:
    """What became of an approved outcome; None before settlement took it, and for whatever is no outcome."""
    decision = getattr(asked, "decision", None)
    return decision.result or None if decision else None
