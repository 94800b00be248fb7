"""Two people for a limit above the threshold, and what follows from approvals. Runs in the caller's transaction."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.environment import ENVIRONMENT
from etebar_common.problems import MerchantStateConflict
from payments.approvals.adjustments import adjustment_make
from payments.approvals.decisions import Kind, State, ask, decide, withdraw
from payments.approvals.differences import difference_resolve
from payments.approvals.outcomes import outcome_decide
from payments.audit.services import Actor
from payments.locks import lock_merchant
from payments.merchants.services import credit_limit_change, merchant_approve
from payments.models import ApprovalRequest, Merchant, MerchantCredit

LimitService = Callable[..., Merchant]
# whose limit may be set by which service
_STATES: dict[LimitService, set[str]] = {
    merchant_approve: {Merchant.State.PENDING},
    credit_limit_change: {Merchant.State.APPROVED, Merchant.State.SUSPENDED},
}


def limit_set(service: LimitService, *, merchant_id: int, credit_limit: Decimal, by: Actor) -> ApprovalRequest | None:
    """Runs merchant_approve or credit_limit_change, or asks for a second person: then nothing else has changed.

    Raises NotFound and MerchantStateConflict. A limit that is set takes the place of what was asked for before.
    """
    merchant = lock_merchant(merchant_id)
    if not needs_second_person(merchant, credit_limit):
        service(merchant_id=merchant_id, credit_limit=credit_limit, by=by)
        request_withdraw(merchant, by)
        return None
    if merchant.state not in _STATES[service]:
        raise MerchantStateConflict(f"the merchant is {merchant.state}", extensions={"state": str(merchant.state)})
    return _ask(merchant, credit_limit, by)


def needs_second_person(merchant: Merchant, credit_limit: Decimal) -> bool:
    """Whether the limit is above the threshold, and above the one in force."""
    threshold = ENVIRONMENT.credit_limit_approval_threshold
    if threshold is None or credit_limit <= threshold:
        return False
    credit = MerchantCredit.objects.filter(merchant=merchant).first()
    return credit is None or credit_limit > credit.credit_limit


def open_request(merchant: Merchant) -> ApprovalRequest | None:
    """The limit that is asked for and not decided."""
    return ApprovalRequest.objects.filter(merchant=merchant, kind=Kind.CREDIT_LIMIT, state=State.REQUESTED).first()


def _ask(merchant: Merchant, credit_limit: Decimal, by: Actor) -> ApprovalRequest:
    asked = open_request(merchant)
    if asked is not None and (asked.credit_limit, asked.requested_for) == (credit_limit, by.name):
        return asked
    request_withdraw(merchant, by)
    return ask(Kind.CREDIT_LIMIT, by, merchant=merchant, credit_limit=credit_limit)


def request_withdraw(merchant: Merchant, by: Actor) -> None:
    """Takes back what is asked for, by whomever, when there is anything."""
    asked = open_request(merchant)
    if asked is not None:
        withdraw(asked, by)


def own_request_withdraw(merchant: Merchant, by: Actor) -> None:
    """Takes back what `by` asked for itself; what others ask for stays."""
    asked = open_request(merchant)
    if asked is not None and asked.requested_for == by.name:
        withdraw(asked, by)


def _set_asked_limit(asked: ApprovalRequest, by: Actor) -> None:
    """What an approved request brings about; raises MerchantStateConflict."""
    merchant = asked.merchant
    assert merchant is not None  # noqa: S101 - the CHECK approval_kind_whole
    service: Any = merchant_approve if merchant.state == Merchant.State.PENDING else credit_limit_change
    if merchant.state not in _STATES[service]:
        state = str(merchant.state)
        raise MerchantStateConflict(f"the merchant is {state}", extensions={"state": state})
    service(merchant_id=merchant.pk, credit_limit=asked.credit_limit, by=by)


# what follows from an approval, in its transaction; what raises leaves the request as it was
_EFFECTS: dict[str, Callable[[ApprovalRequest, Actor], None]] = {
    Kind.CREDIT_LIMIT: _set_asked_limit,
    Kind.POOL_ADJUSTMENT: adjustment_make,
    Kind.UNKNOWN_OUTCOME: outcome_decide,
    Kind.STATEMENT_DIFFERENCE: difference_resolve,
}


def approval_approve(*, approval_id: UUID, reason: str, by: Actor) -> ApprovalRequest:
    """Brings about what was asked for. Raises NotFound, ApprovalDecided, SecondPersonNeeded, and what the kind raises:
    MerchantStateConflict, InsufficientPool, WithdrawalStateConflict, NoDifference.
    """
    asked = decide(approval_id, State.APPROVED, reason, by)
    _EFFECTS[asked.kind](asked, by)
    return asked


def approval_refuse(*, approval_id: UUID, reason: str, by: Actor) -> ApprovalRequest:
    """Leaves all as it is. Raises NotFound, ApprovalDecided and SecondPersonNeeded."""
    return decide(approval_id, State.REFUSED, reason, by)
