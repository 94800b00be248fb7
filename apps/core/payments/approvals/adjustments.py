"""A correction of the pool: a signed amount, always by two people. Runs in the caller's transaction."""

from decimal import Decimal

from payments.approvals.decisions import Kind, ask
from payments.audit.services import Actor
from payments.models import ApprovalRequest
from payments.pool.services import pool_adjust


def adjustment_ask(*, amount: Decimal, reason: str, by: Actor) -> ApprovalRequest:
    """Asks for a correction of the pool; nothing has changed before somebody else approves it."""
    return ask(Kind.POOL_ADJUSTMENT, by, amount=amount, grounds=reason)


def adjustment_make(asked: ApprovalRequest, by: Actor) -> None:
    """What an approved request brings about; raises InsufficientPool and ValidationFailed."""
    assert asked.amount is not None  # noqa: S101 - the CHECK approval_kind_whole
    pool_adjust(
        adjustment_id=asked.pk, amount=asked.amount, reason=asked.grounds, asked_by_id=asked.requested_by_id, by=by
    )
