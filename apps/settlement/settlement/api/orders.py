"""From a request's withdrawals to orders: the checks that need the profile, the key or the rail."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Header

from etebar_common.bank_account import parse_bank_account
from etebar_common.environment import Profile
from etebar_common.fingerprint import account_fingerprint
from etebar_common.problems import ValidationFailed
from settlement.api.models import BatchMember, OutcomeRequest, WithdrawRequest
from settlement.payouts.records import Decision, PayoutOrder, PayoutState
from settlement.rails.base import Fault
from settlement.settings import Settings

FAULT_HEADER = "X-Sandbox-Fault"
FaultHeader = Annotated[str | None, Header(alias=FAULT_HEADER, include_in_schema=False)]


def fault_of(header: str | None, settings: Settings) -> Fault | None:
    """The fault that the header asks for; only the test profile listens to it."""
    if header is None or settings.etebar_profile is not Profile.TEST:
        return None
    try:
        return Fault(header)
    except ValueError:
        expected = ", ".join(Fault)
        raise _invalid([(FAULT_HEADER, f"is not a fault of the sandbox bank; expected one of {expected}")]) from None


def order_of(request: WithdrawRequest, settings: Settings, fault: Fault | None) -> PayoutOrder:
    if request.withdrawal_id is None and not settings.direct_tests_allowed:
        raise _invalid([("withdrawal_id", "is missing")])
    try:
        return _order(request, settings, fault)
    except ValueError as error:
        raise _invalid([("account", str(error))]) from error


def decision_of(withdrawal_id: UUID, request: OutcomeRequest) -> Decision:
    return Decision(
        withdrawal_id=withdrawal_id,
        merchant_id=request.merchant_id,
        account_id=request.account_id,
        amount=request.amount,
        account_fingerprint=request.account_fingerprint,
        state=PayoutState(request.outcome),
        evidence=request.evidence,
    )


def orders_of(members: list[BatchMember], settings: Settings, fault: Fault | None) -> list[PayoutOrder]:
    """The orders of a batch; all that is wrong is told at once, and nothing is paid then."""
    orders: list[PayoutOrder] = []
    wrong: list[tuple[str, str]] = []
    for position, member in enumerate(members):
        try:
            orders.append(_order(member, settings, fault))
        except ValueError as error:
            wrong.append((f"withdrawals.{position}.account", str(error)))
    if wrong:
        raise _invalid(wrong)
    return orders


def _order(request: WithdrawRequest | BatchMember, settings: Settings, fault: Fault | None) -> PayoutOrder:
    account = parse_bank_account(request.account, settings.etebar_profile)
    return PayoutOrder(
        withdrawal_id=request.withdrawal_id or uuid4(),
        merchant_id=request.merchant_id,
        account_id=request.account_id,
        amount=request.amount,
        account=account,
        account_fingerprint=account_fingerprint(account, settings.fingerprint_key),
        direct_test=request.withdrawal_id is None,
        idempotency_key=request.idempotency_key,
        fault=fault,
    )


def _invalid(errors: list[tuple[str, str]]) -> ValidationFailed:
    return ValidationFailed(extensions={"errors": [{"field": field, "detail": detail} for field, detail in errors]})
