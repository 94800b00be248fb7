"""How settlement's result ends a withdrawal."""

from datetime import UTC, datetime
from typing import Any

from core.request_context import RequestContext
from payments.answers import timestamp
from payments.models import Withdrawal
from payments.withdrawals.confirm import Confirmation
from payments.withdrawals.settlement_client import Outcome, SettleResult


def confirmation_of(
    members: dict[str, Any], result: SettleResult, context: RequestContext | None = None
) -> Confirmation | None:
    """The end of a pending withdrawal with these members; None while the outcome is not definite.

    `context` is that of the request whose row in the request log ends with it, if any.
    """
    if result.outcome not in {Outcome.PAID, Outcome.REFUSED}:
        return None
    paid = result.outcome is Outcome.PAID
    ended = members | {
        "state": Withdrawal.State.SETTLED.value if paid else Withdrawal.State.FAILED.value,
        "failure_code": None if paid else (result.detail or "refused")[:64],
        "finalized_at": timestamp(datetime.now(UTC)),
    }
    return Confirmation(ended, context.log_id if context else None, context.duration_ms if context else None)
