"""One withdrawal, or many: reserve, settle, confirm (docs/adr/0004). The only writer beside the dispatcher."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from core.cipher import Unreadable
from core.environment import ENVIRONMENT
from etebar_common import tracing
from etebar_common.problems import AbortedWithOthers, InternalError
from payments.answers import Answer
from payments.idempotency.services import in_progress, reused
from payments.models import Withdrawal
from payments.withdrawals.confirm import Confirmed, confirm_what_can_be
from payments.withdrawals.job import Final, Job, WithdrawalCommand
from payments.withdrawals.outcomes import confirmation_of
from payments.withdrawals.pipeline import pipeline
from payments.withdrawals.representation import location, members_of, pending_answer, pending_members
from payments.withdrawals.reserve import Reservation
from payments.withdrawals.settlement_client import Outcome, PayoutOrder, SettleResult, settlement_client

# of keys that nobody can send (payments_recover)
RECOVERED_SCOPE = "recovered"

logger = logging.getLogger(__name__)


def withdrawal_create(command: WithdrawalCommand) -> Answer:
    """Reserves the funds, asks settlement to pay and tells the outcome: 201, 202, or a stored 409.

    Raises RequestInProgress, IdempotencyKeyReused, DatabaseUnavailable when nothing was decided by the deadline, and
    database errors as long as nothing is reserved.
    """
    job = Job(command)
    pipeline().put([job])
    job.wait()
    return answer_of(job)


def answer_of(job: Job) -> Answer:
    """The answer by what is known of the job now; raises as `withdrawal_create`."""
    result = job.result()
    context = job.command.context
    if isinstance(result, Reservation):
        return _answer_without_payout(job.command, result)
    if job.command.log is not None:
        context.withdrawal_id = job.withdrawal_id
    if isinstance(result, Final):
        context.log_is_complete = result.is_logged
        return result.answer
    return result


def _answer_without_payout(command: WithdrawalCommand, reservation: Reservation) -> Answer:
    match reservation.outcome:
        case "in_progress":
            raise in_progress(command.identity.key)
        case "reused":
            raise reused(reservation.first_request, command.identity.digests)
        case "aborted":
            raise AbortedWithOthers
        case "replay":
            if command.log is not None:
                command.context.withdrawal_id = reservation.withdrawal_id
            return _replayed_answer(command, reservation)
    if reservation.status is None or reservation.body is None:
        raise InternalError(f"the database answered with an outcome that is not known here: {reservation.outcome}")
    return Answer(reservation.status, reservation.body)


def _replayed_answer(command: WithdrawalCommand, reservation: Reservation) -> Answer:
    """The stored answer of a key, or the state of its withdrawal while that is pending."""
    headers = location(reservation.withdrawal_id) if reservation.withdrawal_id else {}
    if reservation.status is not None and reservation.body is not None:
        return Answer(reservation.status, reservation.body, headers, replayed=True)
    assert reservation.withdrawal_id is not None  # noqa: S101 - only withdrawals are stored without an answer
    # the same key stands for the same amount
    members = pending_members(reservation.withdrawal_id, command.amount, reservation.decided_at)
    return pending_answer(members, replayed=True)


def order_of(withdrawal: Withdrawal) -> PayoutOrder:
    """What settlement is to pay for a stored withdrawal, loaded with its account and key. Raises Unreadable."""
    return replace(order_without_account(withdrawal), account=withdrawal.wallet_account.account_number)


def order_without_account(withdrawal: Withdrawal) -> PayoutOrder:
    """The same for what names the account by its fingerprint alone."""
    return PayoutOrder(
        withdrawal_id=withdrawal.pk,
        merchant_id=withdrawal.merchant_id,
        account_id=str(withdrawal.wallet_account_id),
        amount=withdrawal.amount,
        account="",
        idempotency_key=_key_of(withdrawal),
    )


def _key_of(withdrawal: Withdrawal) -> str | None:
    """The merchant's own key, for settlement to keep; None for one that was made again without it."""
    key = getattr(withdrawal, "idempotency_key", None)
    return key.key if key is not None and key.scope != RECOVERED_SCOPE else None


def withdrawals_settle(withdrawals: Sequence[Withdrawal]) -> dict[UUID, SettleResult]:
    """Asks settlement about pending withdrawals (loaded with their accounts and keys); moves nothing in core."""
    orders: list[PayoutOrder] = []
    unread: dict[UUID, SettleResult] = {}
    for withdrawal in withdrawals:
        # one that cannot be read holds up nobody else's
        try:
            orders.append(order_of(withdrawal))
        except Unreadable as error:
            logger.error("withdrawal %s cannot be paid yet: %s", withdrawal.pk, error)  # noqa: TRY400 - it says it all
            unread[withdrawal.pk] = SettleResult(Outcome.UNKNOWN, f"not asked: {error}")
    if not orders:
        return unread
    with tracing.span("settle"):
        return unread | settlement_client().settle(orders, deadline_seconds=ENVIRONMENT.settle_deadline_seconds)


def withdrawals_confirm(withdrawals: Sequence[Withdrawal], results: dict[UUID, SettleResult]) -> int:
    """Ends those with a definite outcome, returns how many; one that cannot be written does not hold up the others."""
    confirmations = [
        confirmation
        for withdrawal in withdrawals
        if (confirmation := confirmation_of(members_of(withdrawal), results[withdrawal.pk]))
    ]
    if not confirmations:
        return 0
    with tracing.span("confirm"):
        confirmed = confirm_what_can_be(confirmations)
    _log_ended(withdrawals, confirmed)
    return sum(end is not None for end in confirmed.values())


def _log_ended(withdrawals: Sequence[Withdrawal], confirmed: Mapping[str, Confirmed | None]) -> None:
    for withdrawal in withdrawals:
        if (end := confirmed.get(str(withdrawal.pk))) is not None:
            logger.info(
                "withdrawal %s is %s after %d questions",
                withdrawal.pk,
                end.state,
                withdrawal.attempts,
                extra=tracing.ids_of(withdrawal.trace_parent),
            )
