"""One withdrawal: reserve, settle, confirm (docs/adr/0004). The only writer of withdrawals beside the dispatcher."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError
from uuid_utils.compat import uuid7

from core.environment import ENVIRONMENT
from core.request_context import RequestContext
from etebar_common.crash import CrashPoint, crash_point
from etebar_common.problems import InternalError, NotReady
from payments.answers import Answer, timestamp
from payments.idempotency.identity import RequestIdentity
from payments.idempotency.services import in_progress, reused
from payments.models import IdempotencyKey, Withdrawal
from payments.withdrawals.confirm import Confirmation, confirm
from payments.withdrawals.representation import location, members_of, pending_answer, withdrawal_members
from payments.withdrawals.reserve import Reservation, ReserveRequest, reserve
from payments.withdrawals.settlement_client import Outcome, PayoutOrder, SettleResult, settlement_client

logger = logging.getLogger(__name__)

# the dispatcher leaves a withdrawal alone while its own request is still at work on it
DISPATCH_MARGIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class WithdrawalCommand:
    """A validated request to withdraw; `respond_async` asks for 202 at once (RFC 7240)."""

    merchant_id: int
    amount: Decimal
    identity: RequestIdentity
    context: RequestContext
    log: dict[str, Any]
    respond_async: bool = False


def withdrawal_create(command: WithdrawalCommand) -> Answer:
    """Reserves the funds, asks settlement to pay and tells the outcome: 201, 202, or a stored 409.

    Raises RequestInProgress, IdempotencyKeyReused, and database errors as long as nothing is reserved.
    """
    reservation = reserve([_reserve_request(command)])[0]
    crash_point(CrashPoint.AFTER_RESERVE_COMMIT)
    if reservation.outcome != "accepted":
        return _answer_without_payout(command, reservation)
    members = _accepted_members(command, reservation)
    command.context.withdrawal_id = reservation.withdrawal_id
    if command.respond_async:
        return pending_answer(members)
    return _pay(command, reservation, members)


def _reserve_request(command: WithdrawalCommand) -> ReserveRequest:
    wait_seconds = 0.0 if command.respond_async else ENVIRONMENT.settle_deadline_seconds + DISPATCH_MARGIN_SECONDS
    return ReserveRequest(
        withdrawal_id=uuid7(),
        merchant_id=command.merchant_id,
        amount=command.amount,
        identity=command.identity,
        dispatch_after_seconds=wait_seconds,
        log=command.log,
    )


def _accepted_members(command: WithdrawalCommand, reservation: Reservation) -> dict[str, Any]:
    assert reservation.withdrawal_id is not None  # noqa: S101 - accepted ones have an id
    return withdrawal_members(
        withdrawal_id=reservation.withdrawal_id,
        amount=command.amount,
        state=Withdrawal.State.PENDING,
        created_at=reservation.decided_at,
    )


def _answer_without_payout(command: WithdrawalCommand, reservation: Reservation) -> Answer:
    match reservation.outcome:
        case "in_progress":
            raise in_progress(command.identity.key)
        case "reused":
            raise reused(reservation.first_request, command.identity.digests)
        case "replay":
            command.context.withdrawal_id = reservation.withdrawal_id
            return replayed_answer(reservation)
    if reservation.status is None or reservation.body is None:
        raise InternalError(f"the database answered with an outcome that is not known here: {reservation.outcome}")
    return Answer(reservation.status, reservation.body)


def replayed_answer(reservation: Reservation) -> Answer:
    """The stored answer of a key, or the current state of its withdrawal while that is pending."""
    headers = location(reservation.withdrawal_id) if reservation.withdrawal_id else {}
    if reservation.status is not None and reservation.body is not None:
        return Answer(reservation.status, reservation.body, headers, replayed=True)
    assert reservation.withdrawal_id is not None  # noqa: S101 - only withdrawals are stored without an answer
    withdrawal = Withdrawal.objects.get(pk=reservation.withdrawal_id)
    if withdrawal.state == Withdrawal.State.PENDING:
        return pending_answer(members_of(withdrawal), replayed=True)
    # it became final between the two reads
    key = IdempotencyKey.objects.get(withdrawal_id=withdrawal.pk)
    return Answer(int(key.status or 0), str(key.body), headers, replayed=True)


def _pay(command: WithdrawalCommand, reservation: Reservation, members: dict[str, Any]) -> Answer:
    assert reservation.withdrawal_id is not None  # noqa: S101 - accepted ones have these
    assert reservation.account_id is not None  # noqa: S101
    order = PayoutOrder(
        withdrawal_id=reservation.withdrawal_id,
        merchant_id=command.merchant_id,
        account_id=reservation.account_id,
        amount=command.amount,
        account=str(reservation.bank_account),
    )
    crash_point(CrashPoint.BEFORE_SETTLE)
    results = settlement_client().settle([order], deadline_seconds=ENVIRONMENT.settle_deadline_seconds)
    confirmation = confirmation_of(members, results[order.withdrawal_id], command.context)
    if confirmation is None:
        return pending_answer(members)
    crash_point(CrashPoint.BEFORE_CONFIRM)
    try:
        confirmed = confirm([confirmation]).get(order.withdrawal_id)
    except (DatabaseError, InterfaceError) as error:
        # paid or refused, but not written: the dispatcher will ask again and write it; until then pending is the truth
        logger.warning("withdrawal %s is left pending: %s", order.withdrawal_id, str(error).strip())
        return pending_answer(members)
    if confirmed is None:
        raise NotReady("the sandbox was cleared meanwhile; repeat the request", headers={"Retry-After": "1"})
    crash_point(CrashPoint.AFTER_CONFIRM)
    command.context.log_is_complete = confirmed.changed
    return Answer(confirmed.status, confirmed.body, location(order.withdrawal_id))


def confirmation_of(
    members: dict[str, Any], result: SettleResult, context: RequestContext | None = None
) -> Confirmation | None:
    """How a withdrawal ends by settlement's result; None while the outcome is not definite."""
    if result.outcome not in {Outcome.PAID, Outcome.REFUSED}:
        return None
    paid = result.outcome is Outcome.PAID
    ended = members | {
        "state": Withdrawal.State.SETTLED.value if paid else Withdrawal.State.FAILED.value,
        "failure_code": None if paid else (result.detail or "refused")[:64],
        "finalized_at": timestamp(datetime.now(UTC)),
    }
    return Confirmation(ended, context.log_id if context else None, context.duration_ms if context else None)


