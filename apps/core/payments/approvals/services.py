"""Two people for a limit above the threshold: one asks, another decides. All runs in the caller's transaction."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.environment import ENVIRONMENT
from etebar_common.problems import ApprovalDecided, MerchantStateConflict, SecondPersonNeeded
from payments.audit.services import Actor, record
from payments.locks import lock_approval, lock_merchant
from payments.merchants.services import credit_limit_change, merchant_approve
from payments.models import ApprovalRequest, Merchant, MerchantCredit

LimitService = Callable[..., Merchant]
State = ApprovalRequest.State
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
    """What is asked for and not decided."""
    return ApprovalRequest.objects.filter(merchant=merchant, state=State.REQUESTED).first()


def _ask(merchant: Merchant, credit_limit: Decimal, by: Actor) -> ApprovalRequest:
    asked = open_request(merchant)
    if asked is not None and (asked.credit_limit, asked.requested_for) == (credit_limit, by.name):
        return asked
    request_withdraw(merchant, by)
    record(by, "approval_requested", merchant_id=merchant.pk, credit_limit=credit_limit)
    return ApprovalRequest.objects.create(
        pk=uuid7(),
        kind=ApprovalRequest.Kind.CREDIT_LIMIT,
        merchant=merchant,
        credit_limit=credit_limit,
        requested_by_id=by.user_id,
        requested_for=by.name,
        created_at=timezone.now(),
    )


def request_withdraw(merchant: Merchant, by: Actor) -> None:
    """Takes back what is asked for, by whomever, when there is anything."""
    asked = open_request(merchant)
    if asked is not None:
        _withdraw(asked, by)


def own_request_withdraw(merchant: Merchant, by: Actor) -> None:
    """Takes back what `by` asked for itself; what others ask for stays."""
    asked = open_request(merchant)
    if asked is not None and asked.requested_for == by.name:
        _withdraw(asked, by)


def _withdraw(asked: ApprovalRequest, by: Actor) -> None:
    record(by, "approval_withdrawn", merchant_id=asked.merchant_id, credit_limit=asked.credit_limit)
    asked.state, asked.decided_at = State.WITHDRAWN, timezone.now()
    asked.save(update_fields=["state", "decided_at"])


def approval_approve(*, approval_id: UUID, reason: str, by: Actor) -> ApprovalRequest:
    """Sets the limit. Raises NotFound, ApprovalDecided, SecondPersonNeeded and MerchantStateConflict."""
    asked = _decide(approval_id, State.APPROVED, reason, by)
    pending = asked.merchant.state == Merchant.State.PENDING
    service: Any = merchant_approve if pending else credit_limit_change
    if asked.merchant.state not in _STATES[service]:
        state = str(asked.merchant.state)
        raise MerchantStateConflict(f"the merchant is {state}", extensions={"state": state})
    service(merchant_id=asked.merchant_id, credit_limit=asked.credit_limit, by=by)
    return asked


def approval_refuse(*, approval_id: UUID, reason: str, by: Actor) -> ApprovalRequest:
    """Leaves the limit as it is. Raises NotFound, ApprovalDecided and SecondPersonNeeded."""
    return _decide(approval_id, State.REFUSED, reason, by)


def _decide(approval_id: UUID, state: ApprovalRequest.State, reason: str, by: Actor) -> ApprovalRequest:
    asked = lock_approval(approval_id)
    if asked.state != State.REQUESTED:
        raise ApprovalDecided(f"the request is {asked.state}", extensions={"state": str(asked.state)})
    _require_second_person(asked, by)
    record(by, f"approval_{state.value}", merchant_id=asked.merchant_id, credit_limit=asked.credit_limit, reason=reason)
    asked.state, asked.decided_by_id, asked.decided_at, asked.reason = state, by.user_id, timezone.now(), reason
    asked.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    return asked


def _require_second_person(asked: ApprovalRequest, by: Actor) -> None:
    """Raises SecondPersonNeeded for who asked, and for an account that was not there then: it may be made for this."""
    if asked.requested_by_id == by.user_id:
        raise SecondPersonNeeded(f"{by.name} asked for it")
    if not User.objects.filter(pk=by.user_id, date_joined__lt=asked.created_at).exists():
        raise SecondPersonNeeded(f"the account {by.name} is younger than the request")
