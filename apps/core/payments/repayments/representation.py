"""How a repayment looks in JSON."""

from typing import Any

from etebar_common.money import CENT
from payments.answers import timestamp
from payments.models import Repayment, RepaymentReversal


def repayment_members(repayment: Repayment) -> dict[str, Any]:
    """The members of a repayment (loaded with its reversal)."""
    reversal: RepaymentReversal | None = getattr(repayment, "reversal", None)
    return {
        "repayment_id": str(repayment.pk),
        "merchant_id": repayment.merchant_id,
        "amount": str(repayment.amount.quantize(CENT)),
        "reference": repayment.reference,
        "statement_line_id": repayment.statement_line_id,
        "created_at": timestamp(repayment.created_at),
        "reversed_at": timestamp(reversal.created_at) if reversal else None,
        "reversal_reason": reversal.reason if reversal else "",
    }