def withdrawals_settle(withdrawals: Sequence[Withdrawal]) -> dict[UUID, SettleResult]:
    """Asks settlement about pending withdrawals (loaded with their accounts); moves nothing in core."""
    orders = [
        PayoutOrder(
            withdrawal_id=withdrawal.pk,
            merchant_id=withdrawal.merchant_id,
            account_id=withdrawal.wallet_account_id,
            amount=withdrawal.amount,
            account=withdrawal.wallet_account.bank_account,
        )
        for withdrawal in withdrawals
    ]
    return settlement_client().settle(orders, deadline_seconds=ENVIRONMENT.settle_deadline_seconds)


def withdrawals_confirm(withdrawals: Sequence[Withdrawal], results: dict[UUID, SettleResult]) -> int:
    """Ends those with a definite outcome, returns how many; one that cannot be written does not hold up the others."""
    confirmations = [
        confirmation
        for withdrawal in withdrawals
        if (confirmation := confirmation_of(members_of(withdrawal), results[withdrawal.pk]))
    ]
    return _confirm_what_can_be(confirmations) if confirmations else 0


def _confirm_what_can_be(confirmations: Sequence[Confirmation]) -> int:
    try:
        return len(confirm(confirmations))
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        if len(confirmations) == 1:
            logger.exception("withdrawal %s cannot be confirmed and stays pending", confirmations[0].members["id"])
            return 0
    return sum(_confirm_what_can_be([confirmation]) for confirmation in confirmations)
