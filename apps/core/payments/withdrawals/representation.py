"""How a withdrawal looks in JSON, and the answers that stand for its states."""

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from core.problem_handler import render_body
from etebar_common import problems
from etebar_common.money import CENT
from payments.answers import Answer, json_text, timestamp
from payments.models import Withdrawal

PATH = "/api/v1/withdrawals"


def withdrawal_members(
    *,
    withdrawal_id: UUID,
    amount: Decimal,
    state: str,
    created_at: datetime,
    finalized_at: datetime | None = None,
    failure_code: str = "",
) -> dict[str, Any]:
    """The members of a withdrawal as every answer shows it."""
    return {
        "id": str(withdrawal_id),
        "amount": str(amount.quantize(CENT)),
        "state": state,
        "failure_code": failure_code or None,
        "created_at": timestamp(created_at),
        "finalized_at": timestamp(finalized_at),
    }


def pending_members(withdrawal_id: UUID, amount: Decimal, created_at: datetime) -> dict[str, Any]:
    """The members of a withdrawal whose funds are reserved and whose outcome is not known."""
    return withdrawal_members(
        withdrawal_id=withdrawal_id, amount=amount, state=Withdrawal.State.PENDING, created_at=created_at
    )


def members_of(withdrawal: Withdrawal) -> dict[str, Any]:
    """The members of a stored withdrawal."""
    return withdrawal_members(
        withdrawal_id=withdrawal.id,
        amount=withdrawal.amount,
        state=withdrawal.state,
        created_at=withdrawal.created_at,
        finalized_at=withdrawal.finalized_at,
        failure_code=withdrawal.failure_code,
    )


def location(withdrawal_id: UUID) -> dict[str, str]:
    return {"Location": f"{PATH}/{withdrawal_id}"}


def pending_answer(members: dict[str, Any], *, replayed: bool = False) -> Answer:
    """202: the funds are reserved, the outcome is not known yet."""
    return Answer(202, json_text(members), location(UUID(members["id"])), replayed=replayed)


def final_status_and_body(members: dict[str, Any]) -> tuple[int, str]:
    """What is stored as the final answer: 201 for settled, the problem payout_failed for failed."""
    if members["state"] == Withdrawal.State.SETTLED:
        return 201, json_text(members)
    problem = problems.PayoutFailed(f"the bank refused: {members['failure_code']}", extensions={"withdrawal": members})
    return problem.status, render_body(problem)


@cache
def refusal_bodies() -> dict[str, str]:
    """The bodies of refusals by code; payments_reserve fills in @amount@ and @available@ and stores them."""
    refusals = (
        problems.InsufficientCredit(
            "the amount @amount@ is more than the available credit @available@",
            extensions={"amount": "@amount@", "available": "@available@"},
        ),
        problems.InsufficientPool(
            "the credit pool cannot cover the amount @amount@ now", extensions={"amount": "@amount@"}
        ),
        problems.MerchantNotActive("expected an approved merchant that is not suspended"),
    )
    return {problem.code: render_body(problem) for problem in refusals}
